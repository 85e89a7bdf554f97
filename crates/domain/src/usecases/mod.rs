//! What the service does, as plain verbs over the ports.

mod account_watch;
mod dealer_check;
mod dealer_desk;
mod dispatcher;
mod event_desk;
mod gatekeeper;
mod intake;
mod key_desk;
mod lookups;
mod message_desk;
mod person_desk;

pub use account_watch::AccountWatch;
pub use dealer_check::{CheckError, CheckPassed, DealerCheck, TEST_WAIT, TestCall, TestEnd};
pub use dealer_desk::{DealerDesk, DeskError};
pub use dispatcher::{Delivery, Dispatcher, TimedClaim};
pub use event_desk::{EventDesk, ReportError, Reported};
pub use gatekeeper::{Gatekeeper, Refusal};
pub use intake::{Intake, IntakeError, Receival};
pub use key_desk::{KeyDesk, KeyError, KeyOrder, MadeKey};
pub use lookups::{LookupError, Lookups};
pub use message_desk::{MessageDesk, MessageError};
pub use person_desk::PersonDesk;
