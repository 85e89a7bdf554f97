//! The rollup: a dealer's requests counted by day and pair of statuses.
//!
//! Triggers append every change by any program to `request_count_change`; in the background these are added
//! up into `request_count`. Their sum is exact at any moment, as long as one statement reads both.

use diesel::pg::data_types::PgDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::StoreError;

use crate::connection::failed;
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// The most changes that one statement adds up (chosen).
const AT_ONCE: i64 = 20_000;

/// A count of requests with one pair of statuses; a missing status is that of a waiting message.
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
    /// Adds changes of the counts up, so that lists and statistics read fewer rows. Returns whether more may
    /// be left. Counts are exact in any case.
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
