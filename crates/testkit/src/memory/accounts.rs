use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{AccountBook, AccountProfile, KnownQuota, StoreError};
use domain::values::DealerId;

use super::MemoryStore;
use super::state::between;

#[async_trait]
impl AccountBook for MemoryStore {
    async fn take_due(
        &self,
        limit: usize,
        active: Duration,
        lease: Duration,
    ) -> Result<Vec<DealerId>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let with_endpoint: Vec<DealerId> = state.lanes.keys().cloned().collect();
        let with_endpoint: Vec<DealerId> = with_endpoint
            .into_iter()
            .filter(|dealer| state.has_endpoint(dealer))
            .collect();
        let mut due: Vec<_> = state
            .lanes
            .iter_mut()
            .filter(|(dealer, lane)| {
                lane.last_sent.is_some_and(|at| between(at, now) < active)
                    || with_endpoint.contains(dealer)
            })
            .filter(|(_, lane)| lane.profile_due.is_none_or(|due| due <= now))
            .collect();
        due.sort_by_key(|(_, lane)| lane.profile_due);
        let taken = due.into_iter().take(limit).map(|(dealer, lane)| {
            lane.profile_due = Some(now + lease);
            dealer.clone()
        });
        Ok(taken.collect())
    }

    async fn keep_profile(
        &self,
        dealer: &DealerId,
        profile: &AccountProfile,
        again: Duration,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.state();
        let lane = state.lanes.entry(dealer.clone()).or_default();
        if let Some(left) = profile.quota_left {
            lane.quota = Some(KnownQuota { left, at: now });
        }
        lane.expires_on = profile.expires_on.or(lane.expires_on);
        lane.profile_due = Some(now + again);
        Ok(())
    }
}
