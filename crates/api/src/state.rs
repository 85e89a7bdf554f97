//! The state of a running copy of the API.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use domain::ports::{AuditLog, Health, TestLine};
use domain::usecases::{
    DataSubjectRequests, DealerAdministration, DealerCheck, EventIntake, Gatekeeper, Intake,
    KeyAdministration, Lookups, MessageActions, Services, TemplateAdministration,
};
use domain::values::AccountPolicy;

use crate::exports::Exports;
use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::observe::{Observer, Unobserved};

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
    pub(crate) exports: Exports,
    /// Room for the tables of bulk calls that are in memory at once.
    pub(crate) bulk_bodies: Arc<Semaphore>,
    /// The observer.
    pub(crate) observer: Arc<dyn Observer>,
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
    pub auth: ApiAuth,
    /// The limits of callers.
    pub limits: Limits,
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
            exports: Exports::default(),
            bulk_bodies: Arc::new(Semaphore::new(MOST_TABLES)),
            observer: Arc::new(Unobserved),
        }
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

/// Whether callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiAuth {
    /// Every route that is not public needs one.
    Required,
    /// No route does. Only safe where no other machine or user reaches the port.
    Off {
        /// The address that the service listens on. The admin routes exist only where it is a loopback
        /// address, for callers on this machine.
        host: IpAddr,
        /// Whether the operator chose it. Where it is the default, no proxy is expected, and calls to another
        /// host name than this machine's are refused.
        said: bool,
    },
}

/// Authentication, limits, and the use cases about them.
pub(crate) struct Admission {
    /// Whether callers need keys.
    pub(crate) auth: ApiAuth,
    /// Authenticates keys.
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    /// The limits of callers.
    pub(crate) limits: Limits,
    /// Creates, lists and revokes keys.
    pub(crate) keys: Arc<KeyAdministration>,
    /// The audit.
    pub(crate) audit: Arc<dyn AuditLog>,
}
