//! The messages of a request, and what waits to be sent for a dealer.

use std::collections::BTreeMap;

use domain::delivery::WaitingFor;
use domain::requests::MessageState;
use domain::template::{MAX_NAME_CHARACTERS, MAX_VARIABLES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patterns::TEMPLATE_NAME;
use crate::requests::VariableText;
use crate::{Text, discreet, reply};

reply! {
    /// The messages of a request.
    MessagesReply(Vec<MessageItem>, "The messages, oldest first."), example = &"Found 1 message"
}

reply! {
    /// A message that was queued or stopped.
    MessageReply(MessageItem, "The message."), extend("enum" = ["Message queued", "Message cancelled"])
}

/// What is to be different about a message that is sent once more; what is absent or null stays.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResendBody {
    /// The name of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS), regex(pattern = TEMPLATE_NAME), example = &"validation")]
    pub template: Option<String>,
    /// All texts for the template's variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, VariableText>>", extend("maxProperties" = MAX_VARIABLES), extend("example" = { "km": "12.000" }))]
    pub variables: Option<BTreeMap<String, String>>,
}

discreet!(ResendBody);

/// A message and what happened to it. Times are RFC 3339 in UTC.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = {
    "template_version": null, "delivered_at": null, "read_at": null, "failed_at": null, "reason": null, "waiting": null
}))]
pub struct MessageItem {
    /// The id of the message.
    #[schemars(extend("format" = "uuid"), example = &"019b8c2e-7a60-7d65-8a17-e00000000000")]
    pub id: String,
    /// What it was made for: `live`, a single submission or a resend; `bulk`; `test`.
    #[schemars(extend("enum" = ["live", "bulk", "test"]), example = &"live")]
    pub kind: Text,
    /// `QUEUED`: waits for its turn, its time or its next try. `SENDING`: a call is in flight, or its
    /// outcome is not decided yet. `SENT`, then `DELIVERED`, then `READ`: accepted by Fonnte,
    /// confirmed on the phone, read. `FAILED`: refused for good. `UNKNOWN`: it may have been sent, a
    /// person must decide. `CANCELLED`, `EXPIRED`: stopped, or too old, before it was sent.
    #[schemars(extend("enum" = MessageState::ALL.map(MessageState::as_str)), example = &"SENT")]
    pub state: Text,
    /// The name of the template it was made from.
    #[schemars(example = &"validation")]
    pub template: String,
    /// The version of the template; null for the built-in one, and where an older release made the message.
    #[schemars(range(min = 1), example = 1)]
    pub template_version: Option<u32>,
    /// The text.
    #[schemars(example = &"Halo Adit, …")]
    pub body: String,
    /// The recipient's phone, `08…`.
    #[schemars(example = &"082148523421")]
    pub target: String,
    /// When it may, or might, first be sent: `sendAt`, or when it was queued.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub scheduled_at: String,
    /// When it was queued.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: String,
    /// When Fonnte accepted it.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub sent_at: Option<String>,
    /// When it was confirmed on the phone.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub delivered_at: Option<String>,
    /// When it was read.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub read_at: Option<String>,
    /// When it failed, expired, was cancelled, or was left to a person.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub failed_at: Option<String>,
    /// The calls to Fonnte, oldest first; of more than 50 the first five and the last.
    #[schemars(length(max = 50))]
    pub attempts: Vec<AttemptItem>,
    /// Fonnte's id of the message.
    #[schemars(example = &"142223099")]
    pub fonnte_id: Option<String>,
    /// Why it ended as it did; null while it is on its way and when it was sent.
    #[schemars(example = &"target invalid")]
    pub reason: Option<String>,
    /// Why it waits; null when it is finished, while a call for it is in flight, and in the moment before
    /// that.
    pub waiting: Option<WaitingItem>,
}

discreet!(MessageItem, id);

/// A call to Fonnte.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct AttemptItem {
    /// When its outcome was recorded.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub at: String,
    /// `accepted`; `refused`: for good; `blocked`: the account cannot send; `not_sent`: nothing
    /// reached Fonnte, or it asked for patience; `unknown`: it may have been sent.
    #[schemars(extend("enum" = ["accepted", "refused", "blocked", "not_sent", "unknown"]), example = &"accepted")]
    pub outcome: Text,
    /// What Fonnte said, or what went wrong.
    #[schemars(example = &"success! message in queue")]
    pub detail: String,
    /// How long the call took, in milliseconds.
    #[schemars(example = 412)]
    pub duration_ms: u64,
}

discreet!(AttemptItem, outcome);

/// Why a message waits, or a dealer's messages as a whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "detail": null }))]
pub struct WaitingItem {
    /// What it waits for. `schedule`: its time. `turn`: others of its dealer are before it. `pace`: the
    /// pause between two calls. `retry`: the next try, after one that did not reach Fonnte or whose outcome
    /// is unknown. `account`: the dealer's account is blocked, `detail` says why. `quiet_hours`,
    /// `daily_limit`: as the dealer's settings want it. `evidence`: a report of Fonnte that tells an
    /// unknown outcome.
    #[serde(rename = "for")]
    #[schemars(extend("enum" = WaitingFor::ALL.map(WaitingFor::as_str)), example = &"quiet_hours")]
    pub reason: Text,
    /// Until when; null where nobody knows. For `turn` an estimate.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-23T00:00:00.000000Z")]
    pub until: Option<String>,
    /// More about it, for a person; phones are masked.
    #[schemars(example = &"request invalid on disconnected device")]
    pub detail: Option<String>,
}

reply! {
    /// A dealer's queue.
    QueueReply(QueueData, "The queue."), extend("enum" = ["Dealer queue retrieved"])
}

/// What waits to be sent for a dealer, and until when that takes. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct QueueData {
    /// Messages that are due and wait.
    #[schemars(example = 1200)]
    pub waiting: u64,
    /// Messages that are not due yet.
    #[schemars(example = 3)]
    pub scheduled: u64,
    /// Messages of which a call is in flight, or whose outcome is not decided yet.
    #[schemars(example = 0)]
    pub sending: u64,
    /// When the oldest of those that wait was due.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T14:00:12.101300Z")]
    pub oldest_due_at: Option<String>,
    /// Why nothing is sent for the dealer now; null when messages are sent, or would be.
    pub paused: Option<WaitingItem>,
    /// How many messages the pace allows in an hour, rounded up; null where there is no pause between
    /// calls. A call takes its time besides.
    #[schemars(range(min = 1), example = 2880)]
    pub per_hour: Option<u64>,
    /// An estimate: when the last message that is due by then will have been sent, from the pace, quiet
    /// hours, the daily limit and what waits. Calls take longer than that by themselves, and tries that
    /// fail are not foreseen. Null when nothing is to be sent, while the account is blocked, and for more
    /// than a year ahead.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-23T00:24:58.750000Z")]
    pub done_at: Option<String>,
}
