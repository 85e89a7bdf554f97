use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::requests::{Request, RequestId};
use domain::values::DealerId;

use super::row::RequestRow;
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, Statement};

/// A look-up of one request by its id. Look-ups that arrive together share a statement.
pub(crate) struct Lookup {
    pub(crate) id: RequestId,
    /// The tenant of the caller; `None` for all dealers.
    pub(crate) only: Option<DealerId>,
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(embed)]
    row: RequestRow,
}

impl Work for Lookup {
    type Answer = Option<Request>;
    /// No key: one statement may look a request up several times.
    type Key = std::convert::Infallible;
    const SECOND_TRY: bool = false;
    const ALONE: usize = 1;

    fn key(&self) -> Option<Self::Key> {
        None
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        lookups: &[&Self],
    ) -> QueryResult<Vec<Option<Self::Answer>>> {
        let rows: Vec<FoundRow> = statement(lookups).load(connection).await?;
        let mut answers = vec![Some(None); lookups.len()];
        for found in rows {
            let place = usize::try_from(found.n - 1).ok();
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                *answer = Some(Some(found.row.into()));
            }
        }
        Ok(answers)
    }

    async fn write_alone(&self, database: &Database) -> StoreResult<Self::Answer> {
        database
            .ask_again(|mut connection| async move {
                let answers = Self::write(&mut connection, &[self]).await;
                Ok(answers.map_err(failed)?.pop().flatten().flatten())
            })
            .await
    }
}

fn statement(lookups: &[&Lookup]) -> Statement<'static, sql::Find> {
    let ids: Vec<uuid::Uuid> = lookups.iter().map(|lookup| lookup.id.0).collect();
    let dealers: Vec<Option<String>> = lookups
        .iter()
        .map(|lookup| Some(lookup.only.as_ref()?.as_str().to_owned()))
        .collect();
    Statement::new(sql::Find)
        .bind("ids", ids)
        .bind("dealers", dealers)
}
