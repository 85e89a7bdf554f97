//! What a copy of the API knows while it runs.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::web::Bytes;
use domain::{
    AccountPolicy, AuditLog, DealerCheck, DealerDesk, EventDesk, Gatekeeper, Health, Intake,
    KeyDesk, Lookups, MessageDesk, PersonDesk, TestLine,
};

use crate::limits::Limits;
use crate::observe::{Observer, Unobserved};

/// What the routes need.
pub struct Api {
    /// Takes submissions in.
    pub intake: Arc<Intake>,
    /// Answers questions about stored requests.
    pub lookups: Arc<Lookups>,
    /// Shows, repeats and stops messages.
    pub messages: Arc<MessageDesk>,
    /// Takes in the provider's reports.
    pub events: Arc<EventDesk>,
    /// Checks dealers' accounts.
    pub check: Arc<DealerCheck>,
    /// Sends test messages.
    pub tests: Arc<dyn TestLine>,
    /// Shows dealers to operators and changes their settings.
    pub desk: Arc<DealerDesk>,
    /// Erases persons and shows what is stored about them.
    pub persons: Arc<PersonDesk>,
    /// Which accounts can be used.
    pub accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub health: Arc<dyn Health>,
    /// Who may call.
    pub admission: Admission,
    /// The version of the program.
    pub version: &'static str,
    /// Who watches.
    pub(crate) observer: Arc<dyn Observer>,
}

impl Api {
    /// What the routes need; nobody watches.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "every use case of the routes, each named once"
    )]
    pub fn new(
        intake: Arc<Intake>,
        lookups: Arc<Lookups>,
        messages: Arc<MessageDesk>,
        events: Arc<EventDesk>,
        check: Arc<DealerCheck>,
        tests: Arc<dyn TestLine>,
        desk: Arc<DealerDesk>,
        persons: Arc<PersonDesk>,
        accounts: AccountPolicy,
        health: Arc<dyn Health>,
        admission: Admission,
        version: &'static str,
    ) -> Self {
        Self {
            intake,
            lookups,
            messages,
            events,
            check,
            tests,
            desk,
            persons,
            accounts,
            health,
            admission,
            version,
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
pub struct Admission {
    /// Whether callers need keys.
    pub auth: ApiAuth,
    /// Knows their keys.
    pub gatekeeper: Arc<Gatekeeper>,
    /// How much callers may ask for.
    pub limits: Limits,
    /// Makes, lists and revokes keys.
    pub keys: Arc<KeyDesk>,
    /// What was done by whom. Where a use case does not write it: one call of
    /// [`AuditLog::record`] with `Caller::author`, before the answer.
    pub audit: Arc<dyn AuditLog>,
}
