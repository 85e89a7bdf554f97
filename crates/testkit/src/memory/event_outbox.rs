//! The queue of deliveries to endpoints.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::endpoints::{
    ATTEMPTS_TOLD, DeliveryChange, DeliveryState, EVENT_LIFETIME, EndpointUrl, EventAttempt,
    EventSettlement,
};
use domain::ports::{EventLease, EventOutbox, EventRoom, EventSettled, EventTask, StoreError};

use super::MemoryStore;
use super::endpoints::{StoredDelivery, StoredEndpoint, Webhooks};
use super::state::between;

impl Webhooks {
    fn by_lease(&mut self, lease: &EventLease) -> Option<&mut StoredEndpoint> {
        let held =
            |it: &&mut StoredEndpoint| it.record.id == lease.endpoint && it.epoch == lease.epoch;
        self.endpoints.iter_mut().find(held)
    }

    /// The place of what is to be delivered next, and since when it is due.
    fn head(&self, endpoint: &StoredEndpoint) -> Option<(usize, DateTime<Utc>)> {
        let waiting = || {
            let all = self.deliveries.iter().enumerate();
            all.filter(|(_, it)| {
                it.endpoint == endpoint.record.id && it.record.state == DeliveryState::Pending
            })
        };
        let asked = waiting().filter_map(|(n, it)| Some((n, it.asked?.1)));
        let asked = asked.min_by_key(|(_, since)| *since);
        asked.or_else(|| {
            let due = waiting().filter(|_| endpoint.record.disabled_at.is_none());
            due.map(|(n, it)| (n, it.due)).min_by_key(|(_, due)| *due)
        })
    }

    fn lease(
        &mut self,
        n: usize,
        delivery: usize,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> EventTask {
        let endpoint = &mut self.endpoints[n];
        endpoint.epoch += 1;
        endpoint.lease_until = Some(until);
        let stored = &self.deliveries[delivery];
        EventTask {
            lease: EventLease {
                endpoint: endpoint.record.id,
                delivery: stored.record.id,
                epoch: endpoint.epoch,
            },
            url: EndpointUrl::stored(&endpoint.record.url),
            secret: Some(endpoint.secret.clone()),
            event: stored.event.clone(),
            failed: stored.failed,
            silent_for: between(endpoint.alive_at, now),
            is_failing: endpoint.failures > 0,
        }
    }
}

#[async_trait]
impl EventOutbox for MemoryStore {
    async fn take(&self, room: EventRoom, lease: Duration) -> Result<Vec<EventTask>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let webhooks = &mut state.webhooks;
        let free = webhooks.endpoints.iter().enumerate();
        let mut due: Vec<_> = free
            .filter(|(_, it)| it.is_free(now))
            .filter_map(|(n, it)| {
                let (delivery, since) = webhooks.head(it)?;
                (since <= now).then_some((it.failures > 0, since, it.record.id, n, delivery))
            })
            .collect();
        due.sort_unstable();
        let of = |failing: bool, room: usize| {
            let due = due
                .iter()
                .filter(move |(is_failing, ..)| *is_failing == failing);
            due.take(room)
        };
        let chosen: Vec<_> = of(false, room.healthy)
            .chain(of(true, room.failing))
            .collect();
        let taken = chosen
            .into_iter()
            .map(|(.., n, delivery)| webhooks.lease(*n, *delivery, now + lease, now));
        Ok(taken.collect())
    }

    async fn settle(
        &self,
        lease: &EventLease,
        settlement: &EventSettlement,
    ) -> Result<EventSettled, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let held = state.webhooks.by_lease(lease);
        let Some(endpoint) = held.filter(|it| it.lease_until.is_some_and(|until| until > now))
        else {
            return Ok(EventSettled::LeaseLost);
        };
        let answer = &settlement.answer;
        endpoint.lease_until = None;
        if answer.is_success() {
            endpoint.alive_at = now;
            endpoint.failures = 0;
        } else {
            endpoint.failures += 1;
        }
        if settlement.disables {
            endpoint.record.disabled_at.get_or_insert(now);
        }
        let mut all = state.webhooks.deliveries.iter_mut();
        if let Some(stored) = all.find(|it| it.record.id == lease.delivery) {
            stored.settle(lease, settlement, now);
        }
        Ok(EventSettled::Applied)
    }

    async fn give_back(&self, lease: &EventLease) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(endpoint) = state.webhooks.by_lease(lease) {
            endpoint.lease_until = None;
        }
        Ok(())
    }

    async fn next_event_due(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.now();
        let state = self.state();
        let webhooks = &state.webhooks;
        let moments = webhooks.endpoints.iter().filter_map(|it| {
            let (_, since) = webhooks.head(it)?;
            Some(it.lease_until.map_or(since, |until| since.max(until)))
        });
        Ok(moments.min().map(|next| between(now, next)))
    }

    async fn forget_old_deliveries(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let deliveries = &mut state.webhooks.deliveries;
        let before = deliveries.len();
        deliveries.retain(|it| between(it.record.created_at, now) < EVENT_LIFETIME);
        Ok((before - deliveries.len()) as u64)
    }
}

impl StoredDelivery {
    fn settle(&mut self, lease: &EventLease, settlement: &EventSettlement, now: DateTime<Utc>) {
        let answer = &settlement.answer;
        let record = &mut self.record;
        if record.attempts.len() >= ATTEMPTS_TOLD {
            record.attempts.remove(0);
        }
        record.attempts.push(EventAttempt {
            at: now,
            status: answer.status(),
            error: answer.error().map(|error| error.as_str().to_owned()),
        });
        // Asked for during this very attempt.
        if self.asked.is_some_and(|(epoch, _)| epoch >= lease.epoch) {
            return;
        }
        self.asked = None;
        if !answer.is_success() {
            self.failed += 1;
        }
        match settlement.change {
            DeliveryChange::Delivered => record.state = DeliveryState::Delivered,
            DeliveryChange::GivenUp => record.state = DeliveryState::GivenUp,
            DeliveryChange::Again { wait } => self.due = now + wait,
        }
        record.due_at = (record.state == DeliveryState::Pending).then_some(self.due);
    }
}
