use async_trait::async_trait;
use chrono::{Datelike as _, NaiveDate, NaiveTime, Timelike as _};

use super::StoreError;
use crate::analytics::{Measure, Period};
use crate::requests::{Request, RequestId, RequestStatus, WhatsappStatus};
use crate::values::{DealerId, Search};

/// Days of `request_date`, both ends included; an absent end is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

impl DateRange {
    /// Whether a day lies in the range.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// Which requests of a dealer to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// The dealer.
    pub dealer: DealerId,
    /// The days.
    pub range: DateRange,
    /// Only these.
    pub filter: RequestFilter,
    /// The page, from 1; ignored with `after`.
    pub page: u64,
    /// The cursor: only requests after this place. Costs the same at any depth.
    pub after: Option<ListPlace>,
    /// Requests on a page, 1 to 100.
    pub page_size: u32,
}

/// A filter of a dealer's requests; an empty or absent part matches all. A missing status counts as PENDING
/// or NOT_SENT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Any of these request statuses.
    pub request_statuses: Vec<RequestStatus>,
    /// Any of these WhatsApp statuses.
    pub whatsapp_statuses: Vec<WhatsappStatus>,
    /// Only requests that match this search.
    pub search: Option<Search>,
}

impl RequestFilter {
    /// Whether requests with these statuses can match.
    #[must_use]
    pub fn wants(&self, request_status: &str, whatsapp_status: &str) -> bool {
        let request = &self.request_statuses;
        let whatsapp = &self.whatsapp_statuses;
        (request.is_empty() || request.iter().any(|one| one.as_str() == request_status))
            && (whatsapp.is_empty() || whatsapp.iter().any(|one| one.as_str() == whatsapp_status))
    }
}

/// The place of a request in its dealer's list. In numbers, because rows of other writers may hold dates and
/// times that no calendar type can: `infinity`, `24:00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListPlace {
    /// The request's `request_date` in days since 1 January 2000; the ends of the type stand for
    /// `-infinity` and `infinity`.
    pub days: i32,
    /// The request's `request_time` in microseconds since midnight.
    pub micros: i64,
    /// The request.
    pub id: RequestId,
}

impl ListPlace {
    /// The place of a request with this date and time.
    #[must_use]
    pub fn at(date: NaiveDate, time: NaiveTime, id: RequestId) -> Self {
        let micros = i64::from(time.nanosecond() / 1_000);
        Self {
            days: date.num_days_from_ce() - EPOCH,
            micros: i64::from(time.num_seconds_from_midnight()) * 1_000_000 + micros,
            id,
        }
    }
}

/// 1 January 2000, counted from 1 January of the year 1, which is day 1.
const EPOCH: i32 = 730_120;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The requests, newest first: by date, then time, then id, all descending.
    pub items: Vec<Request>,
    /// The number of requests on all pages.
    pub total: u64,
    /// Whether more requests follow after these.
    pub has_more: bool,
    /// The place of the last of these.
    pub last: Option<ListPlace>,
}

/// Which requests of all dealers to list, in one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestQuery {
    /// The days. Under a filter the store reads all requests of these days until the page is full.
    pub range: DateRange,
    /// Only these.
    pub filter: RequestFilter,
    /// Only what comes after this place.
    pub after: Option<ListPlace>,
    /// Requests on a page, 1 to 100.
    pub page_size: u32,
}

/// One page of the requests of all dealers. Nobody counts how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestPage {
    /// The requests, in the order of [`Page::items`].
    pub items: Vec<Request>,
    /// Whether more requests follow after these.
    pub has_more: bool,
    /// The place of the last of these.
    pub last: Option<ListPlace>,
}

/// A dealer's requests counted by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DealerStats {
    /// All.
    pub total: u64,
    /// `whatsapp_status` DELIVERED or READ.
    pub delivered: u64,
    /// `whatsapp_status` FAILED or ERROR.
    pub failed: u64,
    /// `whatsapp_status` SENT, DELIVERED or READ.
    pub sent: u64,
    /// `whatsapp_status` NOT_SENT.
    pub not_sent: u64,
    /// `request_status` PENDING.
    pub pending_requests: u64,
    /// `request_status` PROCESSED.
    pub processed_requests: u64,
    /// `request_status` FAILED.
    pub failed_requests: u64,
}

impl DealerStats {
    /// The share of delivered messages, in percent with two decimals; 0 when there are none.
    #[must_use]
    pub fn delivery_percentage(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let share = self.delivered as f64 / self.total as f64;
        (share * 10_000.0).round() / 100.0
    }
}

/// Which part of a dealer's list to read, however long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportQuery {
    /// The dealer.
    pub dealer: DealerId,
    /// The days.
    pub range: DateRange,
    /// Only these.
    pub filter: RequestFilter,
    /// Only what comes after this place of the list.
    pub after: Option<ListPlace>,
    /// At most so many requests.
    pub most: u32,
}

/// A part of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPart {
    /// The requests; there may be none before the end, where few are meant.
    pub items: Vec<Request>,
    /// Where the next part begins; none at the end.
    pub next: Option<ListPlace>,
}

/// Requests of a day or an hour with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// `request_date`
    pub day: NaiveDate,
    /// The hour of `request_time`, where hours are counted, else 0.
    pub hour: u32,
    /// A missing one is NOT_SENT.
    pub whatsapp_status: String,
    /// How many.
    pub requests: u64,
}

/// Requests of a dealer with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealerTally {
    /// The dealer's number.
    pub dealer_id: String,
    /// Its name; none where nobody knows the dealer any more.
    pub dealer_name: Option<String>,
    /// A missing one is NOT_SENT.
    pub whatsapp_status: String,
    /// How many.
    pub requests: u64,
}

/// Messages that took so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondsFact {
    /// For what.
    pub measure: Measure,
    /// See [`whole_seconds`](crate::analytics::whole_seconds).
    pub seconds: u32,
    /// How many.
    pub messages: u64,
}

/// What is counted for [`AnalyticsReport`](crate::analytics::AnalyticsReport), all of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// By day, or by hour in a period of hours; no two of the same.
    pub tallies: Vec<Tally>,
    /// By dealer, where all dealers are asked about.
    pub dealers: Vec<DealerTally>,
    /// Requests by weekday, from Monday, and hour.
    pub hours: [[u64; 24]; 7],
    /// Requests by the type of the unit, at least the [most frequent](crate::analytics::MOST_LISTED), each as it is
    /// written most often.
    pub units: Vec<(String, u64)>,
    /// Requests whose newest message is FAILED, and why: at least the most frequent reasons.
    pub failures: Vec<(Option<String>, u64)>,
    /// How long all messages of the requests took.
    pub seconds: Vec<SecondsFact>,
}

/// Lists and counts of stored requests.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Reports: Send + Sync {
    /// One page of a dealer's requests.
    async fn list(&self, query: &PageQuery) -> Result<Page, StoreError>;

    /// One page of the requests of all dealers.
    async fn newest(&self, query: &NewestQuery) -> Result<NewestPage, StoreError>;

    /// The counts of a dealer's requests; a missing status counts as PENDING and NOT_SENT.
    async fn stats(&self, dealer: &DealerId, range: DateRange) -> Result<DealerStats, StoreError>;

    /// What is counted about the requests of a dealer, or of all, in a period.
    async fn facts(&self, dealer: Option<DealerId>, period: &Period) -> Result<Facts, StoreError>;

    /// Reads a part of a dealer's list. Each part is of its own moment.
    async fn part(&self, query: &ExportQuery) -> Result<ExportPart, StoreError>;
}
