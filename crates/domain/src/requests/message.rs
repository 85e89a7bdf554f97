//! Messages, as they are shown.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::delivery::{OutcomeKind, Place, Waiting};
use crate::requests::{MessageId, MessageKind, MessageState};
use crate::template::Variables;
use crate::values::mask_phone;

/// A stored message with its history. `Debug` hides its text and masks its phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// Its kind.
    pub kind: MessageKind,
    /// Its state.
    pub state: MessageState,
    /// The name of the template it was made from.
    pub template: String,
    /// The version of the template; the built-in one has none, and neither have messages of older releases.
    pub template_version: Option<u32>,
    /// What was given for the template's variables.
    pub variables: Variables,
    /// The finished text.
    pub body: String,
    /// The recipient's phone as stored, `08…`.
    pub target: String,
    /// The earliest time of its first try.
    pub scheduled_at: DateTime<Utc>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was confirmed on the phone.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When it failed, expired, was cancelled, or was left to a person.
    pub failed_at: Option<DateTime<Utc>>,
    /// The calls to the provider, oldest first; of more than 50 the first five and the last.
    pub attempts: Vec<PastAttempt>,
    /// The provider's id of it.
    pub provider_id: Option<String>,
    /// Why it ended, unless it was sent.
    pub reason: Option<String>,
    /// Its place in its lane, unless it is finished.
    pub place: Option<Place>,
}

/// A message with its reason to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The message.
    pub message: Message,
    /// See [`waiting`](crate::delivery::waiting()).
    pub waiting: Option<Waiting>,
}

/// A call that was made for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// When its outcome was recorded.
    pub at: DateTime<Utc>,
    /// The class of the outcome.
    pub outcome: OutcomeKind,
    /// The provider's text, or the error.
    pub detail: String,
    /// How long the call took.
    pub duration: Duration,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("target", &mask_phone(&self.target))
            .field("scheduled_at", &self.scheduled_at)
            .field("attempts", &self.attempts.len())
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Whether it is still to be sent, or being sent.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.state.is_pending()
    }
}

/// The reason of a message that a person cancelled, after this many unknown outcomes.
#[must_use]
pub const fn cancelled(unknowns: u32) -> &'static str {
    if unknowns == 0 {
        "cancelled before it was sent"
    } else {
        "cancelled; an earlier try may have been sent"
    }
}
