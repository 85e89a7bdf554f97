use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::requests::{MessageId, RequestId};
use crate::values::DealerId;

/// Time, as this machine sees it.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> DateTime<Utc>;
    /// A time that only moves forward, for measuring.
    fn monotonic(&self) -> Instant;
}

/// Where new ids come from: UUIDv7, so that inserts stay at the right edge of every index.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Ids: Send + Sync {
    /// A new request's id.
    fn request(&self) -> RequestId;
    /// A new message's id.
    fn message(&self) -> MessageId;
}

/// Where chance comes from.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Dice: Send + Sync {
    /// A random number in 0..1.
    fn roll(&self) -> f64;
}

/// Tells the dispatcher's loop that there may be work, so that it need not wait for its next look.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Bell: Send + Sync {
    /// Wakes the loop. Never blocks; several rings may count as one.
    fn ring(&self);

    /// As [`ring`](Self::ring), where only this dealer's lane may have work: a lane that is known to be
    /// busy goes on by itself.
    fn ring_for(&self, dealer: &DealerId);
}
