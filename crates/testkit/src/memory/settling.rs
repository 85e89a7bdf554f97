use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::delivery::{LaneChange, MessageChange, REST_DOUBT, REST_LOOK, Receipt};
use domain::events::provider_number;
use domain::persons::{ERASED, erased, without_numbers};
use domain::ports::{KnownQuota, Lease, Settled, Settlement};
use domain::requests::{MessageId, MessageState};
use domain::values::jakarta_time;

use super::state::{Lane, Message, RecordedAttempt, State, between};

impl State {
    /// Settles a claim.
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
        lane.settle(settlement, now);
        if of_erased && lane.block_reason.is_some() {
            lane.block_reason = Some(ERASED.to_owned());
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
        let mut values = change.values();
        message.unknowns += values.unknowns;
        let is_erased = message.is_erased();
        // It is not tried again, and nothing that the provider says about it is kept.
        match values.state {
            MessageState::Queued if is_erased => {
                values.state = MessageState::Cancelled;
                values.reason = Some(erased(message.unknowns));
            }
            MessageState::Failed if is_erased => values.reason = Some(ERASED),
            _ => {}
        }
        match values.state {
            MessageState::Queued => message.next_try = now + values.wait,
            MessageState::Sending => message.awaited = true,
            _ => {}
        }
        message.reason = values
            .reason
            .map(|reason| without_numbers(reason).into_owned());
        if let Some(receipt) = values.receipt {
            message.receipt = Some(receipt.clone());
        }
        let answer = answer.filter(|_| !is_erased);
        self.set_state(id, values.state, answer, now);
    }
}

impl Lane {
    /// Ends the lease and stores the settlement's facts about the lane.
    fn settle(&mut self, settlement: &Settlement, now: DateTime<Utc>) {
        let fingerprint = settlement.account_fingerprint.as_deref();
        self.give_back(&settlement.lane, fingerprint, now);
        match &settlement.message {
            Some((id, MessageChange::Suspected)) => self.suspect = Some(*id),
            Some((_, MessageChange::Sent(_))) => self.last_sent = Some(now),
            _ => {}
        }
        let number = settlement.accepted().and_then(provider_number);
        self.last_known = self.last_known.max(number);
        if let Some(left) = settlement.receipt().and_then(|receipt| receipt.quota_left) {
            self.quota = Some(KnownQuota { left, at: now });
        }
        self.unaccounted = match settlement.unaccounted() {
            Some(more) => self.unaccounted.saturating_add_signed(more),
            None => 0,
        };
        if settlement.called {
            self.count_call(jakarta_time(now).date());
        }
    }

    /// Ends the lease and stores the change of the lane.
    fn give_back(
        &mut self,
        change: &LaneChange,
        account_fingerprint: Option<&str>,
        now: DateTime<Utc>,
    ) {
        let values = change.values();
        self.lease_until = None;
        if values.forgets_trouble {
            self.forget_trouble();
        }
        self.history.strikes += values.strikes;
        self.history.blocks += values.blocks;
        self.probed = values.probed.unwrap_or(self.probed);
        if values.blocks > 0 {
            self.blocked_since.get_or_insert(now);
            let reason = values.block_reason.map(without_numbers);
            self.block_reason = reason.map(Cow::into_owned);
            self.account_fingerprint = account_fingerprint.map(str::to_owned);
        }
        let mut ready_at = now + values.pause;
        if let Some(until) = values.rest_until {
            let ended = self.rest_ended;
            let doubtful = ended.is_some_and(|ended| between(ended, now) < REST_DOUBT);
            self.rest_until = if doubtful {
                until.min(now + REST_LOOK)
            } else {
                until
            };
            if values.ages_after_rest {
                self.aging_from = self.rest_until;
            }
            ready_at = ready_at.max(self.rest_until);
        }
        if values.keeps_pause {
            ready_at = ready_at.max(self.ready_at);
        }
        self.ready_at = ready_at;
    }
}
