use std::time::Duration;

use domain::dealers::LOW_QUOTA;
use domain::ports::StoreError;

use super::rows::seconds;
use crate::connection::Database;
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

/// The state of the queue and its lanes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many queued messages are due.
    pub past_due: u64,
    /// Age of the oldest due message in a lane that is not blocked, does not wait for the provider and does
    /// not rest. `None` when there is none.
    pub oldest_unhindered: Option<Duration>,
    /// How many lanes are blocked.
    pub blocked_lanes: u64,
    /// How long the longest-blocked lane has been blocked.
    pub oldest_block: Option<Duration>,
    /// The lowest known quota of accounts that sent something within 7 days. `None` when none is known.
    pub lowest_quota: Option<u64>,
    /// How many of these accounts have less left than their dealer's settings say, or [`LOW_QUOTA`].
    pub low_on_quota: u64,
    /// How many of these accounts end within 7 days, or have ended.
    pub expiring: u64,
}

/// The use of the connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// The most connections.
    pub most: usize,
    /// The open connections.
    pub open: usize,
    /// The idle ones of those.
    pub idle: usize,
    /// The questions that wait for a connection.
    pub waiting: usize,
}

sql_row! {
    struct StandingRow {
        lowest_quota: Option<i64>,
        low_on_quota: i64,
        expiring: i64,
        past_due: i64,
        blocked: i64,
        blocked_seconds: Option<f64>,
        unhindered_seconds: Option<f64>,
    }
}

impl PgStore {
    /// Reads the state of the queue and its lanes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let statement = Statement::new(sql::Standing).bind("low_quota", LOW_QUOTA.cast_signed());
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

    /// The use of the connections at this moment; asks no server.
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
