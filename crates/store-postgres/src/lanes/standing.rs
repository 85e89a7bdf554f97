use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};
use domain::{LOW_QUOTA, StoreError};

use super::rows::seconds;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::connection::{Database, failed};
use crate::store::PgStore;

/// Reads the queue's index and the lanes, of which there is one for each dealer.
const STANDING: &str = "
, head AS (
    -- A lane that neither waits nor rests has no excuse: its first message should be on its way.
    SELECT m.due_at FROM lane l
    CROSS JOIN LATERAL (
        SELECT due_at FROM message m
        WHERE m.dealer_id = l.dealer_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
            AND m.sent_at IS NULL AND m.failed_at IS NULL
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) m
    WHERE l.blocks = 0 AND l.strikes = 0
        AND coalesce(l.rest_until, '-infinity') <= now() AND m.due_at <= now()
), past_due AS (
    SELECT count(*) AS messages FROM message
    WHERE state = 'QUEUED' AND due_at <= now() AND sent_at IS NULL AND failed_at IS NULL
), account AS (
    -- Of those who send: what an account that is no longer used has left is of no interest.
    SELECT min(quota_left) AS lowest_quota,
        count(*) FILTER (WHERE quota_left < (SELECT low_quota FROM input)) AS low_on_quota,
        count(*) FILTER (WHERE expires_on < (now() AT TIME ZONE INTERVAL '+07:00')::date + 7) AS expiring
    FROM lane WHERE last_sent_at > now() - INTERVAL '7 days'
), blocked AS (
    SELECT count(*) AS lanes, min(blocked_since) AS since FROM lane WHERE blocks > 0
)
SELECT a.lowest_quota, a.low_on_quota, a.expiring, p.messages AS past_due, b.lanes AS blocked,
    extract(epoch FROM now() - b.since)::float8 AS blocked_seconds,
    extract(epoch FROM now() - (SELECT min(due_at) FROM head))::float8 AS unhindered_seconds
FROM past_due p, blocked b, account a, input";

/// How the queue and its lanes stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many queued messages are due.
    pub past_due: u64,
    /// How long ago the oldest message was due that nothing holds up: its lane is not blocked, does
    /// not wait for the provider and does not rest. `None` when there is none.
    pub oldest_unhindered: Option<Duration>,
    /// How many lanes are blocked.
    pub blocked_lanes: u64,
    /// For how long the lane has been blocked that is longest.
    pub oldest_block: Option<Duration>,
    /// The least that is left of a quota, of accounts that sent something within 7 days. `None` when
    /// none is known.
    pub lowest_quota: Option<u64>,
    /// How many of these have less than [`LOW_QUOTA`] left.
    pub low_on_quota: u64,
    /// How many of these end within 7 days, or have ended.
    pub expiring: u64,
}

/// How the connections are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// How many there may be.
    pub most: usize,
    /// How many there are.
    pub open: usize,
    /// How many of those are idle.
    pub idle: usize,
    /// How many questions wait for one.
    pub waiting: usize,
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    lowest_quota: Option<i64>,
    #[diesel(sql_type = BigInt)]
    low_on_quota: i64,
    #[diesel(sql_type = BigInt)]
    expiring: i64,
    #[diesel(sql_type = BigInt)]
    past_due: i64,
    #[diesel(sql_type = BigInt)]
    blocked: i64,
    #[diesel(sql_type = Nullable<Double>)]
    blocked_seconds: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    unhindered_seconds: Option<f64>,
}

impl PgStore {
    /// How the queue and its lanes stand.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let statement = Statement::new(STANDING)
            .with::<BigInt, _>("bigint AS low_quota", LOW_QUOTA.cast_signed());
        let row: StandingRow = self
            .database
            .ask(|mut connection| async move {
                statement.one_row(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(Standing {
            past_due: u64::try_from(row.past_due).unwrap_or(0),
            oldest_unhindered: row.unhindered_seconds.map(seconds),
            blocked_lanes: u64::try_from(row.blocked).unwrap_or(0),
            oldest_block: row.blocked_seconds.map(seconds),
            lowest_quota: row
                .lowest_quota
                .map(|left| u64::try_from(left).unwrap_or(0)),
            low_on_quota: u64::try_from(row.low_on_quota).unwrap_or(0),
            expiring: u64::try_from(row.expiring).unwrap_or(0),
        })
    }

    /// How the connections are used at this moment; asks nobody.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let mut total = PoolUse::default();
        for pool in self.databases().map(Database::pool_use) {
            total.most += pool.max_size;
            total.open += pool.size;
            total.idle += pool.available;
            total.waiting += pool.waiting;
        }
        total
    }
}
