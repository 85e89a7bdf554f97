use async_trait::async_trait;
use domain::{
    AuditEntry, BoxError, Cancelled, DealerId, ERASED, Message, MessageId, MessageState, Messages,
    NewMessage, PastAttempt, Phone, RequestId, Resent, StoreError, Visibility, cancelled,
};

use super::state::State;
use super::{MemoryStore, exists_already};

#[async_trait]
impl Messages for MemoryStore {
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError> {
        let state = self.state();
        let mut ids: Vec<MessageId> = state
            .messages
            .iter()
            .filter(|(_, message)| message.request_id == request)
            .filter(|(_, message)| seen.includes(&message.dealer_id))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_by_key(|id| (state.messages[id].created, *id));
        Ok(ids.into_iter().map(|id| state.shown(id)).collect())
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
        if stored.phone == ERASED {
            return Ok(Resent::Erased);
        }
        let pending = state.messages.values().any(|message| {
            message.request_id == request
                && matches!(message.state, MessageState::Queued | MessageState::Sending)
        });
        if pending {
            return Ok(Resent::Pending);
        }
        if state.messages.contains_key(&message.id) {
            return Err(exists_already("message"));
        }
        state.note(entry, Some(dealer.as_str()), now)?;
        state.queue(request, dealer, message, target, now);
        state.set_state(message.id, MessageState::Queued, None, now);
        Ok(Resent::Queued(state.shown(message.id)))
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
                Cancelled::Stopped(state.shown(id))
            }
            None if known => Cancelled::TooLate,
            None => Cancelled::UnknownRequest,
        })
    }
}

impl State {
    /// A message that exists, as it is shown.
    pub(super) fn shown(&self, id: MessageId) -> Message {
        let message = &self.messages[&id];
        Message {
            id,
            kind: message.kind,
            state: message.state,
            template: message.template.clone(),
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
        }
    }
}
