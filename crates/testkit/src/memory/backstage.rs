use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::dealers::Dealer;
use domain::requests::{RequestId, RequestStatus, WhatsappStatus};
use domain::values::{DealerId, WebhookToken};

use super::MemoryStore;
use crate::contract::{Backstage, OldRow, StoredAttempt, StoredMessage};

#[async_trait]
impl Backstage for MemoryStore {
    async fn add_dealer(&self, dealer: &Dealer) {
        self.put_dealer(dealer.clone());
    }

    async fn add_webhook(&self, dealer: &DealerId, token: &WebhookToken) {
        self.put_webhook(dealer, token);
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn pass_for_requests(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn now(&self) -> DateTime<Utc> {
        self.now()
    }

    async fn message(&self, request: RequestId) -> Option<StoredMessage> {
        let state = self.state();
        let (id, message) = state.message_of(request)?;
        Some(StoredMessage {
            id,
            state: message.state,
            unknowns: message.unknowns,
            reason: message.reason.clone(),
            provider_message_id: message
                .receipt
                .as_ref()
                .and_then(|receipt| receipt.message_id.clone()),
            provider_request_id: message
                .receipt
                .as_ref()
                .and_then(|receipt| receipt.request_id),
        })
    }

    async fn attempts(&self, request: RequestId) -> Vec<StoredAttempt> {
        let state = self.state();
        let Some((id, _)) = state.message_of(request) else {
            return Vec::new();
        };
        state
            .attempts
            .iter()
            .filter(|recorded| recorded.message == id)
            .map(|recorded| StoredAttempt {
                epoch: recorded.epoch,
                outcome: recorded.attempt.outcome,
                detail: recorded.attempt.detail.clone(),
            })
            .collect()
    }

    async fn insert_old_row(&self, row: &OldRow) {
        // A missing status is shown and counted as that of a waiting request, so it is stored as that.
        self.state().requests.insert(row.id, row.as_shown());
    }

    async fn set_statuses(
        &self,
        request: RequestId,
        request_status: Option<&str>,
        whatsapp_status: Option<&str>,
    ) {
        let mut state = self.state();
        let row = state.requests.get_mut(&request).expect("the row exists");
        row.request_status = request_status
            .unwrap_or(RequestStatus::Pending.as_str())
            .to_owned();
        row.whatsapp_status = whatsapp_status
            .unwrap_or(WhatsappStatus::NotSent.as_str())
            .to_owned();
    }

    async fn reports(&self) -> Vec<String> {
        let state = self.state();
        state
            .events
            .iter()
            .map(|event| event.text.clone())
            .collect()
    }

    async fn delete_row(&self, request: RequestId) {
        let deleted = self.state().requests.remove(&request);
        deleted.expect("the row exists");
    }
}
