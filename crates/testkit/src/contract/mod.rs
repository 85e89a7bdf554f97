//! What every adapter of a store port promises, one function per promise.
//!
//! An adapter's tests write a function that makes a [`Stage`] and stamp all promises onto it:
//!
//! ```
//! use std::sync::Arc;
//! use testkit::{ManualClock, MemoryStore, contract::Stage};
//!
//! /// An empty store, and a guard that is kept until the test is over.
//! async fn make_stage() -> (Stage, ()) {
//!     let store = Arc::new(MemoryStore::new(Arc::new(ManualClock::new())));
//!     (Stage::of_one(store), ())
//! }
//!
//! testkit::contract_tests!(make_stage);
//! # fn main() {}
//! ```
//!
//! The promises allow for a store whose time cannot be stopped: what lasts is measured in minutes,
//! and a test that takes less than one notices nothing.

pub mod accounts;
pub mod analytics;
pub mod api_keys;
pub mod arrivals;
pub mod audit;
pub mod breaker;
pub mod bulk;
pub mod claims;
pub mod confirmations;
pub mod dealer_records;
pub mod dealers;
pub mod endpoints;
pub mod erased_recipients;
pub mod event_order;
pub mod event_outbox;
pub mod event_turns;
pub mod events;
pub mod evidence;
pub mod expiry;
pub mod exports;
pub mod keys;
pub mod late;
pub mod leases;
pub mod mentions;
pub mod message_audit;
pub mod messages;
pub mod newest;
pub mod opt_outs;
pub mod outcomes;
pub mod persons;
pub mod places;
pub mod replies;
pub mod reports;
pub mod requests;
pub mod rests;
pub mod retention;
pub mod sessions;
pub mod settings;
pub mod statistics;
pub mod template_messages;
pub mod templates;
pub mod told;
pub mod troubles;

mod acts;
mod stamp;
mod stamp_endpoints;
mod stamp_replies;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::dealers::Dealer;
use domain::delivery::OutcomeKind;
use domain::ports::{
    AccountBook, ApiKeys, Arrivals, AuditLog, Confirmations, DealerAdmin, DealerDirectory,
    Endpoints, EventOutbox, EventStore, Messages, OptOuts, Outbox, PersonalData, Replies, Reports,
    RequestStore, Sessions, TemplateBook, Troubles,
};
use domain::requests::{
    MessageId, MessageState, Request, RequestId, RequestStatus, WhatsappStatus,
};
use domain::values::{DealerId, WebhookToken};

use crate::sample;

/// The ports of one empty store, and its backstage.
#[derive(Clone)]
pub struct Stage {
    /// The requests.
    pub requests: Arc<dyn RequestStore>,
    /// The queue of messages.
    pub outbox: Arc<dyn Outbox>,
    /// The provider's profiles of accounts.
    pub accounts: Arc<dyn AccountBook>,
    /// The messages of single requests.
    pub messages: Arc<dyn Messages>,
    /// The provider events.
    pub events: Arc<dyn EventStore>,
    /// What customers wrote back.
    pub replies: Arc<dyn Replies>,
    /// Who wants no messages.
    pub opt_outs: Arc<dyn OptOuts>,
    /// The confirmations that are to be sent.
    pub confirmations: Arc<dyn Confirmations>,
    /// Personal data.
    pub persons: Arc<dyn PersonalData>,
    /// The keys of callers.
    pub api_keys: Arc<dyn ApiKeys>,
    /// What comes in.
    pub arrivals: Arc<dyn Arrivals>,
    /// Who may need somebody.
    pub troubles: Arc<dyn Troubles>,
    /// The sessions of people.
    pub sessions: Arc<dyn Sessions>,
    /// The audit.
    pub audit: Arc<dyn AuditLog>,
    /// Lists and counts.
    pub reports: Arc<dyn Reports>,
    /// The dealers.
    pub dealers: Arc<dyn DealerDirectory>,
    /// Their templates, and head office's.
    pub templates: Arc<dyn TemplateBook>,
    /// The same dealers, as operators see them.
    pub admin: Arc<dyn DealerAdmin>,
    /// The endpoints of the same dealers, and head office's.
    pub endpoints: Arc<dyn Endpoints>,
    /// What they are told.
    pub event_outbox: Arc<dyn EventOutbox>,
    /// Access past the ports.
    pub backstage: Arc<dyn Backstage>,
}

impl Stage {
    /// A stage whose ports are all one adapter.
    #[must_use]
    pub fn of_one<S>(store: Arc<S>) -> Self
    where
        S: RequestStore
            + Outbox
            + AccountBook
            + Messages
            + EventStore
            + Replies
            + OptOuts
            + Confirmations
            + PersonalData
            + Reports
            + DealerDirectory
            + DealerAdmin
            + TemplateBook
            + Endpoints
            + EventOutbox
            + ApiKeys
            + Sessions
            + Arrivals
            + Troubles
            + AuditLog
            + Backstage
            + 'static,
    {
        Self {
            requests: store.clone(),
            outbox: store.clone(),
            accounts: store.clone(),
            messages: store.clone(),
            events: store.clone(),
            replies: store.clone(),
            opt_outs: store.clone(),
            confirmations: store.clone(),
            persons: store.clone(),
            api_keys: store.clone(),
            arrivals: store.clone(),
            troubles: store.clone(),
            sessions: store.clone(),
            audit: store.clone(),
            reports: store.clone(),
            dealers: store.clone(),
            admin: store.clone(),
            templates: store.clone(),
            endpoints: store.clone(),
            event_outbox: store.clone(),
            backstage: store,
        }
    }
}

/// A test's access past the ports. Errors are panics.
#[async_trait]
pub trait Backstage: Send + Sync {
    /// Adds a dealer as the service that owns the dealers would; absent values are NULL.
    async fn add_dealer(&self, dealer: &Dealer);

    /// Adds a webhook token of a dealer.
    async fn add_webhook(&self, dealer: &DealerId, token: &WebhookToken);

    /// Advances time for queues, leases and pauses: a store whose clock cannot be set moves stored times into
    /// the past. Requests' local times stay.
    async fn pass(&self, time: Duration);

    /// The same, also for requests' times of their last change.
    async fn pass_for_requests(&self, time: Duration);

    /// The store's present time, to compare with stored times.
    fn now(&self) -> DateTime<Utc>;

    /// The newest message of a request, as it is stored.
    async fn message(&self, request: RequestId) -> Option<StoredMessage>;

    /// The attempts of a request's message, oldest first.
    async fn attempts(&self, request: RequestId) -> Vec<StoredAttempt>;

    /// Inserts a row as an older service did: without a message, and with NULL in every column that is not in
    /// [`OldRow`].
    async fn insert_old_row(&self, row: &OldRow);

    /// Changes only the statuses of a request, as another program may; `None` is NULL.
    async fn set_statuses(
        &self,
        request: RequestId,
        request_status: Option<&str>,
        whatsapp_status: Option<&str>,
    );

    /// The stored texts of provider events.
    async fn reports(&self) -> Vec<String>;

    /// Deletes a request as another program may; its message stays.
    async fn delete_row(&self, request: RequestId);
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message.
    pub id: MessageId,
    /// Its state.
    pub state: MessageState,
    /// Its unknown outcomes so far.
    pub unknowns: u32,
    /// Why it ended, unless it was sent.
    pub reason: Option<String>,
    /// [`Receipt::message_id`](domain::delivery::Receipt::message_id)
    pub provider_message_id: Option<String>,
    /// [`Receipt::request_id`](domain::delivery::Receipt::request_id)
    pub provider_request_id: Option<i64>,
}

/// An attempt as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    /// The epoch of its lease.
    pub epoch: i64,
    /// [`Attempt::outcome`](domain::ports::Attempt::outcome)
    pub outcome: OutcomeKind,
    /// [`Attempt::detail`](domain::ports::Attempt::detail)
    pub detail: String,
}

/// A row of an older service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldRow {
    /// `id`
    pub id: RequestId,
    /// `dealer_id`
    pub dealer_id: DealerId,
    /// `request_date` and `request_time`
    pub requested: NaiveDateTime,
    /// `nama_pembawa`
    pub customer_name: String,
    /// `no_telp`, as that service wrote it
    pub phone: String,
    /// `tipe_unit`
    pub unit_type: String,
    /// `no_pol`
    pub license_plate: String,
    /// `request_status`; `None` is NULL
    pub request_status: Option<String>,
    /// `whatsapp_status`; `None` is NULL
    pub whatsapp_status: Option<String>,
}

impl OldRow {
    /// The `n`th row of a dealer, with NULL statuses: `n` seconds after 08:00 on 5 January 2026.
    /// Its id is the one of [`sample::request_for`] with the same `n`.
    #[must_use]
    pub fn sample(dealer: &DealerId, n: u32) -> Self {
        Self {
            id: sample::request_for(dealer, n).id,
            dealer_id: dealer.clone(),
            requested: sample::morning(2026, 1, 5) + TimeDelta::seconds(n.into()),
            customer_name: "Budi".to_owned(),
            phone: "+62 821-4852-3421".to_owned(),
            unit_type: "Vario 125".to_owned(),
            license_plate: "d123ad".to_owned(),
            request_status: None,
            whatsapp_status: None,
        }
    }

    /// The same row with these statuses.
    #[must_use]
    pub fn with_statuses(self, request: &str, whatsapp: &str) -> Self {
        Self {
            request_status: Some(request.to_owned()),
            whatsapp_status: Some(whatsapp.to_owned()),
            ..self
        }
    }

    /// The request that the ports show for this row.
    #[must_use]
    pub fn as_shown(&self) -> Request {
        let or = |status: &Option<String>, missing: &str| {
            status.clone().unwrap_or_else(|| missing.to_owned())
        };
        Request {
            id: self.id,
            dealer_id: self.dealer_id.as_str().to_owned(),
            request_date: Some(self.requested.date()),
            request_time: Some(self.requested.time()),
            customer_name: Some(self.customer_name.clone()),
            phone: Some(self.phone.clone()),
            unit_type: Some(self.unit_type.clone()),
            license_plate: Some(self.license_plate.clone()),
            request_status: or(&self.request_status, RequestStatus::Pending.as_str()),
            whatsapp_status: or(&self.whatsapp_status, WhatsappStatus::NotSent.as_str()),
            created_by: None,
            created_date: None,
            last_modified_by: None,
            last_modified_date: None,
            // The answer, and what later releases add, is absent in both.
            ..Request::just_stored(&sample::new_request())
        }
    }
}
