//! What happens after a call to the provider: pure decisions, tested without a database.

mod decide;
mod outcome;
mod schedule;

pub use decide::{Decision, LaneChange, MessageChange, decide, expired};
pub use outcome::{Outcome, OutcomeKind, Receipt};
pub use schedule::{DeliveryPolicy, LaneHistory, OnUnknown};
