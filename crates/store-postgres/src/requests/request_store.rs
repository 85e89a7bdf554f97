use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::access::Visibility;
use domain::ports::{Accepted, KeyUse, RequestStore, StoreError};
use domain::requests::{NewRequest, Request, RequestId};
use domain::values::{DealerId, KEY_LIFETIME, Once};

use super::key_use::key_use;
use super::row::RequestRow;
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// How many keys one statement removes at most, so that none holds many locks for long.
const FORGET_AT_ONCE: i64 = 500;

#[async_trait]
impl RequestStore for PgStore {
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError> {
        self.fronts.here()?.intake.write(request.clone()).await
    }

    async fn key_use(&self, dealer: &DealerId, once: &Once) -> Result<Option<KeyUse>, StoreError> {
        self.database
            .ask_again(|mut connection| async move {
                key_use(&mut connection, dealer, once).await.map_err(failed)
            })
            .await
    }

    async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        let statement = Statement::new(sql::ForgetKeys)
            .bind::<Double, _>("key_seconds", KEY_LIFETIME.as_secs_f64())
            .bind::<BigInt, _>("most", FORGET_AT_ONCE);
        Ok(self.database.run(statement).await? as u64)
    }

    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError> {
        let only = seen.dealer().cloned();
        self.fronts.here()?.lookups.write(Lookup { id, only }).await
    }
}

/// A request that somebody looks for. Those who look at the same moment are answered by one statement.
pub(crate) struct Lookup {
    id: RequestId,
    /// The only dealer that the caller sees; `None` for all.
    only: Option<DealerId>,
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
    /// The same request may be asked for several times.
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
        .bind::<Array<Uuid>, _>("ids", ids)
        .bind::<Array<Nullable<Text>>, _>("dealers", dealers)
}
