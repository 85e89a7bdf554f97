use async_trait::async_trait;

use super::StoreError;
use crate::dealers::Dealer;
use crate::values::DealerId;

/// The dealers and their settings. A change is seen within 30 seconds.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait DealerDirectory: Send + Sync {
    /// The dealer of that number, active or not.
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError>;

    /// The same as it is in the store now, for what is rarely asked.
    async fn find_now(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError>;

    /// The same as it was in the store at most a second ago, for a caller who names something that the found
    /// dealer has not. However many ask, the store is read once a second for a dealer.
    async fn find_again(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError>;
}
