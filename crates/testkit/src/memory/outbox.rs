use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::delivery::{LaneHistory, MessageChange, expired, too_old_before};
use domain::ports::{
    BlockedLane, Claim, Lease, Outbox, OutboxMessage, Settled, Settlement, StoreError, Task,
    WorkerId,
};
use domain::requests::{MessageId, MessageState};
use domain::values::{DealerId, jakarta_time};

use super::MemoryStore;
use super::state::{Lane, Message, State, between};

#[async_trait]
impl Outbox for MemoryStore {
    async fn claim(
        &self,
        _worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let mut jobs: Vec<_> = state
            .dealers_with_open_messages()
            .into_iter()
            .filter_map(|dealer| Some((state.job(&dealer, now)?, dealer)))
            .collect();
        jobs.sort_by_key(|((_, message), _)| state.messages[message].turn(*message));
        jobs.truncate(limit);
        Ok(jobs
            .into_iter()
            .map(|((job, message), dealer)| state.start(job, message, dealer, now, lease))
            .collect())
    }

    async fn begin_call(
        &self,
        dealer: &DealerId,
        _worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let empty = state.message_in_lane(dealer).is_none();
        let lane = state.lanes.entry(dealer.clone()).or_default();
        let troubled = empty && lane.history != LaneHistory::default();
        if !lane.is_free(now) || !(lane.is_ready(now) || troubled) {
            return Ok(None);
        }
        lane.unaccounted += 1;
        lane.count_call(jakarta_time(now).date());
        Ok(Some(Lease {
            dealer_id: dealer.clone(),
            epoch: lane.lease(now + lease),
        }))
    }

    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError> {
        let now = self.now();
        Ok(self.state().settle(lease, settlement, now))
    }

    async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
        _worker: WorkerId,
        next_lease: Duration,
    ) -> Result<(Settled, Option<Claim>), StoreError> {
        let now = self.now();
        let mut state = self.state();
        let settled = state.settle(lease, settlement, now);
        if settled == Settled::LeaseLost || !settlement.frees_lane() {
            return Ok((settled, None));
        }
        let dealer = &lease.dealer_id;
        let next = state.job(dealer, now);
        let claim = next.map(|(job, id)| state.start(job, id, dealer.clone(), now, next_lease));
        Ok((settled, claim))
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.now();
        let state = self.state();
        let next = state
            .dealers_with_open_messages()
            .into_iter()
            .filter_map(|dealer| state.next_due(&dealer))
            .min();
        Ok(next.map(|next| between(now, next)))
    }

    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let old: Vec<MessageId> = state
            .messages
            .iter()
            .filter(|(_, message)| message.state == MessageState::Queued)
            .filter(|(_, message)| {
                let dealer = state.dealer(&message.dealer_id);
                let quiet = dealer.and_then(|dealer| dealer.settings.quiet_hours);
                let lane = state.lanes.get(&message.dealer_id);
                let aging_from = lane.map_or(message.due, |lane| lane.aging_from);
                message.due.max(aging_from) < too_old_before(quiet, ttl, now)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in &old {
            state.expire(*id, now);
        }
        Ok(old.len() as u64)
    }

    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError> {
        Ok(self
            .state()
            .lanes
            .iter()
            .filter(|(_, lane)| lane.history.blocks > 0)
            .map(|(dealer, lane)| BlockedLane {
                dealer_id: dealer.clone(),
                account_fingerprint: lane.account_fingerprint.clone(),
            })
            .collect())
    }

    async fn unblock(&self, lane: &BlockedLane) -> Result<bool, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let stored = state.lanes.get(&lane.dealer_id);
        let as_seen =
            stored.is_some_and(|stored| stored.account_fingerprint == lane.account_fingerprint);
        Ok(as_seen && state.close_breaker(&lane.dealer_id, now))
    }

    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.state();
        let lane = state.lanes.entry(dealer.clone()).or_default();
        lane.rest_ended = Some(now);
        lane.aging_from = now;
        if lane.rest_until > now {
            lane.ready_at = now;
            lane.rest_until = now;
        }
        Ok(())
    }
}

/// The task of a lane; see [`Task`].
#[derive(Clone, Copy)]
enum Job {
    Recover,
    Probe,
    Send,
}

impl State {
    fn dealers_with_open_messages(&self) -> Vec<DealerId> {
        let mut dealers: Vec<DealerId> = self
            .messages
            .values()
            .filter(|message| is_open(message))
            .map(|message| message.dealer_id.clone())
            .collect();
        dealers.sort();
        dealers.dedup();
        dealers
    }

    /// The message that is being sent, interrupted, or awaited.
    pub(super) fn message_in_lane(&self, dealer: &DealerId) -> Option<MessageId> {
        self.first(dealer, MessageState::Sending, |_| true)
    }

    /// Closes a breaker; a wait for evidence goes on. Returns whether it was open.
    pub(super) fn close_breaker(&mut self, dealer: &DealerId, now: DateTime<Utc>) -> bool {
        let empty = self.message_in_lane(dealer).is_none();
        let lane = self.lanes.get_mut(dealer);
        let Some(lane) = lane.filter(|lane| lane.history.blocks > 0) else {
            return false;
        };
        lane.forget_trouble();
        if empty {
            lane.ready_at = now;
        }
        true
    }

    /// The first of a lane's messages in this state that matches.
    fn first(
        &self,
        dealer: &DealerId,
        state: MessageState,
        also: impl Fn(&Message) -> bool,
    ) -> Option<MessageId> {
        self.messages
            .iter()
            .filter(|(_, message)| message.dealer_id == *dealer && message.state == state)
            .filter(|(_, message)| also(message))
            .min_by_key(|(id, message)| message.turn(**id))
            .map(|(id, _)| *id)
    }

    /// The present task of a lane, and the message that gives it its turn; `None` also when the lane is
    /// leased or not ready.
    fn job(&self, dealer: &DealerId, now: DateTime<Utc>) -> Option<(Job, MessageId)> {
        let idle = Lane::default();
        let lane = self.lanes.get(dealer).unwrap_or(&idle);
        if !lane.is_free(now) || !lane.is_ready(now) {
            return None;
        }
        if let Some(interrupted) = self.first(dealer, MessageState::Sending, |_| true) {
            return Some((Job::Recover, interrupted));
        }
        if self.leaves_turn(dealer, now) {
            return None;
        }
        if lane.history.blocks > 0 && !lane.probed {
            let head = self.first(dealer, MessageState::Queued, |_| true)?;
            return Some((Job::Probe, head));
        }
        let head = self.first(dealer, MessageState::Queued, |message| {
            message.next_try <= now
        })?;
        Some((Job::Send, head))
    }

    /// Leases the lane and, except for a probe, marks the message as SENDING under the lease.
    fn start(
        &mut self,
        job: Job,
        id: MessageId,
        dealer: DealerId,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Claim {
        let lane = self.lanes.entry(dealer.clone()).or_default();
        let epoch = lane.lease(now + lease);
        let history = lane.history;
        let aging_from = lane.aging_from;
        let suspected = lane.probed && lane.suspect == Some(id);
        let calls_today = lane.calls_on(jakarta_time(now).date());
        let mut taken = || {
            let message = self.messages.get_mut(&id).expect("the message was found");
            message.state = MessageState::Sending;
            message.epoch = epoch;
            OutboxMessage {
                suspected,
                ..message.claimed(id, aging_from, now)
            }
        };
        let task = match job {
            Job::Recover => Task::Recover(taken()),
            Job::Send => Task::Send(taken()),
            Job::Probe => Task::Probe,
        };
        Claim {
            lease: Lease {
                dealer_id: dealer,
                epoch,
            },
            history,
            calls_today,
            now,
            task,
        }
    }

    /// When a lane has a task; `None` without an open message.
    fn next_due(&self, dealer: &DealerId) -> Option<DateTime<Utc>> {
        let idle = Lane::default();
        let lane = self.lanes.get(dealer).unwrap_or(&idle);
        let first_try = self
            .messages
            .values()
            .filter(|message| message.dealer_id == *dealer && is_open(message))
            .map(|message| match message.state {
                // Neither a recovery nor a probe waits for the next try.
                MessageState::Queued if lane.history.blocks == 0 => message.next_try,
                _ => DateTime::UNIX_EPOCH,
            })
            .min()?;
        let lease_end = lane.lease_until.unwrap_or(DateTime::UNIX_EPOCH);
        Some(first_try.max(lane.ready_at).max(lease_end))
    }

    fn expire(&mut self, id: MessageId, now: DateTime<Utc>) {
        let Some(message) = self.messages.get(&id) else {
            return;
        };
        let unknowns = message.unknowns;
        let change = match self.is_out(&message.dealer_id, &message.target) {
            true => MessageChange::OptedOut { unknowns },
            false => expired(unknowns),
        };
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        let values = change.values();
        message.reason = values.reason.map(str::to_owned);
        self.set_state(id, values.state, None, now);
    }
}

fn is_open(message: &Message) -> bool {
    message.state.is_pending()
}
