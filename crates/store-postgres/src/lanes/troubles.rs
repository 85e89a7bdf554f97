use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Visibility;
use domain::ports::{DealerTrouble, KnownQuota, StoreError, Troubles};
use domain::values::DealerId;

use super::rows::{dealer, quota};
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

sql_row! {
    struct TroubleRow {
        dealer_id: String,
        dealer_name: Option<String>,
        blocked_since: Option<DateTime<Utc>>,
        block_reason: Option<String>,
        quota_left: Option<i64>,
        quota_at: Option<DateTime<Utc>>,
        quota_low_at: i64,
        expires_on: Option<NaiveDate>,
        waiting: i64,
        oldest_due_at: Option<DateTime<Utc>>,
        stands_since: Option<DateTime<Utc>>,
        unknown: i64,
    }
}

#[async_trait]
impl Troubles for PgStore {
    async fn troubles(
        &self,
        seen: &Visibility,
        low_quota: u64,
        ends_by: NaiveDate,
    ) -> Result<Vec<DealerTrouble>, StoreError> {
        let _turn = self.turn().await?;
        let statement = Statement::new(sql::Troubles)
            .bind("dealer_id", seen.dealer().map(DealerId::as_str))
            .bind("low_quota", quota(Some(low_quota)))
            .bind("ends_by", ends_by);
        let rows: Vec<TroubleRow> = self.database.all(statement).await?;
        rows.into_iter().map(DealerTrouble::try_from).collect()
    }
}

impl TryFrom<TroubleRow> for DealerTrouble {
    type Error = StoreError;

    fn try_from(row: TroubleRow) -> Result<Self, StoreError> {
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        let known = row.quota_left.zip(row.quota_at);
        Ok(Self {
            dealer_id: dealer(&row.dealer_id)?,
            dealer_name: row.dealer_name,
            blocked_since: row.blocked_since,
            block_reason: row.block_reason,
            quota: known.map(|(left, at)| KnownQuota {
                left: count(left),
                at,
            }),
            quota_low_at: count(row.quota_low_at),
            expires_on: row.expires_on,
            waiting: count(row.waiting),
            oldest_due_at: row.oldest_due_at,
            stands_since: row.stands_since,
            unknown: count(row.unknown),
        })
    }
}
