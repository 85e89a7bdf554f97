//! Decisions after a call to the provider: pure functions, tested without a database.

mod decide;
mod forecast;
mod outcome;
mod profile;
mod rest;
mod schedule;
mod values;
mod waiting;

pub use decide::{Decision, LaneChange, MessageChange, TOO_OLD, Tries, decide, expired};
pub use forecast::{Forecast, calls_per_hour};
pub use outcome::{BlockCause, Outcome, OutcomeKind, Receipt};
pub use profile::{QUOTA_USED_UP, profile_again};
pub use rest::{REST_DOUBT, REST_LOOK, is_spent, rest_until, too_old_before};
pub use schedule::{DeliveryPolicy, LaneHistory, OnUnknown};
pub use values::{LaneValues, MessageValues};
pub use waiting::{
    LaneState, Place, Queue, QueueState, Waiting, WaitingFor, paused, queue, waiting,
};
