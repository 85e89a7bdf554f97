use async_trait::async_trait;
use domain::{Dealer, DealerDirectory, DealerId, StoreError};

use super::MemoryStore;

#[async_trait]
impl DealerDirectory for MemoryStore {
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        Ok(self.state().dealers.get(id).cloned())
    }
}
