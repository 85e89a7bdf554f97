use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};
use domain::dealers::LOW_QUOTA;
use domain::ports::StoreError;

use super::rows::seconds;
use crate::connection::Database;
use crate::sql::{self, Statement};
use crate::store::PgStore;

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
        let statement =
            Statement::new(sql::Standing).bind::<BigInt, _>("low_quota", LOW_QUOTA.cast_signed());
        let row: StandingRow = self.database.one(statement).await?;
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
