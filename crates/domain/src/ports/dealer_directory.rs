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
}
