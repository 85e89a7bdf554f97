use std::time::Duration;

use diesel::result::Error;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use domain::ports::StoreError;

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Connector, DatabaseUrl, SchemaName, Session, failed};
use crate::sql::{self, Statement, sql_row};

/// Of two concurrent corrections the second must see the first. Taken by a statement of its own, because a
/// snapshot begins with its statement.
const TURN: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 7165612951357349239))";

sql_row! {
    /// Counts that differ from the rows: of requests by their statuses, and of messages by how long they took.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct CountsWrong {
        /// How many counts; there is one for each dealer, day and pair of statuses, or measure and seconds.
        pub wrong: i64,
        /// By how many requests and messages altogether.
        pub requests: i64,
    }
}

impl CountsWrong {
    fn and(self, other: Self) -> Self {
        Self {
            wrong: self.wrong + other.wrong,
            requests: self.requests + other.requests,
        }
    }
}

/// Compares the counts with the rows. Reads all rows, for at most this long.
///
/// # Errors
/// [`StoreError::Unavailable`], also when the time ran out.
pub async fn compare_counts(
    url: &DatabaseUrl,
    schema: &SchemaName,
    limit: Option<Duration>,
) -> Result<CountsWrong, StoreError> {
    let mut connection = connect(url, schema, limit).await?;
    let counts = Statement::new(sql::CompareCounts).one_row(&mut connection);
    let counts: CountsWrong = counts.await.map_err(failed)?;
    let seconds = Statement::new(sql::CompareSeconds).one_row(&mut connection);
    Ok(counts.and(seconds.await.map_err(failed)?))
}

/// Corrects the counts and returns what was wrong. The service may run meanwhile: it does not
/// wait, and its counts are exact afterwards.
///
/// # Errors
/// [`StoreError`]
pub async fn recount(url: &DatabaseUrl, schema: &SchemaName) -> Result<CountsWrong, StoreError> {
    let mut connection = connect(url, schema, None).await?;
    connection
        .transaction(async |connection| {
            diesel::sql_query(TURN).execute(connection).await?;
            let counts = Statement::new(sql::CorrectCounts).one_row(connection);
            let counts: CountsWrong = counts.await?;
            let seconds = Statement::new(sql::CorrectSeconds).one_row(connection);
            Ok::<_, Error>(counts.and(seconds.await?))
        })
        .await
        .map_err(failed)
}

/// A session of its own: the service's sessions end a statement after about two seconds, and plan for few
/// rows.
async fn connect(
    url: &DatabaseUrl,
    schema: &SchemaName,
    limit: Option<Duration>,
) -> Result<Session, StoreError> {
    let connector = Connector::new(url).map_err(StoreError::Unavailable)?;
    let limit = limit.map_or(0, |limit| limit.as_millis());
    let session = format!("SET search_path TO \"{schema}\"; SET statement_timeout TO {limit}");
    let connecting = connector.connect(&session).await;
    connecting.map_err(|error| StoreError::Unavailable(error.into()))
}
