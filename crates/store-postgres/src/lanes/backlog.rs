use domain::ports::{Backlog, BoxError, StoreError};
use domain::requests::MessageState;

use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

sql_row! {
    struct BacklogRow {
        state: String,
        messages: i64,
        past_due_seconds: Option<f64>,
    }
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
