//! What happens after a call to the provider: pure decisions, tested without a database.

mod decide;
mod outcome;
mod rest;
mod schedule;

pub use decide::{Decision, LaneChange, MessageChange, TOO_OLD, Tries, decide, expired};
pub use outcome::{Outcome, OutcomeKind, Receipt};
pub use rest::{REST_DOUBT, REST_LOOK, is_spent, rest_until, too_old_before};
pub use schedule::{DeliveryPolicy, LaneHistory, OnUnknown};
