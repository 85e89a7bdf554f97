use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use super::{KnownQuota, StoreError};
use crate::access::Visibility;
use crate::values::DealerId;

/// What is known of a dealer who may need somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealerTrouble {
    /// The dealer.
    pub dealer_id: DealerId,
    /// Its name; absent for one that is gone.
    pub dealer_name: Option<String>,
    /// Since when its account has been blocked.
    pub blocked_since: Option<DateTime<Utc>>,
    /// What the provider said then.
    pub block_reason: Option<String>,
    /// What is left of its quota.
    pub quota: Option<KnownQuota>,
    /// Below how many messages left that is low, for this dealer.
    pub quota_low_at: u64,
    /// The last day of its package.
    pub expires_on: Option<NaiveDate>,
    /// How many messages are due.
    pub waiting: u64,
    /// When the first of these was due.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// Since when nothing was sent though that might have been: it was due, no rest was on, and no other
    /// message was sent. In the future during a rest; absent where nothing is due.
    pub stands_since: Option<DateTime<Utc>>,
    /// How many requests wait for a person: the outcome of their newest message is unknown.
    pub unknown: u64,
}

/// Finds whoever may need somebody. What of it is trouble, and what comes first, is decided by
/// [`Attention`](crate::usecases::Attention).
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Troubles: Send + Sync {
    /// The dealers whose account is blocked, has fewer messages left than their settings say (or `low_quota`,
    /// where these say nothing), or ends by that day, who have messages that are due, or requests that wait for
    /// a person.
    async fn troubles(
        &self,
        seen: &Visibility,
        low_quota: u64,
        ends_by: NaiveDate,
    ) -> Result<Vec<DealerTrouble>, StoreError>;
}
