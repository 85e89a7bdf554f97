//! The state of a running copy of the API.

use std::sync::Arc;

use actix_web::web::{Bytes, ServiceConfig};
use callers::{Keys, Limits};
use domain::ports::{AuditLog, Health, TestLine};
use domain::usecases::{
    Conversations, DataSubjectRequests, DealerAdministration, DealerCheck, EndpointAdministration,
    EventIntake, Gatekeeper, Intake, KeyAdministration, Lookups, MessageActions, Services,
    TemplateAdministration,
};
use domain::values::AccountPolicy;
use exports::Exports;

use crate::observe::{Observer, Unobserved};
use tokio::sync::Semaphore;

/// How many tables of bulk calls are in memory at once: one takes up to 8 MiB, and a workbook four times as
/// much when it is unpacked.
const MOST_TABLES: usize = 4;

/// The state that the routes share.
pub struct Api {
    /// Accepts submissions.
    pub(crate) intake: Arc<Intake>,
    /// Finds requests.
    pub(crate) lookups: Arc<Lookups>,
    /// Shows, resends and cancels messages.
    pub(crate) messages: Arc<MessageActions>,
    /// Shows replies and opt-outs, and changes these.
    pub(crate) conversations: Arc<Conversations>,
    /// Shows and changes endpoints of event webhooks.
    pub(crate) endpoints: Arc<EndpointAdministration>,
    /// Shows, saves, removes and tries out templates.
    pub(crate) templates: Arc<TemplateAdministration>,
    /// Takes in the provider's reports.
    pub(crate) events: Arc<EventIntake>,
    /// Checks dealers' accounts.
    pub(crate) check: Arc<DealerCheck>,
    /// Sends test messages.
    pub(crate) tests: Arc<dyn TestLine>,
    /// Shows dealers to operators and changes their settings.
    pub(crate) dealers: Arc<DealerAdministration>,
    /// Erases and exports personal data.
    pub(crate) subjects: Arc<DataSubjectRequests>,
    /// Which accounts can be used.
    pub(crate) accounts: AccountPolicy,
    /// The health of the adapters.
    pub(crate) health: Arc<dyn Health>,
    /// Authentication and limits.
    pub(crate) admission: Admission,
    /// The version of the program.
    pub(crate) version: &'static str,
    /// The files that are being made.
    pub(crate) exports: Arc<Exports>,
    /// Room for the tables of bulk calls that are in memory at once.
    pub(crate) bulk_bodies: Arc<Semaphore>,
    /// The observer.
    pub(crate) observer: Arc<dyn Observer>,
    /// What else is served.
    pub(crate) beside: Option<Beside>,
}

/// What another adapter serves in the same server, below a path of its own. Its calls get an id, a line in
/// the log and a count, and nothing else: who may call, and what a refusal looks like, is its own matter.
#[derive(Clone)]
pub struct Beside {
    /// The path, without a slash at its end. A browser that asks for `/` is sent there.
    pub path: &'static str,
    /// Tells actix about its routes.
    pub configure: Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>,
}

impl Beside {
    /// Whether a path is one of these.
    pub(crate) fn has(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.path);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The parts of the state besides the use cases.
pub struct ApiParts {
    /// Sends test messages.
    pub tests: Arc<dyn TestLine>,
    /// Which accounts can be used.
    pub accounts: AccountPolicy,
    /// The health of the adapters.
    pub health: Arc<dyn Health>,
    /// The audit.
    pub audit: Arc<dyn AuditLog>,
    /// Whether callers need keys.
    pub auth: Keys,
    /// The limits of callers.
    pub limits: Arc<Limits>,
    /// Makes files of lists.
    pub exports: Arc<Exports>,
    /// The version of the program.
    pub version: &'static str,
}

impl Api {
    /// A state without an observer.
    #[must_use]
    pub fn new(services: Services, parts: ApiParts) -> Self {
        let admission = Admission {
            auth: parts.auth,
            gatekeeper: services.gatekeeper,
            limits: parts.limits,
            keys: services.keys,
            audit: parts.audit,
        };
        Self {
            intake: services.intake,
            lookups: services.lookups,
            messages: services.messages,
            conversations: services.conversations,
            endpoints: services.endpoints,
            templates: services.templates,
            events: services.events,
            check: services.checks,
            tests: parts.tests,
            dealers: services.dealers,
            subjects: services.subjects,
            accounts: parts.accounts,
            health: parts.health,
            admission,
            version: parts.version,
            exports: parts.exports,
            bulk_bodies: Arc::new(Semaphore::new(MOST_TABLES)),
            observer: Arc::new(Unobserved),
            beside: None,
        }
    }

    /// The same with other pages below a path.
    #[must_use]
    pub fn beside(mut self, beside: Beside) -> Self {
        self.beside = Some(beside);
        self
    }

    /// The same with an observer.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }
}

/// The OpenAPI document, which all threads share.
#[derive(Clone)]
pub(crate) struct Document(pub(crate) Bytes);

/// Authentication, limits, and the use cases about them.
pub(crate) struct Admission {
    /// Whether callers need keys.
    pub(crate) auth: Keys,
    /// Authenticates keys.
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    /// The limits of callers.
    pub(crate) limits: Arc<Limits>,
    /// Creates, lists and revokes keys.
    pub(crate) keys: Arc<KeyAdministration>,
    /// The audit.
    pub(crate) audit: Arc<dyn AuditLog>,
}
