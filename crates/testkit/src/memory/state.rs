use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::access::{ApiKeyId, AuditRecord, KeyFingerprint, SessionPrint};
use domain::dealers::Dealer;
use domain::delivery::{LaneHistory, Receipt};
use domain::events::EventContent;
use domain::persons::ERASED;
use domain::ports::{ApiKeyRecord, Attempt, KnownQuota, OutboxMessage};
use domain::requests::{
    CHANGED_BY, MessageId, MessageKind, MessageState, NewMessage, Origin, Request, RequestId,
};
use domain::template::Variables;
use domain::values::{
    BodyFingerprint, DealerId, IdempotencyKey, KEY_LIFETIME, Phone, WebhookToken, jakarta_time,
};

use super::dealers::OwnSettings;
use super::endpoints::Webhooks;
use super::replies::Conversations;
use super::templates::StoredTemplate;
use super::told::Seen;

/// The whole state. Every port method locks it once: that is its transaction.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dealers: HashMap<DealerId, Dealer>,
    pub(super) own_settings: HashMap<DealerId, OwnSettings>,
    pub(super) webhook_tokens: HashMap<DealerId, WebhookToken>,
    pub(super) keeps_secrets: bool,
    pub(super) requests: HashMap<RequestId, Request>,
    pub(super) messages: HashMap<MessageId, Message>,
    pub(super) lanes: BTreeMap<DealerId, Lane>,
    pub(super) attempts: Vec<RecordedAttempt>,
    pub(super) keys: HashMap<(DealerId, IdempotencyKey), UsedKey>,
    pub(super) events: Vec<Event>,
    pub(super) api_keys: HashMap<ApiKeyId, (KeyFingerprint, ApiKeyRecord)>,
    /// Whose key each is of, and when it is over.
    pub(super) sessions: HashMap<SessionPrint, (ApiKeyId, DateTime<Utc>)>,
    /// Oldest first.
    pub(super) audit: Vec<AuditRecord>,
    pub(super) conversations: Conversations,
    /// By owner, `None` for head office, and name.
    pub(super) templates: BTreeMap<(Option<DealerId>, String), StoredTemplate>,
    pub(super) webhooks: Webhooks,
    /// What endpoints were told already, while there are any.
    pub(super) seen: Option<Seen>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            dealers: HashMap::new(),
            own_settings: HashMap::new(),
            webhook_tokens: HashMap::new(),
            keeps_secrets: true,
            requests: HashMap::new(),
            messages: HashMap::new(),
            lanes: BTreeMap::new(),
            attempts: Vec::new(),
            keys: HashMap::new(),
            events: Vec::new(),
            api_keys: HashMap::new(),
            sessions: HashMap::new(),
            audit: Vec::new(),
            conversations: Conversations::default(),
            templates: BTreeMap::new(),
            webhooks: Webhooks::default(),
            seen: None,
        }
    }
}

/// A key and its request.
#[derive(Debug)]
pub(super) struct UsedKey {
    pub(super) body: BodyFingerprint,
    pub(super) request: RequestId,
    pub(super) since: DateTime<Utc>,
}

impl UsedKey {
    pub(super) fn counts(&self, now: DateTime<Utc>) -> bool {
        between(self.since, now) < KEY_LIFETIME
    }
}

/// A provider event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) dealer: DealerId,
    pub(super) content: EventContent,
    /// The report as it came.
    pub(super) text: String,
    pub(super) received: DateTime<Utc>,
    /// When it is due; `None` when it is finished.
    pub(super) next_look: Option<DateTime<Utc>>,
    /// The message it matched.
    pub(super) message: Option<MessageId>,
}

/// A message, queued or finished.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) request_id: RequestId,
    pub(super) dealer_id: DealerId,
    pub(super) kind: MessageKind,
    pub(super) template: String,
    pub(super) template_version: Option<u32>,
    pub(super) variables: Variables,
    pub(super) target: String,
    pub(super) body: String,
    pub(super) state: MessageState,
    /// The epoch of the lease under which it is SENDING.
    pub(super) epoch: i64,
    pub(super) unknowns: u32,
    pub(super) created: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
    pub(super) next_try: DateTime<Utc>,
    /// Whether a status event that tells its outcome was already waited for.
    pub(super) awaited: bool,
    pub(super) sent_at: Option<DateTime<Utc>>,
    pub(super) delivered_at: Option<DateTime<Utc>>,
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) failed_at: Option<DateTime<Utc>>,
    pub(super) receipt: Option<Receipt>,
    /// WhatsApp's id of it.
    pub(super) state_id: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) origin: Option<Origin>,
}

/// An attempt.
#[derive(Debug)]
pub(super) struct RecordedAttempt {
    pub(super) message: MessageId,
    pub(super) epoch: i64,
    pub(super) at: DateTime<Utc>,
    pub(super) attempt: Attempt,
}

/// A dealer's lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) epoch: i64,
    /// The end of the lease; `None` for a free lane. The holder is not stored.
    pub(super) lease_until: Option<DateTime<Utc>>,
    /// No call before this time.
    pub(super) ready_at: DateTime<Utc>,
    pub(super) history: LaneHistory,
    pub(super) blocked_since: Option<DateTime<Utc>>,
    pub(super) block_reason: Option<String>,
    pub(super) account_fingerprint: Option<String>,
    /// A probe has succeeded since the block.
    pub(super) probed: bool,
    /// The message that may be the cause of the block.
    pub(super) suspect: Option<MessageId>,
    /// The end of the latest rest.
    pub(super) rest_until: DateTime<Utc>,
    /// Messages age from this time at the earliest.
    pub(super) aging_from: DateTime<Utc>,
    /// When settings about rests changed last.
    pub(super) rest_ended: Option<DateTime<Utc>>,
    /// Calls for sending, and their day in Asia/Jakarta.
    pub(super) calls: (NaiveDate, u32),
    /// The latest known id of a message at the provider.
    pub(super) last_known: Option<i64>,
    /// Calls since then that the provider may have accepted under unknown ids.
    pub(super) unaccounted: u32,
    /// When a message was last accepted.
    pub(super) last_sent: Option<DateTime<Utc>>,
    /// The provider's last word on quota and end of the package.
    pub(super) quota: Option<KnownQuota>,
    pub(super) expires_on: Option<NaiveDate>,
    /// When the account's profile is due.
    pub(super) profile_due: Option<DateTime<Utc>>,
}

impl Lane {
    pub(super) fn calls_on(&self, day: NaiveDate) -> u32 {
        let (counted, calls) = self.calls;
        if counted == day { calls } else { 0 }
    }

    /// Counts one more call on this day.
    pub(super) fn count_call(&mut self, day: NaiveDate) {
        self.calls = (day, self.calls_on(day) + 1);
    }

    pub(super) fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.lease_until.is_none_or(|until| until <= now)
    }

    pub(super) fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.ready_at <= now
    }

    /// Begins the next lease and returns its epoch.
    pub(super) fn lease(&mut self, until: DateTime<Utc>) -> i64 {
        self.epoch += 1;
        self.lease_until = Some(until);
        self.epoch
    }

    pub(super) fn is_held_under(&self, epoch: i64) -> bool {
        self.lease_until.is_some() && self.epoch == epoch
    }

    pub(super) fn forget_trouble(&mut self) {
        self.history = LaneHistory::default();
        self.probed = false;
        self.suspect = None;
        self.blocked_since = None;
        self.block_reason = None;
        self.account_fingerprint = None;
    }
}

impl Message {
    pub(super) fn claimed(
        &self,
        id: MessageId,
        aging_from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> OutboxMessage {
        OutboxMessage {
            id,
            request_id: self.request_id,
            target: self.target.clone(),
            body: self.body.clone(),
            unknowns: self.unknowns,
            overdue: between(self.due.max(aging_from), now),
            awaited: self.awaited,
            suspected: false,
            origin: self.origin.clone(),
        }
    }

    /// Whether the recipient was erased.
    pub(super) fn is_erased(&self) -> bool {
        self.target == ERASED
    }

    /// The message's place in its lane: live first, then by due time, then by id.
    pub(super) fn turn(&self, id: MessageId) -> (u8, DateTime<Utc>, MessageId) {
        let priority = match self.kind {
            MessageKind::Live => 0,
            MessageKind::Bulk => 1,
        };
        (priority, self.due, id)
    }
}

impl State {
    /// The newest message of a request.
    pub(super) fn message_of(&self, request: RequestId) -> Option<(MessageId, &Message)> {
        self.messages
            .iter()
            .filter(|(_, message)| message.request_id == request)
            .max_by_key(|(id, message)| (message.created, **id))
            .map(|(id, message)| (*id, message))
    }

    /// Queues a message.
    pub(super) fn queue(
        &mut self,
        request_id: RequestId,
        dealer_id: DealerId,
        new: &NewMessage,
        target: &Phone,
        now: DateTime<Utc>,
    ) {
        let due = new.not_before.map_or(now, |at| at.max(now));
        let before = self
            .message_of(request_id)
            .map(|(_, newest)| newest.created);
        let message = Message {
            request_id,
            dealer_id,
            kind: new.kind,
            template: new.template.clone(),
            template_version: new.template_version,
            variables: new.variables.clone(),
            target: target.national().to_owned(),
            body: new.body.clone(),
            state: MessageState::Queued,
            epoch: 0,
            unknowns: 0,
            created: before.map_or(now, |before| now.max(before + TimeDelta::microseconds(1))),
            due,
            next_try: due,
            awaited: false,
            sent_at: None,
            delivered_at: None,
            read_at: None,
            failed_at: None,
            receipt: None,
            state_id: None,
            reason: None,
            origin: new.origin.clone(),
        };
        self.messages.insert(new.id, message);
    }

    /// Sets a message's state, which may be the old one, and its request's statuses, with the provider's
    /// answer if any.
    pub(super) fn set_state(
        &mut self,
        id: MessageId,
        state: MessageState,
        answer: Option<&str>,
        now: DateTime<Utc>,
    ) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        message.state = state;
        match state {
            MessageState::Sent | MessageState::Delivered | MessageState::Read => {
                message.sent_at.get_or_insert(now);
                message.failed_at = None;
                message.reason = None;
            }
            MessageState::Failed
            | MessageState::Unknown
            | MessageState::Expired
            | MessageState::Cancelled => message.failed_at = Some(now),
            _ => {}
        }
        let request_id = message.request_id;
        let newest = self.message_of(request_id).map(|(newest, _)| newest);
        let request = self.requests.get_mut(&request_id);
        let Some(request) = request.filter(|_| newest == Some(id)) else {
            return;
        };
        let (request_status, whatsapp_status) = state.version_1();
        request.request_status = request_status.as_str().to_owned();
        request.whatsapp_status = whatsapp_status.as_str().to_owned();
        if let Some(answer) = answer.filter(|_| request.phone.as_deref() != Some(ERASED)) {
            request.provider_answer = Some(answer.to_owned());
        }
        request.last_modified_by = Some(CHANGED_BY.to_owned());
        request.last_modified_date = Some(jakarta_time(now));
    }
}

/// The time between two moments; zero when the second is not later.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
