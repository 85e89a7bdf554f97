use std::fmt;

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

use super::{EventId, EventType};
use crate::replies::ListCursor;
use crate::values::Owner;

/// How many attempts of a delivery are kept: two schedules, of which the newest attempts (chosen).
pub const ATTEMPTS_TOLD: usize = 20;

/// The most endpoints of an owner.
#[must_use]
pub const fn most_endpoints(owner: &Owner) -> usize {
    match owner {
        Owner::Dealer(_) => 5,
        Owner::HeadOffice => 20,
    }
}

/// Identifies an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub Uuid);

impl EndpointId {
    /// An id of random bytes.
    #[must_use]
    pub const fn random(bytes: [u8; 16]) -> Self {
        Self(Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Parses an id as it is printed.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Uuid::try_parse(raw).ok().map(Self)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identifies the delivery of one event to one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(pub Uuid);

impl DeliveryId {
    /// Parses an id as it is printed.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Uuid::try_parse(raw).ok().map(Self)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An endpoint, as its owner sees it. `Debug` hides the address, whose path may be a credential, and the note.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointRecord {
    /// The id.
    pub id: EndpointId,
    /// Whose it is.
    pub owner: Owner,
    /// The address, as [`EndpointUrl::as_str`](super::EndpointUrl::as_str).
    pub url: String,
    /// The events it wants, in the order of [`EventType::ALL`].
    pub events: Vec<EventType>,
    /// What a person wrote about it.
    pub note: Option<String>,
    /// When it was made, by the store's clock.
    pub created_at: DateTime<Utc>,
    /// Since when nothing is sent to it; `None` while it is enabled.
    pub disabled_at: Option<DateTime<Utc>>,
}

discreet!(EndpointRecord, id, owner, events, created_at, disabled_at);

named! {
    /// What has become of a delivery.
    pub enum DeliveryState {
        /// An attempt is due now or later, or the endpoint is disabled.
        Pending = "pending",
        /// The endpoint answered 2xx.
        Delivered = "delivered",
        /// The last attempt of the schedule failed.
        GivenUp = "given_up",
    }
}

named! {
    /// Why an attempt has no answer.
    pub enum EventError {
        /// The address is not public, and not allowed otherwise, at the moment of the connection.
        AddressNotAllowed = "address_not_allowed",
        /// The name of the host has no address.
        NotResolved = "name_not_resolved",
        /// No connection, or a broken one.
        Connection = "connection_error",
        /// No secure connection: a certificate that is not trusted, for instance.
        Tls = "tls_error",
        /// No whole answer within [`EVENT_TIMEOUT`](super::EVENT_TIMEOUT).
        Timeout = "timeout",
        /// The answer is not HTTP.
        BadAnswer = "bad_answer",
        /// The sealed secret cannot be opened, so that nothing can be signed.
        SecretUnreadable = "secret_unreadable",
    }
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAttempt {
    /// When its outcome was recorded, by the store's clock.
    pub at: DateTime<Utc>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// [`EventError::as_str`] where there was no answer; a newer release may have written one that this one does
    /// not know.
    pub error: Option<String>,
}

/// The delivery of one event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Its place in the list.
    pub cursor: ListCursor,
    /// The id.
    pub id: DeliveryId,
    /// The event, whose id is the `webhook-id`.
    pub event_id: EventId,
    /// [`EventType::as_str`]; a newer release may have written one that this one does not know.
    pub event: String,
    /// When the event happened, by the store's clock.
    pub created_at: DateTime<Utc>,
    /// What has become of it.
    pub state: DeliveryState,
    /// When the next attempt is due, where it is pending.
    pub due_at: Option<DateTime<Utc>>,
    /// The newest [`ATTEMPTS_TOLD`] attempts, oldest first.
    pub attempts: Vec<EventAttempt>,
}
