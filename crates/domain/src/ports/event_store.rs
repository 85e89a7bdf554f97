use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::events::{EventTopic, ProviderEvent};
use crate::values::{DealerId, WebhookToken};

/// Counts of applied events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventsApplied {
    /// Events taken from the store.
    pub taken: u64,
    /// Events that match no message yet; they stay due.
    pub unmatched: u64,
    /// Messages that moved forward.
    pub lifted: u64,
    /// Lanes that may go on: their breaker closed, or the awaited outcome is known.
    pub freed: u64,
}

impl EventsApplied {
    /// Adds the counts of another step.
    pub fn add(&mut self, others: Self) {
        self.taken += others.taken;
        self.unmatched += others.unmatched;
        self.lifted += others.lifted;
        self.freed += others.freed;
    }
}

/// Parses provider events.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait ProviderEvents: Send + Sync {
    /// Parses the body of a webhook call; `None` when it is not JSON.
    fn read(&self, topic: EventTopic, body: &[u8]) -> Option<ProviderEvent>;
}

/// Stores provider events first and applies them later.
///
/// Times are the store's, so that copies with different clocks agree.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The dealer of a webhook token.
    async fn owner(&self, token: &WebhookToken) -> Result<Option<DealerId>, StoreError>;

    /// Stores an event durably; its reason [without numbers](crate::persons::without_numbers).
    ///
    /// A reply is stored once for each [fingerprint](crate::replies::IncomingReply::fingerprint) and dealer, as
    /// a reply and as nothing else, with the newest request of its phone at this dealer. What it
    /// [wants](crate::replies::Wish) is done in the same transaction, as [`OptOuts`](super::OptOuts) do it by
    /// hand, and a [confirmation](super::Confirmations) of a change is queued: an opt-out holds before the
    /// provider is answered. A reply written before the phone's last change,
    /// by the second, changes nothing; one without a date counts as written now.
    async fn keep(&self, dealer: &DealerId, event: &ProviderEvent) -> Result<(), StoreError>;

    /// Applies at most `limit` due events.
    ///
    /// An event matches the dealer's message with its `provider_id`, else the one with its `state_id`; a
    /// message learns its `state_id` from an event that has both. The event lifts the message to the state
    /// that it proves, if that is of a higher [rank](crate::requests::MessageState::rank), and the request
    /// with it.
    ///
    /// An unmatched event is tried again when its message becomes known, and with a growing back-off as long
    /// as it is [kept](crate::events::EVENT_LIFETIME). Where a lane awaits evidence, and all its other calls
    /// are [accounted for](crate::ports::Settlement::unaccounted), the event may prove that the lane's
    /// message [was sent](crate::events::is_evidence).
    ///
    /// A lane that waited goes on after `pause`, or after its dealer's own least interval where that is
    /// longer.
    ///
    /// A connected device closes the breaker of its dealer.
    async fn apply(&self, limit: usize, pause: Duration) -> Result<EventsApplied, StoreError>;

    /// Time until an event is due; `None` when there is none.
    async fn next_event(&self) -> Result<Option<Duration>, StoreError>;

    /// Deletes a batch of events older than [`EVENT_LIFETIME`](crate::events::EVENT_LIFETIME). Returns how
    /// many.
    async fn forget_old_events(&self) -> Result<u64, StoreError>;
}
