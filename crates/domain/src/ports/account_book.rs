use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::ports::AccountProfile;
use crate::values::DealerId;

/// What the provider last said about dealers' accounts.
///
/// Times are the store's: copies on machines whose clocks differ agree all the same.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccountBook: Send + Sync {
    /// Takes at most `limit` dealers whose profile is due: one that sent a message within `active`, and
    /// whose profile was never kept, or is to be asked for again by now. Nobody else gets them within
    /// `lease`.
    async fn take_due(
        &self,
        limit: usize,
        active: Duration,
        lease: Duration,
    ) -> Result<Vec<DealerId>, StoreError>;

    /// Keeps what a profile says; what it does not say stays. It is due again after `again`.
    async fn keep_profile(
        &self,
        dealer: &DealerId,
        profile: &AccountProfile,
        again: Duration,
    ) -> Result<(), StoreError>;
}
