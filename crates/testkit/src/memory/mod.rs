mod access;
mod accounts;
mod backstage;
mod dealers;
mod events;
mod health;
mod messages;
mod outbox;
mod persons;
mod reports;
mod requests;
mod settling;
mod state;
mod troubles;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::dealers::Dealer;
use domain::ports::{Clock, StoreError};
use domain::requests::{MessageState, RequestId};
use domain::values::{DealerId, WebhookToken};

use crate::ManualClock;
use state::State;

/// Every store in one: requests, outbox, reports and dealers, with the time of a [`ManualClock`].
///
/// It keeps the promises of [`contract`](crate::contract), as any adapter must.
pub struct MemoryStore {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Adds a dealer or replaces the one of that number.
    pub fn put_dealer(&self, dealer: Dealer) {
        self.state().dealers.insert(dealer.id.clone(), dealer);
    }

    /// Gives a dealer an address for the provider's reports.
    pub fn put_webhook(&self, dealer: &DealerId, token: &WebhookToken) {
        let mut state = self.state();
        state.webhook_tokens.insert(dealer.clone(), token.clone());
    }

    /// Removes a dealer.
    pub fn remove_dealer(&self, dealer: &DealerId) {
        self.state().dealers.remove(dealer);
    }

    /// Whether operators may set secrets, as if there were a key to seal them with; they may.
    pub fn keep_secrets(&self, keep: bool) {
        self.state().keeps_secrets = keep;
    }

    /// How many requests are stored.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.state().requests.len()
    }

    /// How many messages are stored, finished ones included.
    #[must_use]
    pub fn message_count(&self) -> usize {
        self.state().messages.len()
    }

    /// The state of a request's message.
    #[must_use]
    pub fn message_state(&self, request: RequestId) -> Option<MessageState> {
        self.state()
            .message_of(request)
            .map(|(_, message)| message.state)
    }

    /// Why a lane was found blocked last, while its breaker is open.
    #[must_use]
    pub fn block_reason(&self, dealer: &DealerId) -> Option<String> {
        self.state()
            .lanes
            .get(dealer)
            .and_then(|lane| lane.block_reason.clone())
    }

    /// How many calls of a lane are not accounted for.
    #[must_use]
    pub fn unaccounted(&self, dealer: &DealerId) -> u32 {
        let state = self.state();
        let lane = state.lanes.get(dealer);
        lane.map_or(0, |lane| lane.unaccounted)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a database says to a row that it has already.
fn exists_already(what: &str) -> StoreError {
    StoreError::Rejected(format!("a {what} of that id exists already").into())
}
