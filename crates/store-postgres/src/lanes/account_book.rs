//! What the provider last said about dealers' accounts; it is kept with their lanes.

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Double, Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::{AccountBook, AccountProfile, DealerId, StoreError};

use super::rows::dealer;
use crate::connection::failed;
use crate::connection::statement::Statement;
use crate::store::PgStore;

/// Looks at all lanes, which are as many as dealers.
const TAKE_DUE: &str = "
, due AS (
    SELECT l.dealer_id FROM lane l, input i
    WHERE l.last_sent_at > now() - make_interval(secs => i.active_seconds)
        AND (l.profile_due_at IS NULL OR l.profile_due_at <= now())
    ORDER BY l.profile_due_at NULLS FIRST LIMIT (SELECT most FROM input)
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE lane l SET profile_due_at = now() + make_interval(secs => i.lease_seconds)
FROM due d, input i
WHERE l.dealer_id = d.dealer_id
RETURNING l.dealer_id::text";

const KEEP: &str = "
INSERT INTO lane AS l (dealer_id, quota_left, quota_at, expires_on, profile_due_at)
SELECT i.dealer_id, i.quota_left, CASE WHEN i.quota_left IS NOT NULL THEN now() END, i.expires_on,
    now() + make_interval(secs => i.again_seconds)
FROM input i
ON CONFLICT (dealer_id) DO UPDATE SET
    quota_left = coalesce(excluded.quota_left, l.quota_left),
    quota_at = coalesce(excluded.quota_at, l.quota_at),
    expires_on = coalesce(excluded.expires_on, l.expires_on),
    profile_due_at = excluded.profile_due_at";

#[derive(QueryableByName)]
struct DealerRow {
    #[diesel(sql_type = Text)]
    dealer_id: String,
}

#[async_trait]
impl AccountBook for PgStore {
    async fn take_due(
        &self,
        limit: usize,
        active: Duration,
        lease: Duration,
    ) -> Result<Vec<DealerId>, StoreError> {
        let statement = Statement::new(TAKE_DUE)
            .with::<BigInt, _>("bigint AS most", i64::try_from(limit).unwrap_or(i64::MAX))
            .with::<Double, _>("float8 AS active_seconds", active.as_secs_f64())
            .with::<Double, _>("float8 AS lease_seconds", lease.as_secs_f64());
        let rows: Vec<DealerRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
        rows.iter().map(|row| dealer(&row.dealer_id)).collect()
    }

    async fn keep_profile(
        &self,
        dealer: &DealerId,
        profile: &AccountProfile,
        again: Duration,
    ) -> Result<(), StoreError> {
        let statement = Statement::new(KEEP)
            .with::<Text, _>("varchar AS dealer_id", dealer.as_str())
            .with::<Nullable<BigInt>, _>("bigint AS quota_left", quota(profile.quota_left))
            .with::<Nullable<Date>, _>("date AS expires_on", profile.expires_on)
            .with::<Double, _>("float8 AS again_seconds", again.as_secs_f64());
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(())
    }
}

/// A quota as it is stored; beyond what fits it makes no difference.
pub(crate) fn quota(left: Option<u64>) -> Option<i64> {
    left.map(|left| i64::try_from(left).unwrap_or(i64::MAX))
}
