use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use super::StoreError;
use crate::access::AuditEntry;
use crate::dealers::Dealer;
use crate::settings::{SettingFaults, SettingsChange};
use crate::values::{DealerId, WebhookToken};

named! {
    /// The table that holds the key of a dealer's account.
    pub enum KeySource {
        /// Our settings.
        Settings = "settings",
        /// `dealer_integration.dealers`.
        Dealers = "dealers",
    }
}

/// Why a dealer's lane is paused, and what is known of its account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneView {
    /// When the breaker opened.
    pub blocked_since: Option<DateTime<Utc>>,
    /// The provider's text then.
    pub block_reason: Option<String>,
    /// The end of the lane's rest; absent when it does not rest.
    pub resting_until: Option<DateTime<Utc>>,
    /// The account's quota; absent when the provider has not reported it.
    pub quota: Option<KnownQuota>,
    /// The last day of the account's package; absent when the provider has not reported it.
    pub expires_on: Option<NaiveDate>,
}

/// The provider's last report of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownQuota {
    /// Messages left.
    pub left: u64,
    /// The time of the report.
    pub at: DateTime<Utc>,
}

/// A dealer as an operator sees it.
#[derive(Debug, Clone)]
pub struct DealerRecord {
    /// The dealer, with its settings in force.
    pub dealer: Dealer,
    /// The table of the key; absent without a key.
    pub key_source: Option<KeySource>,
    /// The address in our settings.
    pub own_api_url: Option<String>,
    /// Whether our settings hold a webhook secret, even one that cannot be opened.
    pub webhook_secret_set: bool,
    /// The token of the webhook addresses; absent when it cannot be opened.
    pub webhook_token: Option<WebhookToken>,
    /// The dealer's lane.
    pub lane: LaneView,
}

/// One page of dealers.
#[derive(Debug, Clone)]
pub struct DealerPage {
    /// The dealers, by number.
    pub items: Vec<DealerRecord>,
    /// The number of dealers on all pages.
    pub total: u64,
}

/// The result of a change of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsChanged {
    /// The change is made.
    Made,
    /// No dealer has that number.
    UnknownDealer,
    /// The change and the stored settings together break rules; nothing was changed.
    Invalid(SettingFaults),
}

/// Dealers for operators, inactive ones included.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait DealerAdmin: Send + Sync {
    /// Whether secrets can be stored: they are only stored sealed.
    fn keeps_secrets(&self) -> bool;

    /// The dealers of a page, from 1, by number. A dealer without a webhook token gets one.
    async fn page(&self, page: u64, page_size: u32) -> Result<DealerPage, StoreError>;

    /// One dealer; it gets a webhook token if it has none.
    async fn record(&self, id: &DealerId) -> Result<Option<DealerRecord>, StoreError>;

    /// Changes a dealer's settings, all or nothing, with the audit entry. Concurrent changes of other
    /// settings stay, and stored values complete the change. In force on every copy within 5 seconds, and at
    /// once for readers of the same adapter. A refused change has no entry.
    async fn change(
        &self,
        id: &DealerId,
        change: &SettingsChange,
        entry: &AuditEntry,
    ) -> Result<SettingsChanged, StoreError>;
}
