//! The rollup: how many requests a dealer has on each day with each pair of statuses.
//!
//! Triggers append to `request_count_change` what any statement of any program changes; in the
//! background the changes are added up into `request_count`. Their sum is exact at any moment, as
//! long as both are read by one statement.

use diesel::pg::data_types::PgDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::StoreError;

use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::store::PgStore;

const COUNT: &str = "
SELECT c.request_status::text, c.whatsapp_status::text, sum(c.rows)::bigint AS rows
FROM (
    SELECT n.request_status, n.whatsapp_status, n.rows
    FROM request_count n, input i
    WHERE n.dealer_id = i.dealer_id AND n.request_date BETWEEN i.first_day AND i.last_day
    UNION ALL
    SELECT n.request_status, n.whatsapp_status, n.rows
    FROM request_count_change n, input i
    WHERE n.dealer_id = i.dealer_id AND n.request_date BETWEEN i.first_day AND i.last_day
) c
GROUP BY 1, 2";

/// Adds up some of the changes. One copy does it at a time; it alone writes to `request_count`,
/// so that it waits for nobody and nobody waits for it.
const ADD_UP: &str = "
, turn AS MATERIALIZED (
    SELECT most FROM input
    WHERE pg_try_advisory_xact_lock(hashtextextended(current_schema(), 8246152957284311907))
), taken AS (
    DELETE FROM request_count_change
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM request_count_change LIMIT coalesce((SELECT most FROM turn), 0)))
    RETURNING *
), added AS (
    INSERT INTO request_count AS n
    SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)
    FROM taken
    GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (dealer_id, request_date, request_status, whatsapp_status)
    DO UPDATE SET rows = n.rows + excluded.rows
)
SELECT count(*) AS rows FROM taken";

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

pub(crate) fn statement(dealer: &str, (first, last): (PgDate, PgDate)) -> Statement<'_> {
    Statement::new(COUNT)
        .with::<Text, _>("varchar AS dealer_id", dealer)
        .with::<Date, _>("date AS first_day", first)
        .with::<Date, _>("date AS last_day", last)
}

impl PgStore {
    /// Adds up changes of the numbers of requests, so that lists and statistics have less to add.
    /// Returns whether more may be left. They are exact in any case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_up_counts(&self) -> Result<bool, StoreError> {
        let statement = Statement::new(ADD_UP).with::<BigInt, _>("bigint AS most", AT_ONCE);
        let taken: Taken = self
            .database
            .ask(|mut connection| async move {
                statement.one_row(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(taken.rows == AT_ONCE)
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}
