//! What the use cases need from the outside. Each port is a small object-safe trait; "not found" is an
//! answer, not an error, and a method is a transaction.

mod account_book;
mod api_keys;
mod arrivals;
mod audit_log;
mod dealer_admin;
mod dealer_directory;
mod endpoints;
mod entropy;
mod event_outbox;
mod event_store;
mod health;
mod messages;
mod outbox;
mod personal_data;
mod replies;
mod reports;
mod request_store;
mod sessions;
mod surroundings;
mod template_book;
mod test_line;
mod troubles;
mod vault;
mod whatsapp;

pub use account_book::AccountBook;
pub use api_keys::{ApiKeyRecord, ApiKeys, KnownKey, NewApiKey, Validity};
pub use arrivals::{ArrivalCount, ArrivalWindow, Arrivals};
pub use audit_log::AuditLog;
pub use dealer_admin::{
    DealerAdmin, DealerPage, DealerRecord, KeySource, KnownQuota, LaneView, SettingsChanged,
};
pub use dealer_directory::DealerDirectory;
pub use endpoints::{EndpointCreated, Endpoints};
pub use entropy::Entropy;
pub use event_outbox::{EventLease, EventOutbox, EventRoom, EventSender, EventSettled, EventTask};
pub use event_store::{EventStore, EventsApplied, ProviderEvents};
pub use health::{Backlog, Check, Health};
pub use messages::{Cancelled, Messages, Resent};
pub use outbox::{
    Attempt, BlockedLane, CallEnd, Claim, Lease, Outbox, OutboxMessage, Settled, Settlement, Task,
    WorkerId,
};
pub use personal_data::PersonalData;
pub use replies::{Confirmations, OptOuts, OptedOut, Replies, RepliesOf};
pub use reports::{
    DateRange, DealerStats, DealerTally, ExportPart, ExportQuery, Facts, ListPlace, NewestPage,
    NewestQuery, Page, PageQuery, Reports, RequestFilter, SecondsFact, Tally,
};
pub use request_store::{Accepted, KeyUse, RequestStore};
pub use sessions::Sessions;
pub use surroundings::{Bell, Clock, Dice, Ids};
pub use template_book::{
    MAX_TEMPLATES, Precondition, RecentRequest, SeenTemplate, TemplateBook, TemplateRecord,
    TemplateRemoved, TemplateSaved, TemplateVersion, VERSIONS_TOLD,
};
pub use test_line::TestLine;
pub use troubles::{DealerTrouble, Troubles};
pub use vault::{SEALED, SecretPurpose, Vault, VaultError};
pub use whatsapp::{AccountProfile, DeviceReport, OutgoingMessage, SendReport, Whatsapp};

#[cfg(feature = "testing")]
pub use {
    account_book::MockAccountBook,
    api_keys::MockApiKeys,
    arrivals::MockArrivals,
    audit_log::MockAuditLog,
    dealer_admin::MockDealerAdmin,
    dealer_directory::MockDealerDirectory,
    endpoints::MockEndpoints,
    entropy::MockEntropy,
    event_outbox::{MockEventOutbox, MockEventSender},
    event_store::{MockEventStore, MockProviderEvents},
    health::MockHealth,
    messages::MockMessages,
    outbox::MockOutbox,
    personal_data::MockPersonalData,
    replies::{MockConfirmations, MockOptOuts, MockReplies},
    reports::MockReports,
    request_store::MockRequestStore,
    sessions::MockSessions,
    surroundings::{MockBell, MockClock, MockDice, MockIds},
    template_book::MockTemplateBook,
    test_line::MockTestLine,
    troubles::MockTroubles,
    vault::MockVault,
    whatsapp::MockWhatsapp,
};

/// The source of an error, kept for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The texts of an error's sources, the nearest first; empty without a source.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    let words: Vec<String> = sources.map(ToString::to_string).collect();
    words.join(": ")
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is down, overloaded or too slow; try again later. The outcome of a write is unknown.
    #[error("the store is not available")]
    Unavailable(#[source] BoxError),
    /// The store holds an unreadable value; trying again will not help.
    #[error("the store holds a row that cannot be read")]
    Corrupt(#[source] BoxError),
    /// The store refused the write and did nothing. Trying again will not help before the store is changed: a
    /// narrow column, another team's rule, a missing right.
    #[error("the store refuses this")]
    Rejected(#[source] BoxError),
}

impl StoreError {
    /// A copy of the error for one more waiting caller; of its source, only the text.
    #[must_use]
    pub fn again(&self) -> Self {
        let words = |source: &BoxError| BoxError::from(source.to_string());
        match self {
            Self::Unavailable(source) => Self::Unavailable(words(source)),
            Self::Corrupt(source) => Self::Corrupt(words(source)),
            Self::Rejected(source) => Self::Rejected(words(source)),
        }
    }
}
