use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

named! {
    /// What endpoints are told.
    #[derive(PartialOrd, Ord)]
    pub enum EventType {
        /// The provider accepted a message.
        MessageSent = "message.sent",
        /// A message was confirmed on the phone.
        MessageDelivered = "message.delivered",
        /// A message was read.
        MessageRead = "message.read",
        /// A message was refused for good.
        MessageFailed = "message.failed",
        /// Nobody knows whether a message was sent; a person must decide.
        MessageUnknown = "message.unknown",
        /// A message was not sent in time.
        MessageExpired = "message.expired",
        /// A message was cancelled.
        MessageCancelled = "message.cancelled",
        /// A dealer's account at the provider is blocked.
        AccountBlocked = "account.blocked",
        /// It is no more.
        AccountRecovered = "account.recovered",
        /// The account's quota fell below the dealer's `quota_low_at`.
        AccountQuotaLow = "account.quota_low",
        /// The account's package ends within [`SOON`](crate::dealers::SOON).
        AccountExpiring = "account.expiring",
        /// A customer wrote back.
        ReplyReceived = "reply.received",
        /// A phone was opted out or in.
        OptOutChanged = "opt_out.changed",
        /// An endpoint was disabled.
        EndpointDisabled = "endpoint.disabled",
        /// A test by hand, which nobody subscribes to.
        EndpointTest = "endpoint.test",
    }
}

impl EventType {
    /// Whether an endpoint can subscribe to it.
    #[must_use]
    pub const fn can_be_subscribed(self) -> bool {
        !matches!(self, Self::EndpointTest)
    }

    /// The events that an endpoint can subscribe to, in order.
    pub fn subscribable() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|it| it.can_be_subscribed())
    }
}

/// Identifies an event: the `webhook-id`, the same at every endpoint and attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId(pub Uuid);

impl fmt::Display for EventId {
    /// `evt_` and the UUID, without a full stop, which separates the parts that are signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", self.0)
    }
}

/// An event to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingEvent {
    /// The id.
    pub id: EventId,
    /// [`EventType::as_str`]
    pub kind: String,
    /// When it happened, by the store's clock.
    pub at: DateTime<Utc>,
    /// What happened: a JSON object.
    pub data: String,
}

impl OutgoingEvent {
    /// The body of the post, byte for byte the same at every endpoint and attempt.
    #[must_use]
    pub fn body(&self) -> String {
        let Self { kind, data, .. } = self;
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!(r#"{{"type":"{kind}","timestamp":"{at}","data":{data}}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_posted_as_type_timestamp_and_data() {
        let event = OutgoingEvent {
            id: EventId(Uuid::from_u128(0x23f1_6411_6eb2_4829_a964_9ad1_f0e0_cc22)),
            kind: EventType::AccountRecovered.as_str().to_owned(),
            at: DateTime::from_timestamp_micros(1_795_600_000_123_456).unwrap(),
            data: r#"{"dealer_id":"0009999"}"#.to_owned(),
        };
        assert_eq!(
            event.body(),
            r#"{"type":"account.recovered","timestamp":"2026-11-25T09:46:40.123456Z","data":{"dealer_id":"0009999"}}"#
        );
        let id = event.id.to_string();
        assert_eq!(id, "evt_23f16411-6eb2-4829-a964-9ad1f0e0cc22");
    }

    #[test]
    fn every_event_but_a_test_can_be_subscribed() {
        let all: Vec<_> = EventType::subscribable().map(EventType::as_str).collect();
        assert_eq!(all.len(), EventType::ALL.len() - 1);
        assert!(!all.contains(&"endpoint.test"));
        // They need no escaping in JSON.
        let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b'.' | b'_');
        assert!(
            EventType::ALL
                .iter()
                .all(|it| it.as_str().bytes().all(plain))
        );
    }
}
