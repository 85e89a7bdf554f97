//! Provider events: what the provider tells by itself about a message or a device. They come early,
//! late, repeatedly and in any order.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::requests::MessageState;

/// How long an event that matches nothing is kept, and an applied one for people who look.
pub const EVENT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What the events of an address are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTopic {
    /// Messages.
    Status,
    /// The dealer's device.
    Device,
}

/// A provider event. Prints without its text.
#[derive(Clone)]
pub struct ProviderEvent {
    /// The event as it came, without the secrets, for people who look.
    pub text: String,
    /// The secrets that it carries; one of them has to be the dealer's, if it has one.
    pub secrets: Vec<SecretString>,
    /// What it says.
    pub content: EventContent,
}

/// What a provider event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventContent {
    /// Something about a message.
    Message(MessageReport),
    /// The device was connected, or disconnected.
    Device {
        /// Whether it is connected now.
        connected: bool,
    },
    /// Nothing that concerns us. It is kept all the same.
    Nothing,
}

/// What a provider event says about a message. It names the message in one way at least.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageReport {
    /// The provider's id of the message.
    pub provider_id: Option<String>,
    /// WhatsApp's id of it, which some events carry instead.
    pub state_id: Option<String>,
    /// The state it is evidence of; none for what comes before sending.
    pub seen: Option<MessageState>,
    /// The provider's words, where it failed.
    pub reason: Option<String>,
}

impl fmt::Debug for ProviderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderEvent")
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// The number of a provider's id, where it is one: a larger number belongs to a later message.
#[must_use]
pub fn provider_number(id: &str) -> Option<i64> {
    let digits = !id.is_empty() && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten()
}

/// Whether an event about a message of this id, which is none of ours, is evidence that the message
/// reached the provider whose outcome is unknown: through a device that nobody else uses, a later
/// message than the last known one is that one.
#[must_use]
pub fn is_evidence(id: &str, last_known: Option<i64>) -> bool {
    provider_number(id).is_some_and(|number| last_known.is_none_or(|last| number > last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_number_is_evidence() {
        assert!(is_evidence("101", Some(100)));
        assert!(is_evidence("4294967296", Some(100)));
        assert!(is_evidence("1", None));
        for id in [
            "100",
            "99",
            "",
            "abc",
            "-1",
            "1e9",
            "0101x",
            "9999999999999999999",
        ] {
            assert!(!is_evidence(id, Some(100)), "{id}");
        }
    }
}
