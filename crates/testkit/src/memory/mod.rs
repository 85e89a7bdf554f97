mod access;
mod accounts;
mod arrivals;
mod backstage;
mod dealers;
mod endpoints;
mod event_outbox;
mod events;
mod facts;
mod health;
mod messages;
mod outbox;
mod persons;
mod replies;
mod reports;
mod requests;
mod settling;
mod state;
mod templates;
mod told;
mod troubles;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use domain::dealers::Dealer;
use domain::ports::{Clock, StoreError};
use domain::requests::{MessageState, RequestId};
use domain::values::{DealerId, WebhookToken};

use crate::ManualClock;
use state::State;
use told::Turn;

/// All stores in one: requests, outbox, reports and dealers, with the time of a [`ManualClock`].
///
/// It keeps the promises of [`contract`](crate::contract), like any adapter.
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

    /// Adds or replaces a dealer.
    pub fn put_dealer(&self, dealer: Dealer) {
        self.state().dealers.insert(dealer.id.clone(), dealer);
    }

    /// Adds a webhook token of a dealer.
    pub fn put_webhook(&self, dealer: &DealerId, token: &WebhookToken) {
        let mut state = self.state();
        state.webhook_tokens.insert(dealer.clone(), token.clone());
    }

    /// Removes a dealer.
    pub fn remove_dealer(&self, dealer: &DealerId) {
        self.state().dealers.remove(dealer);
    }

    /// Whether secrets may be set, as with a key to seal them; true by default.
    pub fn keep_secrets(&self, keep: bool) {
        self.state().keeps_secrets = keep;
    }

    /// The number of stored requests.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.state().requests.len()
    }

    /// All that is stored, as text, so that a test can compare it. Secrets are left out.
    #[must_use]
    pub fn everything(&self) -> String {
        format!("{:?}", *self.state())
    }

    /// The number of stored messages, finished ones included.
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

    /// The last block reason of a lane, while its breaker is open.
    #[must_use]
    pub fn block_reason(&self, dealer: &DealerId) -> Option<String> {
        self.state()
            .lanes
            .get(dealer)
            .and_then(|lane| lane.block_reason.clone())
    }

    /// The number of unaccounted calls of a lane.
    #[must_use]
    pub fn unaccounted(&self, dealer: &DealerId) -> u32 {
        let state = self.state();
        let lane = state.lanes.get(dealer);
        lane.map_or(0, |lane| lane.unaccounted)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn state(&self) -> Turn<'_> {
        Turn {
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner),
            now: self.now(),
        }
    }
}

/// The error for a row that exists already.
fn exists_already(what: &str) -> StoreError {
    StoreError::Rejected(format!("a {what} of that id exists already").into())
}
