//! The rollup: a dealer's requests counted by day and pair of statuses.
//!
//! Triggers append every change by any program to `request_count_change`; in the background these are added
//! up into `request_count`. Their sum is exact at any moment, as long as one statement reads both.

use diesel::pg::data_types::PgDate;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::StoreError;

use crate::connection::failed;
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

/// The most changes that one statement adds up (chosen).
const AT_ONCE: i64 = 20_000;

sql_row! {
    /// A count of requests with one pair of statuses; a missing status is that of a waiting message.
    pub(crate) struct StatusCount {
        pub(crate) request_status: String,
        pub(crate) whatsapp_status: String,
        /// Never negative in sum.
        pub(crate) rows: i64,
    }
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
        .bind("dealer_id", dealer)
        .bind("first_day", first)
        .bind("last_day", last)
}

impl PgStore {
    /// Adds changes of the counts up, so that lists and statistics read fewer rows. Returns whether more may
    /// be left. Counts are exact in any case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_up_counts(&self) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::AddUp).bind("most", AT_ONCE);
        let taken: Taken = self.database.one(statement).await?;
        Ok(taken.rows == AT_ONCE)
    }
}

sql_row! {
    struct Taken {
        rows: i64,
    }
}
