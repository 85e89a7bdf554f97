use std::sync::Arc;

use super::{
    AccountWatch, Attention, Conversations, DataSubjectRequests, DealerAdministration, DealerCheck,
    Dispatcher, EndpointAdministration, EventDispatcher, EventIntake, Gatekeeper, Intake,
    KeyAdministration, Logins, Lookups, MessageActions, OptOutConfirmations,
    TemplateAdministration,
};
use crate::delivery::DeliveryPolicy;
use crate::endpoints::EndpointPolicy;
use crate::ports::{
    AccountBook, ApiKeys, Arrivals, AuditLog, Bell, Clock, Confirmations, DealerAdmin,
    DealerDirectory, Dice, Endpoints, Entropy, EventOutbox, EventSender, EventStore, Ids, Messages,
    OptOuts, Outbox, PersonalData, ProviderEvents, Replies, Reports, RequestStore, Sessions,
    TemplateBook, Troubles, Whatsapp, WorkerId,
};
use crate::values::AccountPolicy;

/// The adapters behind the use cases, one for each port. Tests replace single ones:
/// `Ports { reports: Arc::new(failing), ..world.ports() }`.
#[derive(Clone)]
pub struct Ports {
    /// Stores requests and finds them.
    pub requests: Arc<dyn RequestStore>,
    /// Lists and counts requests.
    pub reports: Arc<dyn Reports>,
    /// Shows, resends and cancels messages.
    pub messages: Arc<dyn Messages>,
    /// Leases lanes and settles claims.
    pub outbox: Arc<dyn Outbox>,
    /// Stores and applies provider events.
    pub events: Arc<dyn EventStore>,
    /// Lists what customers wrote back.
    pub replies: Arc<dyn Replies>,
    /// Knows who wants no messages.
    pub opt_outs: Arc<dyn OptOuts>,
    /// Keeps the confirmations that are to be sent.
    pub confirmations: Arc<dyn Confirmations>,
    /// Keeps the endpoints of event webhooks.
    pub endpoints: Arc<dyn Endpoints>,
    /// Leases endpoints and settles deliveries of events.
    pub event_outbox: Arc<dyn EventOutbox>,
    /// Posts events.
    pub event_sender: Arc<dyn EventSender>,
    /// Finds dealers.
    pub dealers: Arc<dyn DealerDirectory>,
    /// Shows dealers to operators and changes their settings.
    pub dealer_admin: Arc<dyn DealerAdmin>,
    /// Keeps the templates of dealers and of head office.
    pub templates: Arc<dyn TemplateBook>,
    /// Keeps what the provider says about accounts.
    pub accounts: Arc<dyn AccountBook>,
    /// Stores the fingerprints of API keys.
    pub api_keys: Arc<dyn ApiKeys>,
    /// Counts what comes in.
    pub arrivals: Arc<dyn Arrivals>,
    /// Finds dealers who may need somebody.
    pub troubles: Arc<dyn Troubles>,
    /// Keeps the sessions of people.
    pub sessions: Arc<dyn Sessions>,
    /// Stores the audit.
    pub audit: Arc<dyn AuditLog>,
    /// Erases and exports personal data.
    pub persons: Arc<dyn PersonalData>,
    /// Calls the provider.
    pub whatsapp: Arc<dyn Whatsapp>,
    /// Parses provider events.
    pub provider_events: Arc<dyn ProviderEvents>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ids of new requests and messages.
    pub ids: Arc<dyn Ids>,
    /// Randomness for jitter.
    pub dice: Arc<dyn Dice>,
    /// Randomness for secrets.
    pub entropy: Arc<dyn Entropy>,
    /// Wakes the dispatcher.
    pub lane_bell: Arc<dyn Bell>,
    /// Wakes the loop that applies events.
    pub event_bell: Arc<dyn Bell>,
    /// Wakes the loop that posts events to endpoints.
    pub outgoing_bell: Arc<dyn Bell>,
}

/// The operator's policies for the use cases.
#[derive(Debug, Clone)]
pub struct Policies {
    /// Which addresses accounts may have.
    pub accounts: AccountPolicy,
    /// How messages are delivered.
    pub delivery: DeliveryPolicy,
    /// Which addresses endpoints may have.
    pub endpoints: EndpointPolicy,
    /// The id of this copy of the service.
    pub worker: WorkerId,
}

/// All use cases over the same ports, wired here and nowhere else.
#[derive(Clone)]
pub struct Services {
    /// Accepts submissions.
    pub intake: Arc<Intake>,
    /// Finds requests.
    pub lookups: Arc<Lookups>,
    /// Shows, resends and cancels messages.
    pub messages: Arc<MessageActions>,
    /// Stores and applies provider events.
    pub events: Arc<EventIntake>,
    /// Confirms opting out and in.
    pub confirmations: Arc<OptOutConfirmations>,
    /// Shows replies and opt-outs.
    pub conversations: Arc<Conversations>,
    /// Shows and changes endpoints of event webhooks.
    pub endpoints: Arc<EndpointAdministration>,
    /// Posts events to endpoints.
    pub event_dispatcher: Arc<EventDispatcher>,
    /// Shows dealers and changes their settings.
    pub dealers: Arc<DealerAdministration>,
    /// Shows, saves, removes and tries out templates.
    pub templates: Arc<TemplateAdministration>,
    /// Makes, lists and revokes API keys.
    pub keys: Arc<KeyAdministration>,
    /// Authenticates callers.
    pub gatekeeper: Arc<Gatekeeper>,
    /// Finds what needs somebody right now.
    pub attention: Arc<Attention>,
    /// Lets people in to the console.
    pub logins: Arc<Logins>,
    /// Erases and exports personal data.
    pub subjects: Arc<DataSubjectRequests>,
    /// Checks accounts on request.
    pub checks: Arc<DealerCheck>,
    /// Reads the profiles of accounts, once a day.
    pub accounts: Arc<AccountWatch>,
    /// Delivers messages.
    pub dispatcher: Arc<Dispatcher>,
}

impl Services {
    /// The use cases over these ports.
    #[must_use]
    pub fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            intake: Arc::new(Intake::new(ports, policies)),
            lookups: Arc::new(Lookups::new(ports)),
            messages: Arc::new(MessageActions::new(ports, policies)),
            events: Arc::new(EventIntake::new(ports, policies)),
            confirmations: Arc::new(OptOutConfirmations::new(ports, policies)),
            conversations: Arc::new(Conversations::new(ports)),
            endpoints: Arc::new(EndpointAdministration::new(ports, policies)),
            event_dispatcher: Arc::new(EventDispatcher::new(ports)),
            dealers: Arc::new(DealerAdministration::new(ports, policies)),
            templates: Arc::new(TemplateAdministration::new(ports, policies)),
            keys: Arc::new(KeyAdministration::new(ports)),
            gatekeeper: Arc::new(Gatekeeper::new(ports)),
            attention: Arc::new(Attention::new(ports)),
            logins: Arc::new(Logins::new(ports)),
            subjects: Arc::new(DataSubjectRequests::new(ports, policies)),
            checks: Arc::new(DealerCheck::new(ports, policies)),
            accounts: Arc::new(AccountWatch::new(ports, policies)),
            dispatcher: Arc::new(Dispatcher::new(ports, policies)),
        }
    }
}
