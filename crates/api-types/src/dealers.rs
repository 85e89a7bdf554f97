//! A dealer's requests, counts and account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patterns::{DATE_TIME, PHONE};
use crate::requests::Item;
use crate::{MAX_PAGE_SIZE, Text, discreet, reply};

/// The most characters of Fonnte's answer that a test shows.
pub const SHOWN_CHARACTERS: usize = 200;

reply! {
    /// A page of a dealer's requests.
    ListReply(ListData, "The page."), example = &"Found 7 requests"
}

/// A page of a dealer's requests, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ListData {
    /// The requests of this page, newest first.
    #[schemars(length(max = MAX_PAGE_SIZE))]
    pub items: Vec<Item>,
    /// How many requests all pages have together.
    #[schemars(example = 7)]
    pub total: u64,
    /// The page that was asked for; null with a `cursor`.
    #[schemars(range(min = 1), example = 1)]
    pub page: Option<u64>,
    /// How many requests a page has at most.
    #[schemars(range(min = 1, max = MAX_PAGE_SIZE), example = 2)]
    pub page_size: u64,
    /// How many pages there are; 0 when there are no requests.
    #[schemars(example = 4)]
    pub total_pages: u64,
    /// The `cursor` of what follows after this page; null at the end. Pages by cursor cost the same
    /// at any depth, and overlap with no page before even while requests come and go.
    #[schemars(extend("example" = null))]
    pub next_cursor: Option<String>,
}

reply! {
    /// A dealer's counts.
    StatsReply(StatsData, "The dealer and its counts."), extend("enum" = ["Dealer statistics retrieved"])
}

/// A dealer and the counts of its requests in the range.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StatsData {
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The dealer's name.
    #[schemars(example = &"Dealer Demo")]
    pub dealer_name: String,
    /// Always true: a dealer that is not active is not found.
    #[schemars(extend("enum" = [true]))]
    pub is_active: bool,
    /// Whether messages can be sent: a key is set and the address is allowed.
    #[schemars(example = true)]
    pub has_fonnte_config: bool,
    /// Since when the dealer is known; a local time without a zone.
    #[schemars(regex(pattern = DATE_TIME), example = &"2025-06-01T08:00:00")]
    pub created_at: Option<String>,
    /// When the dealer was changed last; a local time without a zone.
    #[schemars(regex(pattern = DATE_TIME), example = &"2025-06-02T08:00:00")]
    pub updated_at: Option<String>,
    /// All requests of the range.
    #[schemars(example = 9)]
    pub total_requests: u64,
    /// Confirmed on the phone: DELIVERED or READ.
    #[schemars(example = 3)]
    pub delivered_count: u64,
    /// Did not arrive, or nobody knows: FAILED or ERROR.
    #[schemars(example = 2)]
    pub failed_count: u64,
    /// Accepted by Fonnte: SENT, DELIVERED or READ.
    #[schemars(example = 5)]
    pub sent_count: u64,
    /// The message waits: NOT_SENT.
    #[schemars(example = 2)]
    pub not_sent_count: u64,
    /// Delivered of all, in percent with at most two decimals; 0.0 when there are none.
    #[schemars(range(min = 0, max = 100), example = 33.33)]
    pub delivery_percentage: f64,
    /// `request_status` is PENDING.
    #[schemars(example = 2)]
    pub pending_requests: u64,
    /// `request_status` is PROCESSED.
    #[schemars(example = 5)]
    pub processed_requests: u64,
    /// `request_status` is FAILED.
    #[schemars(example = 2)]
    pub failed_requests: u64,
}

/// Where to send a real test message; without a body none is sent.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct TestBody {
    /// The Indonesian mobile number to send to, written as people write them; null sends nothing.
    #[schemars(regex(pattern = PHONE), example = &"081200001234")]
    pub target: Option<String>,
}

discreet!(TestBody);

/// The account works: its key is valid and its device connected; or the test message was accepted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TestReply {
    /// Always true.
    #[schemars(extend("enum" = [true]))]
    pub success: bool,
    /// Always 200.
    #[schemars(extend("enum" = [200]))]
    pub status_code: u16,
    /// A sentence for a person.
    #[schemars(extend("enum" = ["Connection test completed"]))]
    pub message: Text,
    /// The first 200 characters of Fonnte's answer.
    #[schemars(
        length(max = SHOWN_CHARACTERS),
        example = &r#"{"device_status":"connect","status":true}"#
    )]
    pub response_data: String,
}
