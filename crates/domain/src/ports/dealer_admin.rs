use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use super::StoreError;
use crate::access::AuditEntry;
use crate::dealers::Dealer;
use crate::settings::{SettingFaults, SettingsChange};
use crate::values::{DealerId, WebhookToken};

/// Whose table says the key of a dealer's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// Our settings.
    Settings,
    /// `dealer_integration.dealers`.
    Dealers,
}

/// Why a dealer's lane sends nothing now, and what is known of its account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneView {
    /// Since when the breaker has been open.
    pub blocked_since: Option<DateTime<Utc>>,
    /// What the provider said then.
    pub block_reason: Option<String>,
    /// Until when the lane rests; absent when it does not.
    pub resting_until: Option<DateTime<Utc>>,
    /// What is left of the account's quota; absent when the provider has not said so.
    pub quota: Option<KnownQuota>,
    /// The last day of the account's package; absent when the provider has not said so.
    pub expires_on: Option<NaiveDate>,
}

/// What the provider last said about a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownQuota {
    /// How many messages are left.
    pub left: u64,
    /// When it said so.
    pub at: DateTime<Utc>,
}

/// A dealer as an operator sees it.
#[derive(Debug, Clone)]
pub struct DealerRecord {
    /// The dealer, with its settings in force.
    pub dealer: Dealer,
    /// Where the key comes from; absent when there is none.
    pub key_source: Option<KeySource>,
    /// The address of our settings alone.
    pub own_api_url: Option<String>,
    /// Whether our settings have a webhook secret, be it one that cannot be opened.
    pub webhook_secret_set: bool,
    /// The token of the webhook addresses; absent when it is sealed and cannot be opened.
    pub webhook_token: Option<WebhookToken>,
    /// The dealer's lane.
    pub lane: LaneView,
}

/// One page of dealers.
#[derive(Debug, Clone)]
pub struct DealerPage {
    /// The dealers, by number.
    pub items: Vec<DealerRecord>,
    /// How many dealers all pages have together.
    pub total: u64,
}

/// What became of a change of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsChanged {
    /// It is made.
    Made,
    /// No dealer has that number.
    UnknownDealer,
    /// Together with what is stored it breaks rules; nothing was changed.
    Invalid(SettingFaults),
}

/// Dealers as an operator sees and changes them; inactive ones, too.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait DealerAdmin: Send + Sync {
    /// Whether secrets can be kept, which they are only sealed.
    fn keeps_secrets(&self) -> bool;

    /// The dealers of a page, from 1, by number. Those who have no webhook token yet get one.
    async fn page(&self, page: u64, page_size: u32) -> Result<DealerPage, StoreError>;

    /// One dealer; it gets a webhook token if it has none yet.
    async fn record(&self, id: &DealerId) -> Result<Option<DealerRecord>, StoreError>;

    /// Changes a dealer's settings, all or nothing: what is changed at the same moment is not
    /// undone, and what is stored then completes it. In force on every copy within 5 seconds, and at
    /// once for whoever asks the same adapter. The entry is written into the audit with it; what is
    /// not changed is not noted.
    async fn change(
        &self,
        id: &DealerId,
        change: &SettingsChange,
        entry: &AuditEntry,
    ) -> Result<SettingsChanged, StoreError>;
}
