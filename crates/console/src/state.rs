use std::sync::Arc;

use callers::{Keys, Limits, Places};
use domain::ports::{AuditLog, Clock, Health, TestLine};
use domain::usecases::Services;
use domain::values::{AccountPolicy, PublicBaseUrl};
use exports::Exports;
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::pages::import;

/// What the pages need.
pub struct Console {
    pub(crate) services: Services,
    pub(crate) parts: ConsoleParts,
    /// Places for the tables that are imported at once.
    pub(crate) imports: Places,
    /// What those are told who look.
    pub(crate) live: Arc<Live>,
}

/// What the pages need besides the use cases.
pub struct ConsoleParts {
    /// Sends test messages.
    pub tests: Arc<dyn TestLine>,
    /// Which accounts can be used.
    pub accounts: AccountPolicy,
    /// The health of what the service stands on.
    pub health: Arc<dyn Health>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether callers need keys.
    pub keys: Keys,
    /// How much callers may ask for; shared with the API.
    pub limits: Arc<Limits>,
    /// Makes files of lists; shared with the API.
    pub exports: Arc<Exports>,
    /// How the service is reached from outside.
    pub public_base_url: PublicBaseUrl,
    /// Cancelled when the service stops: streams end then.
    pub stop: CancellationToken,
    /// The version of the program.
    pub version: &'static str,
}

impl Console {
    /// The pages over these use cases.
    #[must_use]
    pub fn new(services: Services, parts: ConsoleParts) -> Self {
        let (lookups, clock) = (services.lookups.clone(), parts.clock.clone());
        Self {
            live: Arc::new(Live::new(lookups, clock, parts.stop.clone())),
            services,
            parts,
            imports: Places::new(import::AT_ONCE, import::OF_A_VISITOR),
        }
    }
}
