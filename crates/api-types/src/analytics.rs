//! What is told about the requests of some days.

use domain::analytics::{MOST_BUCKETS, MOST_LISTED};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reply;

reply! {
    /// What is told about a period.
    AnalyticsReply(AnalyticsData, "The counts."), extend("enum" = ["Analytics retrieved"])
}

/// Counts of a period. All but the seconds are of requests, by `request_date` and `request_time`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AnalyticsData {
    /// What each entry of `series` counts.
    #[schemars(extend("enum" = ["hour", "day", "week", "month"]), example = &"day")]
    pub bucket: String,
    /// Every bucket of the period, zeros too.
    #[schemars(length(max = MOST_BUCKETS))]
    pub series: Vec<SeriesItem>,
    /// The whole period.
    pub totals: CountsItem,
    /// Why messages are FAILED, the most frequent reasons first: of requests whose newest message is. What was
    /// cancelled or expired is not among them.
    #[schemars(length(max = MOST_LISTED))]
    pub failures: Vec<FailureItem>,
    /// From when a message was due (`sendAt`, else queued) until Fonnte accepted it.
    pub send_seconds: PercentilesItem,
    /// From there until the phone confirmed it.
    pub delivery_seconds: PercentilesItem,
    /// From there until it was read.
    pub read_seconds: PercentilesItem,
    /// The types of units with the most requests, in whatever case and with whatever blanks they are written;
    /// behind them `null` for the rest, where there is one.
    #[schemars(length(max = MOST_LISTED + 1))]
    pub units: Vec<UnitItem>,
    /// Requests by weekday and hour: 7 lists, the first one of Mondays, of 24.
    #[schemars(length(min = 7, max = 7), example = sunday_afternoon())]
    pub hours: Vec<Vec<u64>>,
    /// Of all dealers: those that have requests in the period, the one with the most first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dealers: Option<Vec<DealerCountsItem>>,
}

/// Nine requests on Sundays after 15:00, for the example.
fn sunday_afternoon() -> Vec<Vec<u64>> {
    let mut hours = vec![vec![0; 24]; 7];
    hours[6][15] = 9;
    hours
}

/// How many requests are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountsItem {
    /// All.
    #[schemars(example = 9)]
    pub requests: u64,
    /// Accepted by Fonnte: SENT, DELIVERED or READ.
    #[schemars(example = 5)]
    pub sent: u64,
    /// Confirmed on the phone: DELIVERED or READ.
    #[schemars(example = 3)]
    pub delivered: u64,
    /// READ.
    #[schemars(example = 1)]
    pub read: u64,
    /// FAILED: refused for good, expired or cancelled.
    #[schemars(example = 1)]
    pub failed: u64,
    /// ERROR: the outcome is unknown.
    #[schemars(example = 1)]
    pub unknown: u64,
    /// NOT_SENT: the message waits.
    #[schemars(example = 2)]
    pub not_sent: u64,
}

/// The counts of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SeriesItem {
    /// When the bucket begins, a local date, or a local time without a zone for hours. That of a week, from
    /// Monday on, or of a month may lie before the period; the counts do not.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}(T\d{2}:00:00)?$"), example = &"2026-11-22")]
    pub start: String,
    /// Of the bucket's part of the period.
    #[serde(flatten)]
    pub counts: CountsItem,
}

/// The counts of a dealer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DealerCountsItem {
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The dealer's name; null for one that is not known any more.
    #[schemars(example = &"Dealer Demo")]
    pub dealer_name: Option<String>,
    /// Of the period.
    #[serde(flatten)]
    pub counts: CountsItem,
}

/// How often messages failed for a reason.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FailureItem {
    /// Fonnte's words, phones masked; null where it had none.
    #[schemars(example = &"target invalid")]
    pub reason: Option<String>,
    /// How many requests.
    #[schemars(example = 1)]
    pub count: u64,
}

/// The smallest numbers of seconds that 50, 95 and 99 % of the messages do not exceed: in whole seconds to 120,
/// beyond in steps of 2 %; null where there are no messages. Of all messages of the requests, those that were
/// resent included; an erased person's stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PercentilesItem {
    /// Of half of the messages.
    #[schemars(example = 2)]
    pub p50: Option<u32>,
    /// Of 95 %.
    #[schemars(example = 9)]
    pub p95: Option<u32>,
    /// Of 99 %.
    #[schemars(example = 149)]
    pub p99: Option<u32>,
}

/// How many requests were about a type of unit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UnitItem {
    /// The type as it is written most often; null for all that are not listed.
    #[schemars(example = &"BeAT Street")]
    pub unit_type: Option<String>,
    /// How many requests.
    #[schemars(example = 9)]
    pub requests: u64,
}
