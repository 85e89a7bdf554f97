//! Event webhooks: the addresses that are told what happens, and the schedule of the attempts.

mod address;
mod decide;
mod event;
mod input;
mod public;
mod record;
mod secret;

pub use address::{AddressFault, EndpointPolicy, EndpointUrl, LONGEST_URL};
pub use decide::{
    DISABLED_AFTER, DeliveryChange, EVENT_ATTEMPTS, EVENT_LEASE, EVENT_LIFETIME, EVENT_TIMEOUT,
    EventAnswer, EventSettlement, decide,
};
pub use event::{EventId, EventType, OutgoingEvent};
pub use input::{
    EndpointChange, EndpointFault, EndpointFaults, EndpointField, EndpointInput, NewEndpoint,
    RawEvents,
};
pub use public::is_public;
pub use record::{
    ATTEMPTS_TOLD, DeliveryId, DeliveryRecord, DeliveryState, EndpointId, EndpointRecord,
    EventAttempt, EventError, most_endpoints,
};
pub use secret::{ENDPOINT_SECRET_PREFIX, EndpointSecret, EndpointSecretError};
