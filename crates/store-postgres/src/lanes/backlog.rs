use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use domain::ports::{Backlog, BoxError, StoreError};
use domain::requests::MessageState;

use crate::sql::{self, Statement};
use crate::store::PgStore;

#[derive(QueryableByName)]
struct BacklogRow {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = Nullable<Double>)]
    past_due_seconds: Option<f64>,
}

impl PgStore {
    /// Counts unfinished messages by state.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        let statement = Statement::new(sql::Backlog);
        let rows: Vec<BacklogRow> = self.database.all(statement).await?;
        rows.into_iter().map(Backlog::try_from).collect()
    }
}

impl TryFrom<BacklogRow> for Backlog {
    type Error = StoreError;

    fn try_from(row: BacklogRow) -> Result<Self, StoreError> {
        let state = MessageState::parse(&row.state)
            .ok_or_else(|| StoreError::Corrupt(BoxError::from("there is no such state")))?;
        Ok(Self {
            state,
            messages: u64::try_from(row.messages).unwrap_or(0),
            oldest_past_due: row.past_due_seconds.map(crate::lanes::rows::seconds),
        })
    }
}
