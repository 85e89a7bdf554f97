//! What the service does, as plain verbs over the ports.

mod account_watch;
mod attention;
mod conversations;
mod data_subject_requests;
mod dealer_administration;
mod dealer_check;
mod dispatcher;
mod endpoint_administration;
mod event_dispatcher;
mod event_intake;
mod gatekeeper;
mod intake;
mod key_administration;
mod logins;
mod lookups;
mod message_actions;
mod opt_out_confirmations;
mod resend_order;
mod services;
mod template_administration;

pub use account_watch::AccountWatch;
pub use attention::{Attention, Concern, ConcernKind, LATE};
pub use conversations::Conversations;
pub use data_subject_requests::DataSubjectRequests;
pub use dealer_administration::{DealerAdministration, DealerAdministrationError};
pub use dealer_check::{CheckError, CheckPassed, DealerCheck, TEST_WAIT, TestCall, TestEnd};
pub use dispatcher::{Delivery, Dispatcher, TimedClaim};
pub use endpoint_administration::{EndpointAdministration, EndpointError, MadeEndpoint};
pub use event_dispatcher::{EventDelivery, EventDispatcher};
pub use event_intake::{EventError, EventIntake, EventReceived};
pub use gatekeeper::{Gatekeeper, Refusal};
pub use intake::{BLOCK, BulkCall, BulkRow, Intake, IntakeError, Receival, RowAnswer, RowReceival};
pub use key_administration::{KeyAdministration, KeyError, KeyOrder, MadeKey};
pub use logins::{Logins, SESSION_LIFETIME};
pub use lookups::{LookupError, Lookups};
pub use message_actions::{MessageActions, MessageError};
pub use opt_out_confirmations::{ConfirmationCall, ConfirmationEnd, OptOutConfirmations};
pub use resend_order::{Reordered, ResendOrder};
pub use services::{Policies, Ports, Services};
pub use template_administration::{
    Preview, PreviewSample, Rendering, TemplateAdministration, TemplateError, TemplateHistory,
    TemplateView,
};
