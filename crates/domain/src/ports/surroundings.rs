use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::requests::{MessageId, RequestId};
use crate::values::DealerId;

/// The clock of this machine.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The wall-clock time.
    fn now(&self) -> DateTime<Utc>;
    /// A monotonic time, for measuring.
    fn monotonic(&self) -> Instant;
}

/// The source of new ids: UUIDv7, so that inserts stay at the right edge of every index.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Ids: Send + Sync {
    /// A new request's id.
    fn request(&self) -> RequestId;
    /// A new message's id.
    fn message(&self) -> MessageId;
}

/// The source of randomness for jitter.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Dice: Send + Sync {
    /// A random number in 0..1.
    fn roll(&self) -> f64;
}

/// Wakes the dispatcher's loop before its next poll.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Bell: Send + Sync {
    /// Wakes the loop. Never blocks; several rings may count as one.
    fn ring(&self);

    /// Like [`ring`](Self::ring), for the lane of this dealer: a lane that is known to be busy needs no ring.
    fn ring_for(&self, dealer: &DealerId);
}
