//! What customers write back, and who wants no messages any more.

use domain::replies::LONGEST_NOTE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patterns::{PHONE, SEEN};
use crate::{MAX_PAGE_SIZE, Text, discreet, reply};

reply! {
    /// A page of replies.
    RepliesReply(RepliesData, "The page."), example = &"Found 1 reply"
}

/// A page of replies, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RepliesData {
    /// The replies of this page.
    #[schemars(length(max = MAX_PAGE_SIZE))]
    pub items: Vec<ReplyItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"4d2")]
    pub next_cursor: Option<String>,
}

/// What a customer wrote back.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReplyItem {
    /// The id.
    #[schemars(extend("format" = "uuid"), example = &"7b1e2f64-90c2-4f0b-8f0a-6f2f4f7d9a11")]
    pub id: String,
    /// When it was stored, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:31:02.101300Z")]
    pub at: String,
    /// The sender's phone.
    #[schemars(example = &"082148523421")]
    pub phone: String,
    /// The name that the sender has in WhatsApp.
    #[schemars(example = &"Adit")]
    pub name: Option<String>,
    /// The text; null for media without a caption.
    #[schemars(example = &"Terima kasih")]
    pub text: Option<String>,
    /// The request of that phone at this dealer that was the newest then.
    #[schemars(extend("format" = "uuid"), example = &"23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub request_id: Option<String>,
}

discreet!(ReplyItem, id);

/// Who shall get no more messages.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct OptOutBody {
    /// The phone, an Indonesian mobile number written as people write them.
    #[schemars(regex(pattern = PHONE), example = &"082148523421")]
    pub phone: String,
    /// Why, for those who read the list.
    #[schemars(length(min = 1, max = LONGEST_NOTE), regex(pattern = SEEN), example = &"asked at the counter")]
    pub note: Option<String>,
}

discreet!(OptOutBody);

reply! {
    /// A page of opt-outs.
    OptOutsReply(OptOutsData, "The page."), example = &"Found 1 opt-out"
}

/// A page of opt-outs, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OptOutsData {
    /// The opt-outs of this page.
    #[schemars(length(max = MAX_PAGE_SIZE))]
    pub items: Vec<OptOutItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"4d2")]
    pub next_cursor: Option<String>,
}

reply! {
    /// An opt-out.
    OptOutReply(OptOutItem, "The opt-out."), extend("enum" = ["Phone opted out", "Phone was opted out before"])
}

/// A phone that gets no messages of the dealer.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct OptOutItem {
    /// The phone; null where the person was erased: it still gets none.
    #[schemars(example = &"082148523421")]
    pub phone: Option<String>,
    /// `reply`: by a reply. `manual`: by somebody with a key.
    #[schemars(extend("enum" = ["reply", "manual"]), example = &"manual")]
    pub origin: Text,
    /// What was noted.
    #[schemars(example = &"asked at the counter")]
    pub note: Option<String>,
    /// Since when, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:31:02.101300Z")]
    pub at: String,
}

discreet!(OptOutItem, origin);
