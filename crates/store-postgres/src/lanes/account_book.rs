//! The provider's last word about dealers' accounts, kept with their lanes.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{AccountBook, AccountProfile, StoreError};
use domain::values::DealerId;

use super::rows::{dealer, quota};
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

sql_row! {
    struct DealerRow {
        dealer_id: String,
    }
}

#[async_trait]
impl AccountBook for PgStore {
    async fn take_due(
        &self,
        limit: usize,
        active: Duration,
        lease: Duration,
    ) -> Result<Vec<DealerId>, StoreError> {
        let statement = Statement::new(sql::TakeDue)
            .bind("most", i64::try_from(limit).unwrap_or(i64::MAX))
            .bind("active_seconds", active.as_secs_f64())
            .bind("lease_seconds", lease.as_secs_f64());
        let rows: Vec<DealerRow> = self.database.all(statement).await?;
        rows.iter().map(|row| dealer(&row.dealer_id)).collect()
    }

    async fn keep_profile(
        &self,
        dealer: &DealerId,
        profile: &AccountProfile,
        again: Duration,
    ) -> Result<(), StoreError> {
        let statement = Statement::new(sql::KeepProfile)
            .bind("dealer_id", dealer.as_str())
            .bind("quota_left", quota(profile.quota_left))
            .bind("expires_on", profile.expires_on)
            .bind("again_seconds", again.as_secs_f64());
        self.database.run(statement).await?;
        Ok(())
    }
}
