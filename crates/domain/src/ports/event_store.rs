use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::events::{EventTopic, ProviderEvent};
use crate::values::{DealerId, WebhookToken};

/// What became of the events that were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventsApplied {
    /// How many were looked at.
    pub taken: u64,
    /// How many match no message yet; they are looked at again.
    pub unmatched: u64,
    /// How many messages moved forward.
    pub lifted: u64,
    /// How many lanes may go on: their breaker was closed, or the outcome they waited for is known.
    pub freed: u64,
}

impl EventsApplied {
    /// Counts these as well.
    pub fn add(&mut self, others: Self) {
        self.taken += others.taken;
        self.unmatched += others.unmatched;
        self.lifted += others.lifted;
        self.freed += others.freed;
    }
}

/// Reads provider events.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait ProviderEvents: Send + Sync {
    /// The event in the body of a call from the provider; `None` when the body is not JSON.
    fn read(&self, topic: EventTopic, body: &[u8]) -> Option<ProviderEvent>;
}

/// Keeps provider events. They are stored first and applied later.
///
/// Times are the store's: copies on machines whose clocks differ agree all the same.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The dealer to whose addresses the token belongs.
    async fn owner(&self, token: &WebhookToken) -> Result<Option<DealerId>, StoreError>;

    /// Keeps an event, durably; its reason [without numbers](crate::persons::without_numbers).
    async fn keep(&self, dealer: &DealerId, event: &ProviderEvent) -> Result<(), StoreError>;

    /// Applies at most `limit` events whose time has come.
    ///
    /// An event matches the dealer's message that has its `provider_id`, else the one that has its
    /// `state_id`; a message learns its `state_id` from an event that has both. It lifts the message
    /// to the state it is evidence of, if that is of a higher [rank](crate::requests::MessageState::rank), and
    /// the request with it.
    ///
    /// An event that matches nothing is looked at again: when the message it names becomes known, and
    /// at growing intervals as long as it is [kept](crate::events::EVENT_LIFETIME). Where a lane waits for
    /// evidence, and all its other calls are [accounted for](crate::ports::Settlement::unaccounted), it may
    /// tell that the lane's message [was sent](crate::events::is_evidence).
    ///
    /// A lane that waited goes on after `pause`, or after its dealer's own least time between calls
    /// where that is longer.
    ///
    /// A device that is connected closes the breaker of its dealer.
    async fn apply(&self, limit: usize, pause: Duration) -> Result<EventsApplied, StoreError>;

    /// How long until an event is to be looked at; `None` when there is none.
    async fn next_event(&self) -> Result<Option<Duration>, StoreError>;

    /// Removes some of the events that are older than [`EVENT_LIFETIME`](crate::events::EVENT_LIFETIME).
    /// Returns how many.
    async fn forget_old_events(&self) -> Result<u64, StoreError>;
}
