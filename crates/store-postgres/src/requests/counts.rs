//! The rollup: how many requests a dealer has on each day with each pair of statuses.
//!
//! Triggers append to `request_count_change` what any statement of any program changes; in the
//! background the changes are added up into `request_count`. Their sum is exact at any moment, as
//! long as both are read by one statement.

use diesel::pg::data_types::PgDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::StoreError;

use crate::connection::failed;
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// How many changes one statement adds up at most.
const AT_ONCE: i64 = 20_000;

/// Requests with one pair of statuses; a missing status is that of a waiting message.
#[derive(QueryableByName)]
pub(crate) struct StatusCount {
    #[diesel(sql_type = Text)]
    pub(crate) request_status: String,
    #[diesel(sql_type = Text)]
    pub(crate) whatsapp_status: String,
    /// Never negative in sum.
    #[diesel(sql_type = BigInt)]
    pub(crate) rows: i64,
}

/// Counts a dealer's requests of these days.
pub(crate) async fn count(
    connection: &mut AsyncPgConnection,
    dealer: &str,
    (first, last): (PgDate, PgDate),
) -> Result<Vec<StatusCount>, StoreError> {
    statement(dealer, (first, last))
        .load(connection)
        .await
        .map_err(failed)
}

pub(crate) fn statement(
    dealer: &str,
    (first, last): (PgDate, PgDate),
) -> Statement<'_, sql::Count> {
    Statement::new(sql::Count)
        .bind::<Text, _>("dealer_id", dealer)
        .bind::<Date, _>("first_day", first)
        .bind::<Date, _>("last_day", last)
}

impl PgStore {
    /// Adds up changes of the numbers of requests, so that lists and statistics have less to add.
    /// Returns whether more may be left. They are exact in any case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_up_counts(&self) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::AddUp).bind::<BigInt, _>("most", AT_ONCE);
        let taken: Taken = self.database.one(statement).await?;
        Ok(taken.rows == AT_ONCE)
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}
