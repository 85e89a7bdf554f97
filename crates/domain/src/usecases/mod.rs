//! What the service does, as plain verbs over the ports.

mod account_watch;
mod attention;
mod data_subject_requests;
mod dealer_administration;
mod dealer_check;
mod dispatcher;
mod event_intake;
mod gatekeeper;
mod intake;
mod key_administration;
mod logins;
mod lookups;
mod message_actions;
mod services;

pub use account_watch::AccountWatch;
pub use attention::{Attention, Concern, ConcernKind, LATE};
pub use data_subject_requests::DataSubjectRequests;
pub use dealer_administration::{DealerAdministration, DealerAdministrationError};
pub use dealer_check::{CheckError, CheckPassed, DealerCheck, TEST_WAIT, TestCall, TestEnd};
pub use dispatcher::{Delivery, Dispatcher, TimedClaim};
pub use event_intake::{EventError, EventIntake, EventReceived};
pub use gatekeeper::{Gatekeeper, Refusal};
pub use intake::{Intake, IntakeError, Receival};
pub use key_administration::{KeyAdministration, KeyError, KeyOrder, MadeKey};
pub use logins::{Logins, SESSION_LIFETIME};
pub use lookups::{LookupError, Lookups};
pub use message_actions::{MessageActions, MessageError};
pub use services::{Policies, Ports, Services};
