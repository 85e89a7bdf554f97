use async_trait::async_trait;
use chrono::NaiveDate;

use super::StoreError;
use crate::{DealerId, Request};

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
    /// The page, from 1.
    pub page: u64,
    /// Requests on a page, 1 to 100.
    pub page_size: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The requests, newest first: by date, then time, then id, all descending.
    pub items: Vec<Request>,
    /// How many requests all pages have together.
    pub total: u64,
}

/// How many requests of a dealer are in which state.
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
    /// Delivered of all, in percent with two decimals; 0 when there are none.
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

/// Lists and counts of stored requests.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Reports: Send + Sync {
    /// One page of a dealer's requests.
    async fn list(&self, query: &PageQuery) -> Result<Page, StoreError>;

    /// The counts of a dealer's requests; a missing status counts as PENDING and NOT_SENT.
    async fn stats(&self, dealer: &DealerId, range: DateRange) -> Result<DealerStats, StoreError>;
}
