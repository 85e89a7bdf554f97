use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::{AuditEntry, Visibility};
use domain::delivery::{LaneState, Place, QueueState};
use domain::persons::ERASED;
use domain::ports::{BoxError, Cancelled, Messages, Resent, StoreError};
use domain::requests::{
    Message, MessageId, MessageState, NewMessage, PastAttempt, RequestId, cancelled,
};
use domain::values::{DealerId, Phone, jakarta_time};

use super::state::{Lane, State};
use super::{MemoryStore, exists_already};

#[async_trait]
impl Messages for MemoryStore {
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError> {
        let now = self.now();
        let state = self.state();
        let mut ids: Vec<MessageId> = state
            .messages
            .iter()
            .filter(|(_, message)| message.request_id == request)
            .filter(|(_, message)| seen.includes(&message.dealer_id))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_by_key(|id| (state.messages[id].created, *id));
        Ok(ids.into_iter().map(|id| state.shown(id, now)).collect())
    }

    async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        message: &NewMessage,
        target: &Phone,
        entry: &AuditEntry,
    ) -> Result<Resent, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let stored = state.requests.get(&request);
        let Some(stored) = stored.filter(|stored| seen.sees(&stored.dealer_id)) else {
            return Ok(Resent::UnknownRequest);
        };
        let dealer = DealerId::parse(&stored.dealer_id)
            .map_err(|fault| StoreError::Corrupt(BoxError::from(fault)))?;
        if stored.phone.as_deref() == Some(ERASED) {
            return Ok(Resent::Erased);
        }
        let pending = state
            .messages
            .values()
            .any(|message| message.request_id == request && message.state.is_pending());
        if pending {
            return Ok(Resent::Pending);
        }
        if state.messages.contains_key(&message.id) {
            return Err(exists_already("message"));
        }
        state.note(entry, Some(dealer.as_str()), now)?;
        state.queue(request, dealer, message, target, now);
        state.set_state(message.id, MessageState::Queued, None, now);
        Ok(Resent::Queued(state.shown(message.id, now)))
    }

    async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        entry: &AuditEntry,
    ) -> Result<Cancelled, StoreError> {
        let now = self.now();
        let mut state = self.state();
        let waiting = state
            .messages
            .iter()
            .find(|(_, message)| {
                message.request_id == request
                    && message.state == MessageState::Queued
                    && seen.includes(&message.dealer_id)
            })
            .map(|(id, message)| (*id, message.dealer_id.clone()));
        let stored = state.requests.get(&request);
        let known = stored.is_some_and(|stored| seen.sees(&stored.dealer_id));
        Ok(match waiting {
            Some((id, dealer)) => {
                state.note(entry, Some(dealer.as_str()), now)?;
                if let Some(message) = state.messages.get_mut(&id) {
                    message.reason = Some(cancelled(message.unknowns).to_owned());
                }
                state.set_state(id, MessageState::Cancelled, None, now);
                Cancelled::Stopped(state.shown(id, now))
            }
            None if known => Cancelled::TooLate,
            None => Cancelled::UnknownRequest,
        })
    }

    async fn queue(&self, dealer: &DealerId) -> Result<QueueState, StoreError> {
        let now = self.now();
        let state = self.state();
        let of_state = |wanted| {
            let messages = state.messages.values();
            messages.filter(move |message| message.dealer_id == *dealer && message.state == wanted)
        };
        let due: Vec<_> = of_state(MessageState::Queued)
            .map(|message| message.due)
            .filter(|due| *due <= now)
            .collect();
        let mut later: Vec<_> = of_state(MessageState::Queued)
            .map(|message| message.due)
            .filter(|due| *due > now)
            .collect();
        later.sort();
        Ok(QueueState {
            lane: state.lane_state(dealer, now),
            waiting: due.len() as u64,
            scheduled: later.len() as u64,
            sending: of_state(MessageState::Sending).count() as u64,
            oldest_due_at: due.into_iter().min(),
            due_later: later.into_iter().map(|due| (due, 1)).collect(),
        })
    }
}

impl State {
    pub(super) fn lane_state(&self, dealer: &DealerId, now: DateTime<Utc>) -> LaneState {
        let idle = Lane::default();
        let lane = self.lanes.get(dealer).unwrap_or(&idle);
        LaneState {
            dealer_id: dealer.clone(),
            now,
            leased: !lane.is_free(now),
            message: self.message_in_lane(dealer),
            ready_at: Some(lane.ready_at).filter(|ready_at| *ready_at > now),
            history: lane.history,
            block_reason: lane.block_reason.clone(),
            calls_today: lane.calls_on(jakarta_time(now).date()),
        }
    }

    /// The place of an unfinished message.
    fn place(&self, id: MessageId, now: DateTime<Utc>) -> Option<Place> {
        let message = &self.messages[&id];
        let is_queued = message.state == MessageState::Queued;
        if !is_queued && message.state != MessageState::Sending {
            return None;
        }
        let before = || {
            self.messages.iter().filter(|(other_id, other)| {
                other.dealer_id == message.dealer_id
                    && other.state == MessageState::Queued
                    && other.due <= now
                    && other.turn(**other_id) < message.turn(id)
            })
        };
        let any_may_be_tried = before().any(|(_, other)| other.next_try <= now);
        Some(Place {
            lane: self.lane_state(&message.dealer_id, now),
            next_try_at: message.next_try,
            before: if is_queued && message.due <= now && any_may_be_tried {
                before().count() as u64
            } else {
                0
            },
        })
    }

    /// An existing message, as it is shown.
    pub(super) fn shown(&self, id: MessageId, now: DateTime<Utc>) -> Message {
        let message = &self.messages[&id];
        Message {
            id,
            kind: message.kind,
            state: message.state,
            template: message.template.clone(),
            template_version: message.template_version,
            variables: message.variables.clone(),
            body: message.body.clone(),
            target: message.target.clone(),
            scheduled_at: message.due,
            created_at: message.created,
            sent_at: message.sent_at,
            delivered_at: message.delivered_at,
            read_at: message.read_at,
            failed_at: message.failed_at,
            attempts: self
                .attempts
                .iter()
                .filter(|recorded| recorded.message == id)
                .map(|recorded| PastAttempt {
                    at: recorded.at,
                    outcome: recorded.attempt.outcome,
                    detail: recorded.attempt.detail.clone(),
                    duration: recorded.attempt.duration,
                })
                .collect(),
            provider_id: message
                .receipt
                .as_ref()
                .and_then(|receipt| receipt.message_id.clone()),
            reason: message.reason.clone(),
            place: self.place(id, now),
        }
    }
}
