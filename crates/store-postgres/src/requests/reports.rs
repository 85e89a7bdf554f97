use std::time::Duration;

use async_trait::async_trait;
use diesel::pg::data_types::PgDate;
use domain::analytics::Period;
use domain::ports::{
    DateRange, DealerStats, ExportPart, ExportQuery, Facts, NewestPage, NewestQuery, Page,
    PageQuery, Reports, StoreError,
};
use domain::values::DealerId;
use tokio::sync::SemaphorePermit;

use super::counts::{self, StatusCount};
use super::lists;
use crate::connection::Connection;
use crate::reports::{export, facts};
use crate::requests::odd::pg_date;
use crate::store::PgStore;

#[async_trait]
impl Reports for PgStore {
    async fn list(&self, query: &PageQuery) -> Result<Page, StoreError> {
        let _turn = self.turn().await?;
        self.database
            .ask_again(|mut connection| async move { lists::page(&mut connection, query).await })
            .await
    }

    async fn newest(&self, query: &NewestQuery) -> Result<NewestPage, StoreError> {
        let _turn = self.turn().await?;
        self.database
            .ask_again(|mut connection| async move { lists::newest(&mut connection, query).await })
            .await
    }

    async fn stats(&self, dealer: &DealerId, range: DateRange) -> Result<DealerStats, StoreError> {
        let _turn = self.turn().await?;
        let groups = self
            .database
            .ask_again(|mut connection| async move {
                counts::count(&mut connection, dealer.as_str(), ends(range)).await
            })
            .await?;
        Ok(groups.iter().fold(DealerStats::default(), add))
    }

    async fn facts(&self, dealer: Option<DealerId>, period: &Period) -> Result<Facts, StoreError> {
        let dealer = dealer.as_ref();
        let asking = |mut connection: Connection| async move {
            facts::facts(&mut connection, dealer, period).await
        };
        self.reports().ask_again(asking).await
    }

    async fn part(&self, query: &ExportQuery) -> Result<ExportPart, StoreError> {
        let asking =
            |mut connection: Connection| async move { export::part(&mut connection, query).await };
        self.reports().ask_again(asking).await
    }
}

impl PgStore {
    /// Waits for a report's permit.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        tokio::time::timeout(TURN_TIMEOUT, self.for_reports.acquire())
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(|closed| StoreError::Unavailable(closed.into()))
    }
}

/// How long a report waits for its permit (chosen).
const TURN_TIMEOUT: Duration = Duration::from_secs(1);

/// `-infinity` and `infinity`.
const BEFORE_ALL: PgDate = PgDate(i32::MIN);
const AFTER_ALL: PgDate = PgDate(i32::MAX);

/// The ends of a range; an open end is infinite, so that one prepared statement suffices.
pub(crate) fn ends(range: DateRange) -> (PgDate, PgDate) {
    (
        range.from.map_or(BEFORE_ALL, pg_date),
        range.to.map_or(AFTER_ALL, pg_date),
    )
}

/// Adds a group of rows to the counts.
fn add(mut stats: DealerStats, group: &StatusCount) -> DealerStats {
    let rows = count(group.rows);
    stats.total += rows;
    match group.request_status.as_str() {
        "PENDING" => stats.pending_requests += rows,
        "PROCESSED" => stats.processed_requests += rows,
        "FAILED" => stats.failed_requests += rows,
        _ => {}
    }
    match group.whatsapp_status.as_str() {
        "NOT_SENT" => stats.not_sent += rows,
        "SENT" => stats.sent += rows,
        "DELIVERED" | "READ" => {
            stats.sent += rows;
            stats.delivered += rows;
        }
        "FAILED" | "ERROR" => stats.failed += rows,
        _ => {}
    }
    stats
}

/// PostgreSQL's signed count, which is never negative.
fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
