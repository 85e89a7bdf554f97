use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::ports::AccountProfile;
use crate::values::DealerId;

/// The provider's last profiles of dealers' accounts.
///
/// Times are the store's, so that copies with different clocks agree.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccountBook: Send + Sync {
    /// Leases at most `limit` dealers whose profile is missing or due again, for `lease`: those with a message
    /// sent within `active`, and those with an enabled endpoint, which is told of a quota and a package's end.
    async fn take_due(
        &self,
        limit: usize,
        active: Duration,
        lease: Duration,
    ) -> Result<Vec<DealerId>, StoreError>;

    /// Stores a profile; values that it lacks stay. It is due again after `again`.
    async fn keep_profile(
        &self,
        dealer: &DealerId,
        profile: &AccountProfile,
        again: Duration,
    ) -> Result<(), StoreError>;
}
