//! Messages, as they are shown.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::delivery::{OutcomeKind, Place, Waiting};
use crate::requests::{MessageId, MessageKind, MessageState};
use crate::values::mask_phone;

/// A stored message with everything that happened to it. Prints without its text, and its phone
/// masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// Which kind it is.
    pub kind: MessageKind,
    /// Where it is on its way.
    pub state: MessageState,
    /// The name of the template it was made from.
    pub template: String,
    /// The finished text.
    pub body: String,
    /// The recipient's phone as stored, `08…`.
    pub target: String,
    /// When it may, or might, first be sent.
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
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// Why it ended as it did, unless it was sent.
    pub reason: Option<String>,
    /// Where it stands in its lane, unless it is finished.
    pub place: Option<Place>,
}

/// A message, and why it waits.
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
    /// What the provider said or what went wrong.
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
        matches!(self.state, MessageState::Queued | MessageState::Sending)
    }
}

/// Why a message ended that a person stopped, after so many outcomes that were unknown.
#[must_use]
pub const fn cancelled(unknowns: u32) -> &'static str {
    if unknowns == 0 {
        "cancelled before it was sent"
    } else {
        "cancelled; an earlier try may have been sent"
    }
}
