//! Keys, the audit, and what is stored about a person.

use std::collections::BTreeMap;

use domain::access::{KeyName, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::messages::MessageItem;
use crate::patterns::{KEY_ID, PHONE};
use crate::replies::{OptOutItem, ReplyItem};
use crate::requests::{DEALER_ID, Item};
use crate::{MAX_PAGE_SIZE, Text, discreet, reply};

/// The most keys that are listed.
pub const MAX_KEYS: u32 = 1_000;

/// The most replies, and opt-outs, of an export.
pub const EXPORTED_REPLIES: usize = 1_000;

/// The most requests on a page of an export.
pub const EXPORT_PAGE_SIZE: usize = 100;

/// One of the scopes that a key can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeName(pub Text);

impl JsonSchema for ScopeName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Text {
        "ScopeName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Scope::ALL.map(Scope::as_str) })
    }
}

impl From<Scope> for ScopeName {
    fn from(scope: Scope) -> Self {
        Self(scope.as_str().into())
    }
}

/// A key that is wanted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewKeyBody {
    /// What people call it; the audit and the logs name it.
    #[schemars(length(min = 1, max = KeyName::MAX), example = &"Bengkel 0009999")]
    pub name: String,
    /// The dealer whose data it opens, and no other's; absent or null: head office.
    #[schemars(length(min = DEALER_ID.0, max = DEALER_ID.1), example = &"0009999")]
    pub dealer_id: Option<String>,
    /// What it may be used for: `read`, `write`; for head office `admin`, which includes both.
    #[schemars(length(min = 1), extend("example" = ["read", "write"]))]
    pub scopes: Vec<ScopeName>,
    /// From when on it is none any more: RFC 3339 with an offset; absent or null: never.
    #[schemars(extend("format" = "date-time"), example = &"2027-11-22T00:00:00+07:00")]
    pub expires_at: Option<String>,
}

/// The keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeysReply {
    /// Always true.
    #[schemars(extend("enum" = [true]))]
    pub success: bool,
    /// A sentence for a person.
    #[schemars(example = &"Found 1 key")]
    pub message: Text,
    /// Those in force first, then the newest first; at most 1,000.
    #[schemars(length(max = MAX_KEYS))]
    pub data: Vec<KeyItem>,
}

reply! {
    /// A key that was revoked.
    KeyReply(KeyItem, "The key."), extend("enum" = ["Key revoked"])
}

reply! {
    /// A key that was made; `key` is shown this once.
    MadeKeyReply(MadeKeyData, "The key, whole this once."), extend("enum" = ["Key created; it is shown this once"])
}

/// A key, with its secret this once. Times are RFC 3339 in UTC.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct MadeKeyData {
    /// The public part, by which it is listed, logged and revoked.
    #[schemars(regex(pattern = KEY_ID), example = &"3f9c1a7be2d40586")]
    pub id: String,
    /// The whole key. It is kept nowhere and cannot be shown again.
    #[schemars(
        regex(pattern = "^csk_[0-9a-f]{16}_[0-9a-f]{72}$"),
        extend("example" = "csk_3f9c1a7be2d40586_…")
    )]
    pub key: String,
    /// What people call it.
    #[schemars(example = &"Bengkel 0009999")]
    pub name: String,
    /// The dealer whose data it opens; null: head office.
    #[schemars(example = &"0009999")]
    pub dealer_id: Option<String>,
    /// What it may be used for.
    #[schemars(extend("example" = ["read", "write"]))]
    pub scopes: Vec<ScopeName>,
    /// When it was made.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: String,
    /// From when on it is none any more; null: never.
    #[schemars(extend("format" = "date-time"), example = &"2027-11-21T17:00:00.000000Z")]
    pub expires_at: Option<String>,
}

discreet!(MadeKeyData, id);

/// A key without its secret. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "revoked_at": null }))]
pub struct KeyItem {
    /// The public part, by which it is listed, logged and revoked.
    #[schemars(regex(pattern = KEY_ID), example = &"3f9c1a7be2d40586")]
    pub id: String,
    /// What people call it.
    #[schemars(example = &"Bengkel 0009999")]
    pub name: String,
    /// The dealer whose data it opens; null: head office.
    #[schemars(example = &"0009999")]
    pub dealer_id: Option<String>,
    /// What it may be used for.
    #[schemars(extend("example" = ["read", "write"]))]
    pub scopes: Vec<ScopeName>,
    /// `in_force`, `expired` or `revoked`.
    #[schemars(extend("enum" = ["in_force", "expired", "revoked"]), example = &"in_force")]
    pub status: Text,
    /// When it was made.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: String,
    /// From when on it is none any more; null: never.
    #[schemars(extend("format" = "date-time"), example = &"2027-11-21T17:00:00.000000Z")]
    pub expires_at: Option<String>,
    /// Since when it is revoked; null: it is not.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:25:47.230100Z")]
    pub revoked_at: Option<String>,
}

reply! {
    /// A page of the audit.
    AuditReply(AuditData, "The page."), extend("enum" = ["Audit retrieved"])
}

/// A page of the audit, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "next_cursor": null }))]
pub struct AuditData {
    /// The lines of this page, newest first.
    #[schemars(length(max = MAX_PAGE_SIZE))]
    pub items: Vec<AuditItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"4d2")]
    pub next_cursor: Option<String>,
}

/// Who did what to which dealer, and when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AuditItem {
    /// When: RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub at: String,
    /// The name of the key; `anonymous` where keys are not asked for, `command line` for the
    /// program's own commands.
    #[schemars(example = &"Kantor pusat")]
    pub actor: String,
    /// What was done: `message.resend`, `message.cancel`, `api_key.create`, `api_key.revoke`,
    /// `settings.change`, `dealer.add`, `dealer.set_key`, `secrets.reseal`, `template.change`,
    /// `template.remove`, `person.erase`, `person.export`.
    #[schemars(example = &"message.cancel")]
    pub action: String,
    /// To which dealer; null where it concerns none.
    #[schemars(example = &"0009999")]
    pub dealer_id: Option<String>,
    /// The `X-Request-Id` of the call; null where there was none.
    #[schemars(example = &"4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e")]
    pub request_id: Option<String>,
    /// What exactly, for people. Never a secret, never personal data but a masked phone.
    #[schemars(example = &"request 23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub detail: String,
    /// The id of the key, because names may be given twice; null where there was none.
    #[schemars(regex(pattern = KEY_ID), example = &"8a01c4d2e6f7b935")]
    pub key_id: Option<String>,
}

/// Who is to be erased.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErasureBody {
    /// The person's phone, an Indonesian mobile number written as people write them.
    #[schemars(regex(pattern = PHONE), example = &"082148523421")]
    pub phone: String,
}

discreet!(ErasureBody);

reply! {
    /// What was erased.
    ErasureReply(ErasureData, "How much was erased."), extend("enum" = ["Person erased"])
}

/// How much was erased by this call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErasureData {
    /// Requests whose name, phone, plate and stored answer are gone.
    #[schemars(example = 3)]
    pub requests: u64,
    /// Messages whose text and recipient are gone.
    #[schemars(example = 4)]
    pub messages: u64,
    /// Of those the ones that waited to be sent, and never will be.
    #[schemars(example = 1)]
    pub cancelled: u64,
    /// Reports of Fonnte whose text is gone.
    #[schemars(example = 6)]
    pub events: u64,
    /// Replies that are gone.
    #[schemars(example = 2)]
    pub replies: u64,
}

/// Whose data is to be shown.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportBody {
    /// The person's phone, an Indonesian mobile number written as people write them.
    #[schemars(regex(pattern = PHONE), example = &"082148523421")]
    pub phone: String,
    /// The `next_cursor` of the page before; absent or null: the first page.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"), example = &"23f164116eb24829a9649ad1f0e0cc22")]
    pub cursor: Option<String>,
}

discreet!(ExportBody);

reply! {
    /// What is stored about a person.
    ExportReply(ExportData, "The page."), extend("enum" = ["Personal data retrieved"])
}

/// A page of what is stored about a person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "next_cursor": null }))]
pub struct ExportData {
    /// The requests of this page, at most 100, of all dealers, in the order of their ids.
    #[schemars(length(max = EXPORT_PAGE_SIZE))]
    pub items: Vec<ExportItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"23f164116eb24829a9649ad1f0e0cc22")]
    pub next_cursor: Option<String>,
    /// On the first page what the person wrote back, newest first, at most 1,000.
    #[schemars(length(max = EXPORTED_REPLIES))]
    pub replies: Vec<ExportReplyItem>,
    /// On the first page of which dealers' messages the person opted out.
    #[schemars(length(max = EXPORTED_REPLIES))]
    pub opt_outs: Vec<ExportOptOut>,
}

/// A reply with its dealer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportReplyItem {
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The reply.
    #[serde(flatten)]
    pub reply: ReplyItem,
}

/// An opt-out with its dealer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportOptOut {
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The opt-out.
    #[serde(flatten)]
    pub opt_out: OptOutItem,
}

/// A request with its messages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportItem {
    /// The request.
    pub request: Item,
    /// Its messages, oldest first.
    pub messages: Vec<ExportMessage>,
}

/// A message with all that was given for it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportMessage {
    /// The message.
    #[serde(flatten)]
    pub message: MessageItem,
    /// What was given for the variables of its template.
    #[schemars(extend("example" = { "km": "12.000" }))]
    pub variables: BTreeMap<String, String>,
}

discreet!(ExportMessage);
