use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Attempt, BodyPrint, CHANGED_BY, Dealer, DealerId, IdempotencyKey, KEY_LIFETIME, LaneHistory,
    MessageId, MessageKind, MessageState, OutboxMessage, Receipt, Request, RequestId, jakarta_time,
};

/// All that is stored. Every port method locks it once: that is its transaction.
#[derive(Default)]
pub(super) struct State {
    pub(super) dealers: HashMap<DealerId, Dealer>,
    pub(super) requests: HashMap<RequestId, Request>,
    pub(super) messages: HashMap<MessageId, Message>,
    pub(super) lanes: BTreeMap<DealerId, Lane>,
    pub(super) attempts: Vec<RecordedAttempt>,
    pub(super) keys: HashMap<(DealerId, IdempotencyKey), UsedKey>,
}

/// A key and the request it stands for.
pub(super) struct UsedKey {
    pub(super) body: BodyPrint,
    pub(super) request: RequestId,
    pub(super) since: DateTime<Utc>,
}

impl UsedKey {
    pub(super) fn counts(&self, now: DateTime<Utc>) -> bool {
        between(self.since, now) < KEY_LIFETIME
    }
}

/// A message, queued or finished.
pub(super) struct Message {
    pub(super) request_id: RequestId,
    pub(super) dealer_id: DealerId,
    pub(super) kind: MessageKind,
    pub(super) target: String,
    pub(super) body: String,
    pub(super) state: MessageState,
    /// Under which lease of its lane it is SENDING.
    pub(super) epoch: i64,
    pub(super) unknowns: u32,
    pub(super) due: DateTime<Utc>,
    pub(super) next_try: DateTime<Utc>,
    /// Whether a status event that would tell its outcome was waited for.
    pub(super) awaited: bool,
    pub(super) receipt: Option<Receipt>,
    pub(super) reason: Option<String>,
}

/// A call that was made for a message.
pub(super) struct RecordedAttempt {
    pub(super) message: MessageId,
    pub(super) epoch: i64,
    pub(super) attempt: Attempt,
}

/// A dealer's lane.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) epoch: i64,
    /// When the lease is over; `None` when nobody holds the lane. Who holds it plays no part.
    pub(super) lease_until: Option<DateTime<Utc>>,
    /// No call before this moment.
    pub(super) ready_at: DateTime<Utc>,
    pub(super) history: LaneHistory,
    pub(super) block_reason: Option<String>,
    pub(super) account_print: Option<String>,
    /// A probe went well since the account was found blocked.
    pub(super) probed: bool,
    /// When the latest rest ends or ended.
    pub(super) rest_until: DateTime<Utc>,
    /// Calls to send, and on which day of Asia/Jakarta.
    pub(super) calls: (NaiveDate, u32),
}

impl Lane {
    pub(super) fn calls_on(&self, day: NaiveDate) -> u32 {
        let (counted, calls) = self.calls;
        if counted == day { calls } else { 0 }
    }

    pub(super) fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.lease_until.is_none_or(|until| until <= now)
    }

    pub(super) fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.ready_at <= now
    }

    /// Starts the next lease and returns its epoch.
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
        self.block_reason = None;
        self.account_print = None;
    }
}

impl Message {
    pub(super) fn claimed(
        &self,
        id: MessageId,
        rested: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> OutboxMessage {
        OutboxMessage {
            id,
            request_id: self.request_id,
            target: self.target.clone(),
            body: self.body.clone(),
            unknowns: self.unknowns,
            overdue: between(self.due.max(rested), now),
            awaited: self.awaited,
        }
    }

    /// Where the message stands in its lane: live before others, then by due time, then by id.
    pub(super) fn turn(&self, id: MessageId) -> (u8, DateTime<Utc>, MessageId) {
        let priority = match self.kind {
            MessageKind::Live => 0,
        };
        (priority, self.due, id)
    }
}

impl State {
    pub(super) fn message_of(&self, request: RequestId) -> Option<(MessageId, &Message)> {
        self.messages
            .iter()
            .find(|(_, message)| message.request_id == request)
            .map(|(id, message)| (*id, message))
    }

    /// Gives a message a state, its own or a new one, and its request the statuses that belong to
    /// it, with the provider's answer where there is one.
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
        let Some(request) = self.requests.get_mut(&message.request_id) else {
            return;
        };
        let (request_status, whatsapp_status) = state.version_1();
        request.request_status = request_status.as_str().to_owned();
        request.whatsapp_status = whatsapp_status.as_str().to_owned();
        if let Some(answer) = answer {
            request.provider_answer = Some(answer.to_owned());
        }
        request.last_modified_by = Some(CHANGED_BY.to_owned());
        request.last_modified_date = Some(jakarta_time(now));
    }
}

/// How long it is from one moment to a later one; nothing when it is not later.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
