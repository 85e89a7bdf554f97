use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ports::{ArrivalCount, ArrivalWindow, Arrivals, StoreError};

use super::MemoryStore;

#[async_trait]
impl Arrivals for MemoryStore {
    async fn arrivals(&self, window: &ArrivalWindow) -> Result<Vec<ArrivalCount>, StoreError> {
        let [first, settled, last] = window.ids();
        let state = self.state();
        let mut counts: BTreeMap<String, ArrivalCount> = BTreeMap::new();
        for request in state.requests.values() {
            let id = request.id.0;
            if id < first || id >= last {
                continue;
            }
            let dealer_id = &request.dealer_id;
            let count = counts
                .entry(dealer_id.clone())
                .or_insert_with(|| ArrivalCount {
                    dealer_id: dealer_id.clone(),
                    settled: 0,
                    all: 0,
                });
            count.all += 1;
            count.settled += u64::from(id < settled);
        }
        Ok(counts.into_values().collect())
    }
}
