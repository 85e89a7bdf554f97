use std::sync::Arc;

use callers::{Keys, Limits};
use domain::ports::{AuditLog, Clock, Health, TestLine};
use domain::usecases::Services;
use domain::values::{AccountPolicy, PublicBaseUrl};

/// What the pages need.
pub struct Console {
    pub(crate) services: Services,
    pub(crate) parts: ConsoleParts,
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
    /// How the service is reached from outside.
    pub public_base_url: PublicBaseUrl,
    /// The version of the program.
    pub version: &'static str,
}

impl Console {
    /// The pages over these use cases.
    #[must_use]
    pub fn new(services: Services, parts: ConsoleParts) -> Self {
        Self { services, parts }
    }
}
