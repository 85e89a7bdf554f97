//! How long messages took: `message_seconds`, added up in the background, and `message_seconds_change`, to
//! which the statements that settle and report append, and triggers for everybody else.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::ports::StoreError;

use crate::sql::{self, Statement};
use crate::store::PgStore;

/// How many changes one statement adds up at most.
const AT_ONCE: i64 = 20_000;

impl PgStore {
    /// Adds up changes of how long messages took. Returns whether more may be left. What is told is exact in
    /// any case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_up_seconds(&self) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::AddUpSeconds).bind::<BigInt, _>("most", AT_ONCE);
        let taken: Taken = self.database.one(statement).await?;
        Ok(taken.rows == AT_ONCE)
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}
