use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::NaiveDate;
use domain::access::Visibility;
use domain::ports::{DealerTrouble, StoreError, Troubles};
use domain::requests::MessageState;

use super::MemoryStore;

#[async_trait]
impl Troubles for MemoryStore {
    async fn troubles(
        &self,
        seen: &Visibility,
        low_quota: u64,
        ends_by: NaiveDate,
    ) -> Result<Vec<DealerTrouble>, StoreError> {
        let now = self.now();
        let state = self.state();
        let senders = state.messages.values().map(|message| &message.dealer_id);
        let dealers: BTreeSet<_> = senders.chain(state.lanes.keys()).collect();
        let mut found = Vec::new();
        for dealer in dealers.into_iter().filter(|dealer| seen.includes(dealer)) {
            let lane = state.lanes.get(dealer);
            let of_dealer = || {
                state
                    .messages
                    .iter()
                    .filter(|(_, it)| it.dealer_id == *dealer)
            };
            let due: Vec<_> = of_dealer()
                .filter(|(_, it)| it.state == MessageState::Queued && it.due <= now)
                .map(|(_, it)| it.due)
                .collect();
            let unknown = of_dealer()
                .filter(|(_, it)| it.state == MessageState::Unknown)
                .filter(|(id, it)| {
                    let newest = state.message_of(it.request_id);
                    newest.is_some_and(|(newest, _)| newest == **id)
                })
                .count();
            let blocked = lane.filter(|lane| lane.history.blocks > 0);
            let oldest = due.iter().min().copied();
            let moments = lane.map(|lane| (lane.aging_from, lane.rest_until, lane.last_sent));
            let own = state.dealers.get(dealer);
            let own = own.and_then(|dealer| dealer.settings.quota_low_at);
            let quota_low_at = own.map_or(low_quota, u64::from);
            let trouble = DealerTrouble {
                quota_low_at,
                dealer_id: dealer.clone(),
                dealer_name: state.dealers.get(dealer).map(|dealer| dealer.name.clone()),
                blocked_since: blocked.and_then(|lane| lane.blocked_since),
                block_reason: blocked.and_then(|lane| lane.block_reason.clone()),
                quota: lane.and_then(|lane| lane.quota),
                expires_on: lane.and_then(|lane| lane.expires_on),
                waiting: due.len() as u64,
                oldest_due_at: oldest,
                stands_since: oldest.map(|oldest| match moments {
                    Some((aging, rest, sent)) => {
                        oldest.max(aging).max(rest).max(sent.unwrap_or(oldest))
                    }
                    None => oldest,
                }),
                unknown: unknown as u64,
            };
            let is_low = trouble.quota.is_some_and(|quota| quota.left < quota_low_at);
            let ends = trouble.expires_on.is_some_and(|day| day <= ends_by);
            if blocked.is_some() || is_low || ends || trouble.waiting > 0 || unknown > 0 {
                found.push(trouble);
            }
        }
        Ok(found)
    }
}
