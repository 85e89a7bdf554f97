//! Provider events: unsolicited reports about a message or a device. They come early, late, repeatedly and in
//! any order.

use std::time::Duration;

use secrecy::SecretString;

use crate::replies::IncomingReply;
use crate::requests::MessageState;

/// How long events are kept: unmatched ones for matching, applied ones for support (chosen).
pub const EVENT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);

named! {
    /// The topic of a webhook address.
    pub enum EventTopic {
        /// Messages.
        Status = "status",
        /// The dealer's device.
        Device = "device",
        /// What customers write back.
        Message = "message",
    }
}

/// A provider event. `Debug` hides its text.
#[derive(Clone)]
pub struct ProviderEvent {
    /// The event as it came, without its secrets, for support.
    pub text: String,
    /// The secrets that it carries; one must equal the dealer's, if the dealer has one.
    pub secrets: Vec<SecretString>,
    /// The parsed content.
    pub content: EventContent,
}

/// The content of a provider event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventContent {
    /// A report about a message.
    Message(MessageReport),
    /// The device was connected, or disconnected.
    Device {
        /// Whether it is connected now.
        connected: bool,
    },
    /// A private message of a person.
    Reply(IncomingReply),
    /// A message that is no private one of a person, such as a group's. It is not stored.
    Foreign,
    /// No report that matters here. It is stored all the same.
    Nothing,
}

/// A report about a message, which it names in at least one way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageReport {
    /// The provider's id of the message.
    pub provider_id: Option<String>,
    /// WhatsApp's id of the message, which some events carry instead.
    pub state_id: Option<String>,
    /// The state that it proves; `None` for states before sending.
    pub seen: Option<MessageState>,
    /// The provider's reason of a failure.
    pub reason: Option<String>,
}

discreet!(ProviderEvent, content);

/// The number in a provider's id, if it is one: larger numbers are later messages.
#[must_use]
pub fn provider_number(id: &str) -> Option<i64> {
    let digits = !id.is_empty() && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten()
}

/// Whether an event about an unknown message id is evidence that the message with the unknown outcome reached
/// the provider: through an exclusive device, a later message than the last known one is that message.
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
