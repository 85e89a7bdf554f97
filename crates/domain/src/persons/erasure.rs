//! The remains of erased personal data.

use std::borrow::Cow;

use uuid::Uuid;

use crate::requests::{Message, Request};
use crate::values::{FEWEST_DIGITS, replace_numbers};

/// The placeholder for an erased name, phone, plate, text or recipient. It is no phone, so that nothing can
/// be sent to it.
pub const ERASED: &str = "[dihapus]";

/// The reason of a queued message whose recipient was erased, after this many unknown outcomes.
#[must_use]
pub const fn erased(unknowns: u32) -> &'static str {
    if unknowns == 0 {
        "cancelled: the recipient's data was erased before it was sent"
    } else {
        "cancelled: the recipient's data was erased; an earlier try may have been sent"
    }
}

/// The placeholder for a number in the provider's text.
pub const NUMBER: &str = "[nomor]";

/// The provider's text as it is stored: without anything that may be a phone, see
/// [`mask_phones`](crate::values::mask_phones).
///
/// ```
/// assert_eq!(domain::persons::without_numbers("target 6282148523421 invalid"), "target [nomor] invalid");
/// assert_eq!(domain::persons::without_numbers("HTTP 502, +62 821-4852-3421."), "HTTP 502, +[nomor].");
/// ```
#[must_use]
pub fn without_numbers(words: &str) -> Cow<'_, str> {
    // Mostly there is nothing to replace.
    if words.bytes().filter(u8::is_ascii_digit).count() < FEWEST_DIGITS {
        Cow::Borrowed(words)
    } else {
        Cow::Owned(replace_numbers(words, |_| NUMBER.to_owned()))
    }
}

/// Counts of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Requests whose name, phone, plate and stored answer were erased.
    pub requests: u64,
    /// Messages whose text and recipient were erased.
    pub messages: u64,
    /// Those of the messages that were queued, and are now cancelled.
    pub cancelled: u64,
    /// Provider events whose text was erased.
    pub events: u64,
    /// Replies that were removed.
    pub replies: u64,
}

impl Erased {
    /// Adds the counts of another step.
    pub const fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.messages += other.messages;
        self.cancelled += other.cancelled;
        self.events += other.events;
        self.replies += other.replies;
    }

    /// Whether nothing was erased.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.requests == 0 && self.messages == 0 && self.events == 0 && self.replies == 0
    }
}

/// The cursor of a pass over all stored data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Old replies are next.
    Replies,
    /// Provider events after this one, in the order of arrival, are next.
    Events(i64),
    /// Messages after this one are next.
    Messages(Uuid),
    /// Requests after this one are next.
    Requests(Uuid),
}

impl Sweep {
    /// The start of a pass.
    pub const BEGIN: Self = Self::Replies;
}

/// A request of a person with its messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalRecord {
    /// The request.
    pub request: Request,
    /// Its messages.
    pub messages: Vec<Message>,
}
