//! How long messages took: `message_seconds`, added up in the background, and `message_seconds_change`, to
//! which the statements that settle and report append, and triggers for everybody else.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::AsyncConnection as _;
use domain::ports::StoreError;

use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// How many changes one statement adds up at most.
const AT_ONCE: i64 = 20_000;

/// One copy adds up at a time. Taken by a statement of its own, because a snapshot begins with its statement:
/// the sum must be read after the copy before has committed.
const TURN: &str = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema(), 5173648202914478651)) \
     AS is_mine";

impl PgStore {
    /// Adds up changes of how long messages took. Returns whether more may be left. What is told is exact in
    /// any case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_up_seconds(&self) -> Result<bool, StoreError> {
        self.database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let turn: Turn = diesel::sql_query(TURN).one_row(connection).await?;
                        if !turn.is_mine {
                            return Ok(false);
                        }
                        let adding = Statement::new(sql::AddUpSeconds);
                        let adding = adding.bind::<BigInt, _>("most", AT_ONCE);
                        let taken: Taken = adding.one_row(connection).await?;
                        Ok::<_, Error>(taken.rows == AT_ONCE)
                    })
                    .await
                    .map_err(failed)
            })
            .await
    }
}

#[derive(QueryableByName)]
struct Turn {
    #[diesel(sql_type = Bool)]
    is_mine: bool,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}
