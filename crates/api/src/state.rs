//! What a copy of the API knows while it runs.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use domain::ports::{AuditLog, Health, TestLine};
use domain::usecases::{
    DataSubjectRequests, DealerAdministration, DealerCheck, EventIntake, Gatekeeper, Intake,
    KeyAdministration, Lookups, MessageActions, Services,
};
use domain::values::AccountPolicy;

use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::observe::{Observer, Unobserved};

/// How many tables of bulk calls are in memory at once: one takes up to 8 MiB, and a workbook four times as
/// much when it is unpacked.
const MOST_TABLES: usize = 4;

/// What the routes need.
pub struct Api {
    /// Takes submissions in.
    pub(crate) intake: Arc<Intake>,
    /// Answers questions about stored requests.
    pub(crate) lookups: Arc<Lookups>,
    /// Shows, repeats and stops messages.
    pub(crate) messages: Arc<MessageActions>,
    /// Takes in the provider's reports.
    pub(crate) events: Arc<EventIntake>,
    /// Checks dealers' accounts.
    pub(crate) check: Arc<DealerCheck>,
    /// Sends test messages.
    pub(crate) tests: Arc<dyn TestLine>,
    /// Shows dealers to operators and changes their settings.
    pub(crate) dealers: Arc<DealerAdministration>,
    /// Erases persons and shows what is stored about them.
    pub(crate) subjects: Arc<DataSubjectRequests>,
    /// Which accounts can be used.
    pub(crate) accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub(crate) health: Arc<dyn Health>,
    /// Who may call.
    pub(crate) admission: Admission,
    /// The version of the program.
    pub(crate) version: &'static str,
    /// Room for the tables of bulk calls that are in memory at once.
    pub(crate) bulk_bodies: Arc<Semaphore>,
    /// Who watches.
    pub(crate) observer: Arc<dyn Observer>,
}

/// What the routes need besides the use cases.
pub struct ApiParts {
    /// Sends test messages.
    pub tests: Arc<dyn TestLine>,
    /// Which accounts can be used.
    pub accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub health: Arc<dyn Health>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// Whether callers need keys.
    pub auth: ApiAuth,
    /// How much callers may ask for.
    pub limits: Limits,
    /// The version of the program.
    pub version: &'static str,
}

impl Api {
    /// What the routes need; nobody watches.
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
            events: services.events,
            check: services.checks,
            tests: parts.tests,
            dealers: services.dealers,
            subjects: services.subjects,
            accounts: parts.accounts,
            health: parts.health,
            admission,
            version: parts.version,
            bulk_bodies: Arc::new(Semaphore::new(MOST_TABLES)),
            observer: Arc::new(Unobserved),
        }
    }

    /// The same, watched.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }
}

/// The OpenAPI document, which all threads share.
#[derive(Clone)]
pub(crate) struct Document(pub(crate) Bytes);

/// Whether callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiAuth {
    /// Every route that is not for everybody wants one.
    Required,
    /// Nobody does. Only sensible where nobody else reaches the port.
    Off {
        /// The address that the service listens on. The routes below `/api/v1/admin` exist only where it
        /// is a loopback one, for callers on this machine.
        host: IpAddr,
        /// Whether the operator said so. Where it is only the default, no proxy is expected, and calls to
        /// other names than this machine's own are refused.
        said: bool,
    },
}

/// What the routes need to know about callers.
pub(crate) struct Admission {
    /// Whether callers need keys.
    pub(crate) auth: ApiAuth,
    /// Knows their keys.
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    /// How much callers may ask for.
    pub(crate) limits: Limits,
    /// Makes, lists and revokes keys.
    pub(crate) keys: Arc<KeyAdministration>,
    /// What was done by whom.
    pub(crate) audit: Arc<dyn AuditLog>,
}
