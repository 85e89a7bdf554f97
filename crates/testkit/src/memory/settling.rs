use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    ERASED, KnownQuota, LaneChange, Lease, MessageChange, MessageId, MessageState, REST_DOUBT,
    REST_LOOK, Receipt, Settled, Settlement, TOO_OLD, erased, jakarta_time, provider_number,
    without_numbers,
};

use super::state::{Lane, Message, RecordedAttempt, State, between};

impl State {
    /// Records what came of a claim.
    pub(super) fn settle(
        &mut self,
        lease: &Lease,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Settled {
        self.record_attempt(lease, settlement, now);
        let answer = settlement
            .attempt
            .as_ref()
            .and_then(|attempt| attempt.answer.as_deref());
        self.wake_events(&lease.dealer_id, settlement, now);
        let message = settlement.message.as_ref();
        let message = message.and_then(|(id, _)| self.messages.get(id));
        let of_erased = message.is_some_and(Message::is_erased);
        let Some(lane) = self
            .lanes
            .get_mut(&lease.dealer_id)
            .filter(|lane| lane.is_held_under(lease.epoch))
        else {
            if let Some((id, MessageChange::Sent(receipt))) = &settlement.message {
                self.lift_to_sent(*id, receipt, answer, now);
            }
            return Settled::LeaseLost;
        };
        lane.give_back(&settlement.lane, settlement.account_print.as_deref(), now);
        if let Some((id, MessageChange::Suspected)) = &settlement.message {
            lane.suspect = Some(*id);
        }
        if of_erased && lane.block_reason.is_some() {
            lane.block_reason = Some(ERASED.to_owned());
        }
        let number = settlement.accepted().and_then(provider_number);
        lane.last_known = lane.last_known.max(number);
        if let Some(left) = settlement.receipt().and_then(|receipt| receipt.quota_left) {
            lane.quota = Some(KnownQuota { left, at: now });
        }
        if let Some((_, MessageChange::Sent(_))) = &settlement.message {
            lane.last_sent = Some(now);
        }
        lane.unaccounted = match settlement.unaccounted() {
            Some(more) => lane.unaccounted.saturating_add_signed(more),
            None => 0,
        };
        if settlement.called {
            lane.count_call(jakarta_time(now).date());
        }
        if let Some((id, change)) = &settlement.message {
            // Evidence of an earlier lease may have lifted the message meanwhile.
            let ours = self.messages.get(id).is_some_and(|message| {
                message.state == MessageState::Sending && message.epoch == lease.epoch
            });
            if ours {
                self.apply(*id, change, answer, now);
            }
        }
        Settled::Applied
    }

    /// Appends the attempt, once for each message and lease.
    fn record_attempt(&mut self, lease: &Lease, settlement: &Settlement, now: DateTime<Utc>) {
        let (Some((message, _)), Some(attempt)) = (&settlement.message, &settlement.attempt) else {
            return;
        };
        let recorded = self
            .attempts
            .iter()
            .any(|known| known.message == *message && known.epoch == lease.epoch);
        if !recorded {
            let mut attempt = attempt.clone();
            attempt.detail = without_numbers(&attempt.detail).into_owned();
            if self.messages.get(message).is_some_and(Message::is_erased) {
                attempt.detail = ERASED.to_owned();
                attempt.answer = None;
            }
            self.attempts.push(RecordedAttempt {
                message: *message,
                epoch: lease.epoch,
                at: now,
                attempt,
            });
        }
    }

    fn lift_to_sent(
        &mut self,
        id: MessageId,
        receipt: &Receipt,
        answer: Option<&str>,
        now: DateTime<Utc>,
    ) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        let lifted = message.state.lifted_by(MessageState::Sent);
        if lifted != message.state {
            message.receipt = Some(receipt.clone());
            message.reason = None;
            let answer = answer.filter(|_| !message.is_erased());
            self.set_state(id, lifted, answer, now);
        }
    }

    fn apply(
        &mut self,
        id: MessageId,
        change: &MessageChange,
        answer: Option<&str>,
        now: DateTime<Utc>,
    ) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        let erased_now = message.is_erased();
        let state = match change {
            MessageChange::Requeued | MessageChange::Suspected | MessageChange::Resend { .. }
                if erased_now =>
            {
                message.unknowns += u32::from(matches!(change, MessageChange::Resend { .. }));
                message.reason = Some(erased(message.unknowns).to_owned());
                MessageState::Cancelled
            }
            MessageChange::Sent(receipt) => {
                message.receipt = Some(receipt.clone());
                MessageState::Sent
            }
            MessageChange::Failed { .. } if erased_now => {
                message.reason = Some(ERASED.to_owned());
                MessageState::Failed
            }
            MessageChange::Failed { reason } => {
                message.reason = Some(without_numbers(reason).into_owned());
                MessageState::Failed
            }
            MessageChange::Requeued | MessageChange::Suspected => {
                message.next_try = now;
                MessageState::Queued
            }
            MessageChange::Resend { wait } => {
                message.unknowns += 1;
                message.next_try = now + *wait;
                MessageState::Queued
            }
            MessageChange::Await => {
                message.awaited = true;
                MessageState::Sending
            }
            MessageChange::Unknown { reason } => {
                message.unknowns += 1;
                message.reason = Some(without_numbers(reason).into_owned());
                MessageState::Unknown
            }
            MessageChange::Expired => {
                message.reason = Some(TOO_OLD.to_owned());
                MessageState::Expired
            }
        };
        let answer = answer.filter(|_| !erased_now);
        self.set_state(id, state, answer, now);
    }
}

impl Lane {
    /// Ends the lease and remembers what was learned.
    fn give_back(&mut self, change: &LaneChange, account_print: Option<&str>, now: DateTime<Utc>) {
        self.lease_until = None;
        let rested = now + self.learn(change, account_print, now);
        self.ready_at = match change {
            // What a call did not teach cannot shorten a pause.
            LaneChange::Unchanged { .. } | LaneChange::Waiting { .. } => rested.max(self.ready_at),
            LaneChange::Resting { until } | LaneChange::Spent { until } => {
                let doubtful = self
                    .rest_ended
                    .is_some_and(|ended| between(ended, now) < REST_DOUBT);
                let until = if doubtful {
                    (*until).min(now + REST_LOOK)
                } else {
                    *until
                };
                self.rest_until = until;
                if matches!(change, LaneChange::Spent { .. }) {
                    self.aging_from = until;
                }
                rested.max(until)
            }
            LaneChange::Ready { .. } | LaneChange::Probed | LaneChange::Blocked { .. } => rested,
        };
    }

    /// Remembers what was learned about the lane and returns the pause that follows.
    fn learn(
        &mut self,
        change: &LaneChange,
        account_print: Option<&str>,
        now: DateTime<Utc>,
    ) -> Duration {
        match change {
            LaneChange::Ready { pause } => {
                self.forget_trouble();
                *pause
            }
            LaneChange::Unchanged { pause } => *pause,
            LaneChange::Resting { .. } | LaneChange::Spent { .. } => Duration::ZERO,
            LaneChange::Probed => {
                self.probed = true;
                Duration::ZERO
            }
            LaneChange::Waiting { pause } => {
                self.history.strikes += 1;
                *pause
            }
            LaneChange::Blocked { pause, reason, .. } => {
                self.history.blocks += 1;
                self.probed = false;
                self.blocked_since.get_or_insert(now);
                self.block_reason = Some(without_numbers(reason).into_owned());
                self.account_print = account_print.map(str::to_owned);
                *pause
            }
        }
    }
}
