use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, DealerId, KEY_LIFETIME, KeyUse, NewRequest, Once, Request, RequestId, RequestStore,
    StoreError, Visibility,
};

use super::PgStore;
use super::key_use::key_use;
use super::request_row::RequestRow;
use crate::connect::failed;
use crate::schema::customer_validation_request;
use crate::statement::Statement;

const FORGET_OLD_KEYS: &str = "
, old AS (
    SELECT k.dealer_id, k.key FROM idempotency_key k, input i
    WHERE k.created_at <= now() - make_interval(secs => i.key_seconds)
    LIMIT (SELECT most FROM input)
    FOR UPDATE OF k SKIP LOCKED
)
DELETE FROM idempotency_key k USING old o WHERE k.dealer_id = o.dealer_id AND k.key = o.key";

/// How many keys one statement removes at most, so that none holds many locks for long.
const FORGET_AT_ONCE: i64 = 500;

#[async_trait]
impl RequestStore for PgStore {
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError> {
        self.intake.write(request.clone()).await
    }

    async fn key_use(&self, dealer: &DealerId, once: &Once) -> Result<Option<KeyUse>, StoreError> {
        self.database
            .ask(|mut connection| async move {
                key_use(&mut connection, dealer, once).await.map_err(failed)
            })
            .await
    }

    async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        let statement = Statement::new(FORGET_OLD_KEYS)
            .with::<Double, _>("float8 AS key_seconds", KEY_LIFETIME.as_secs_f64())
            .with::<BigInt, _>("bigint AS most", FORGET_AT_ONCE);
        self.database
            .ask(|mut connection| async move {
                let forgotten = statement.execute(&mut connection).await.map_err(failed)?;
                Ok(forgotten as u64)
            })
            .await
    }

    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError> {
        let only = seen.dealer().map(DealerId::as_str);
        self.database
            .ask(|mut connection| async move {
                let mut found = customer_validation_request::table
                    .find(id.0)
                    .select(RequestRow::as_select())
                    .into_boxed();
                if let Some(only) = only {
                    // In the question itself: a row of another dealer takes the path, and the time,
                    // of one that does not exist.
                    found = found.filter(customer_validation_request::dealer_id.eq(only));
                }
                let row = found.first(&mut connection).await;
                let row = row.optional().map_err(failed)?;
                Ok(row.map(Request::from))
            })
            .await
    }
}
