use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::{Backlog, BoxError, MessageState, StoreError};

use crate::connection::failed;
use crate::connection::statement::Statement;
use crate::store::PgStore;

/// Each state has an index of its own, so that history plays no part.
const BACKLOG: &str = "
, state AS (
    SELECT 'QUEUED' AS state, count(*) AS messages,
        min(due_at) FILTER (WHERE due_at <= now()) AS since
    FROM message WHERE state = 'QUEUED' AND sent_at IS NULL AND failed_at IS NULL
    UNION ALL
    SELECT 'SENDING', count(*), min(m.due_at)
    FROM lane l JOIN message m ON m.id = l.message_id WHERE m.state = 'SENDING'
    UNION ALL
    SELECT 'UNKNOWN', count(*), min(due_at) FROM message
    WHERE state = 'UNKNOWN' AND unknowns > 0
)
SELECT state, messages, extract(epoch FROM now() - since)::float8 AS past_due_seconds
FROM state, input";

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
    /// What is not finished, by state.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        let statement = Statement::new(BACKLOG).with::<Bool, _>("bool AS always", true);
        let rows: Vec<BacklogRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
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
