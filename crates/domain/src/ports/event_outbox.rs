use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::endpoints::{
    DeliveryId, EndpointId, EndpointSecret, EndpointUrl, EventAnswer, EventSettlement,
    OutgoingEvent,
};

/// A lease of an endpoint by one copy, for one delivery. The epoch rises with every lease, so a copy that lost its
/// lease cannot settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventLease {
    /// The endpoint, to which one call is made at a time.
    pub endpoint: EndpointId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The number of this lease among the leases of the endpoint.
    pub epoch: i64,
}

/// An event to be posted to an endpoint.
#[derive(Debug, Clone)]
pub struct EventTask {
    /// The lease.
    pub lease: EventLease,
    /// The address; `None` where the stored text is none.
    pub url: Option<EndpointUrl>,
    /// The secret to sign with; `None` where it cannot be opened: the attempt has failed then, see
    /// [`EventError::SecretUnreadable`](crate::endpoints::EventError::SecretUnreadable).
    pub secret: Option<EndpointSecret>,
    /// The event.
    pub event: OutgoingEvent,
    /// Failed attempts of the schedule so far, see [`decide`](crate::endpoints::decide).
    pub failed: u32,
    /// Time since the endpoint's last success, its creation or its enabling, by the store's clock.
    pub silent_for: Duration,
    /// Whether the endpoint's last attempt failed, so that the task took room of those.
    pub is_failing: bool,
}

/// How many endpoints may be leased at once. Those whose last attempt failed have room of their own, so that
/// endpoints that hang never take the place of those that answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventRoom {
    /// For endpoints that are new, or whose last attempt succeeded.
    pub healthy: usize,
    /// For endpoints whose last attempt failed.
    pub failing: usize,
}

/// Whether a settlement took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSettled {
    /// Delivery and endpoint are changed.
    Applied,
    /// The lease was lost or is over, or the endpoint was removed; nothing was changed.
    LeaseLost,
}

/// The second outbox: events that endpoints are told. They are written by the store itself, in the transaction
/// of what they tell, for endpoints that are enabled and want them; never without it, and never about what was
/// rolled back.
///
/// Times are the store's, so that copies with different clocks agree.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EventOutbox: Send + Sync {
    /// Leases endpoints that have a delivery due, each with the delivery that has been due for longest: at most
    /// so many, those that have been due for longest first. An endpoint that is leased is passed over, and so is
    /// a disabled one but for what was asked for by hand.
    async fn take(&self, room: EventRoom, lease: Duration) -> Result<Vec<EventTask>, StoreError>;

    /// Settles an attempt and releases the endpoint. The attempt is recorded with the store's time. An endpoint
    /// that the settlement disables keeps its waiting deliveries for when it is enabled again; it is an
    /// `endpoint.disabled` for others, once.
    async fn settle(
        &self,
        lease: &EventLease,
        settlement: &EventSettlement,
    ) -> Result<EventSettled, StoreError>;

    /// Releases an endpoint whose call was not begun: the delivery is due as before. Without the lease nothing
    /// is changed.
    async fn give_back(&self, lease: &EventLease) -> Result<(), StoreError>;

    /// Time until [`take`](Self::take) would find something, leases that end included; `None` when nothing
    /// waits.
    async fn next_event_due(&self) -> Result<Option<Duration>, StoreError>;

    /// Deletes a batch of what is older than [`EVENT_LIFETIME`](crate::endpoints::EVENT_LIFETIME), delivered or
    /// not, and of what belonged to removed endpoints. Returns how many rows; to be repeated until it is 0.
    async fn forget_old_deliveries(&self) -> Result<u64, StoreError>;
}

/// Posts events.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EventSender: Send + Sync {
    /// Posts an event once, signed with the time of this attempt, and without following redirects. It ends within
    /// [`EVENT_TIMEOUT`](crate::endpoints::EVENT_TIMEOUT), and connects only to an address that the
    /// [`EndpointPolicy`](crate::endpoints::EndpointPolicy) admits at that moment.
    async fn post(
        &self,
        url: &EndpointUrl,
        secret: &EndpointSecret,
        event: &OutgoingEvent,
    ) -> EventAnswer;
}
