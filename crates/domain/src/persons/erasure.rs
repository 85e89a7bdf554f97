//! What remains of a person whose data was erased.

use std::borrow::Cow;

use uuid::Uuid;

use crate::requests::{Message, Request};
use crate::values::{FEWEST_DIGITS, replace_numbers};

/// What stands in place of a name, a phone, a plate, a text or a recipient that was erased. It is no
/// phone, so that nothing can be sent to it.
pub const ERASED: &str = "[dihapus]";

/// Why a queued message ended whose recipient was erased, after so many outcomes that were unknown.
#[must_use]
pub const fn erased(unknowns: u32) -> &'static str {
    if unknowns == 0 {
        "cancelled: the recipient's data was erased before it was sent"
    } else {
        "cancelled: the recipient's data was erased; an earlier try may have been sent"
    }
}

/// What stands in place of a number in the words of the provider.
pub const NUMBER: &str = "[nomor]";

/// The provider's words as they are stored: without anything that may be a phone, see
/// [`mask_phones`](crate::values::mask_phones).
///
/// ```
/// assert_eq!(domain::persons::without_numbers("target 6282148523421 invalid"), "target [nomor] invalid");
/// assert_eq!(domain::persons::without_numbers("HTTP 502, +62 821-4852-3421."), "HTTP 502, +[nomor].");
/// ```
#[must_use]
pub fn without_numbers(words: &str) -> Cow<'_, str> {
    // Nearly always there is nothing to replace.
    if words.bytes().filter(u8::is_ascii_digit).count() < FEWEST_DIGITS {
        Cow::Borrowed(words)
    } else {
        Cow::Owned(replace_numbers(words, |_| NUMBER.to_owned()))
    }
}

/// How much was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Requests whose name, phone, plate and stored answer are gone.
    pub requests: u64,
    /// Messages whose text and recipient are gone.
    pub messages: u64,
    /// Of those the ones that waited to be sent, and never will be.
    pub cancelled: u64,
    /// Reports of the provider whose text is gone.
    pub events: u64,
}

impl Erased {
    /// Adds what another step erased.
    pub const fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.messages += other.messages;
        self.cancelled += other.cancelled;
        self.events += other.events;
    }

    /// Whether nothing was erased.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.requests == 0 && self.messages == 0 && self.events == 0
    }
}

/// How far a pass over everything that is stored has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// It looks at reports of the provider after this one, in the order of their coming.
    Events(i64),
    /// It looks at messages after this one.
    Messages(Uuid),
    /// It looks at requests after this one.
    Requests(Uuid),
}

impl Sweep {
    /// Where a pass begins.
    pub const BEGIN: Self = Self::Events(i64::MIN);
}

/// A request of a person with its messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalRecord {
    /// The request.
    pub request: Request,
    /// Its messages.
    pub messages: Vec<Message>,
}
