use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ports::{Confirmations, StoreError};
use domain::replies::{CONFIRMATION_TURN, Confirmation, Wish};
use domain::values::{DealerId, Phone};

use super::MemoryStore;
use super::state::{State, between};

/// A confirmation that is to be sent.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) id: i64,
    pub(super) dealer: DealerId,
    pub(super) phone: Phone,
    pub(super) wish: Wish,
    pub(super) due_at: DateTime<Utc>,
    pub(super) next_try: DateTime<Utc>,
    /// The epoch of the lease under which it is being called.
    pub(super) call_epoch: Option<i64>,
}

impl Unconfirmed {
    fn may_be_tried(&self, now: DateTime<Utc>) -> bool {
        self.call_epoch.is_none() && self.next_try <= now
    }
}

#[async_trait]
impl Confirmations for MemoryStore {
    async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError> {
        let now = self.now();
        let state = self.state();
        let all = &state.conversations.confirmations;
        let is_first = |it: &Unconfirmed| {
            let mut older = all.iter().take_while(|other| other.id < it.id);
            !older.any(|other| {
                (&other.dealer, &other.phone) == (&it.dealer, &it.phone)
                    && other.call_epoch.is_none()
            })
        };
        let mut due: Vec<&Unconfirmed> = all
            .iter()
            .filter(|it| it.may_be_tried(now) && is_first(it))
            .collect();
        due.sort_by_key(|it| (it.next_try, it.id));
        let mut dealers = HashSet::new();
        due.retain(|it| dealers.insert(&it.dealer));
        due.truncate(limit as usize);
        let shown = due.into_iter().map(|it| Confirmation {
            id: it.id,
            dealer: it.dealer.clone(),
            phone: it.phone.clone(),
            wish: it.wish,
            due_at: it.due_at,
            lane: state.lane_state(&it.dealer, now),
        });
        Ok(shown.collect())
    }

    async fn take(&self, confirmation: &Confirmation, epoch: i64) -> Result<bool, StoreError> {
        let all = &mut self.state().conversations.confirmations;
        all.retain(|it| {
            it.dealer != confirmation.dealer || it.call_epoch.is_none_or(|lost| lost >= epoch)
        });
        let waiting = all.iter_mut().find(|it| it.id == confirmation.id);
        let ours = waiting.filter(|it| it.call_epoch.is_none_or(|known| known == epoch));
        Ok(ours.map(|it| it.call_epoch = Some(epoch)).is_some())
    }

    async fn remove(&self, id: i64) -> Result<(), StoreError> {
        self.state()
            .conversations
            .confirmations
            .retain(|it| it.id != id);
        Ok(())
    }

    async fn put_off(&self, id: i64, wait: Duration, ages_after: bool) -> Result<(), StoreError> {
        let until = self.now() + wait;
        let all = &mut self.state().conversations.confirmations;
        let waiting = all.iter_mut().find(|it| it.id == id);
        if let Some(it) = waiting.filter(|it| it.call_epoch.is_none()) {
            it.next_try = until;
            it.due_at = if ages_after { until } else { it.due_at };
        }
        Ok(())
    }

    async fn put_back(&self, id: i64, epoch: i64, wait: Duration) -> Result<(), StoreError> {
        let until = self.now() + wait;
        let all = &mut self.state().conversations.confirmations;
        let marked = all.iter_mut().find(|it| it.id == id);
        if let Some(it) = marked.filter(|it| it.call_epoch == Some(epoch)) {
            it.call_epoch = None;
            it.next_try = until;
        }
        Ok(())
    }
}

impl State {
    /// Whether a lane leaves its next call to a confirmation.
    pub(super) fn leaves_turn(&self, dealer: &DealerId, now: DateTime<Utc>) -> bool {
        let mut all = self.conversations.confirmations.iter();
        all.any(|it| {
            it.dealer == *dealer
                && it.may_be_tried(now)
                && between(it.next_try, now) < CONFIRMATION_TURN
        })
    }
}
