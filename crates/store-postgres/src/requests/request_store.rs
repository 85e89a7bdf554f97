use async_trait::async_trait;
use diesel::sql_types::{BigInt, Double};
use domain::access::Visibility;
use domain::ports::{Accepted, KeyUse, RequestStore, StoreError};
use domain::requests::{NewRequest, Request, RequestId};
use domain::values::{DealerId, KEY_LIFETIME, Once};

use super::bulk;
use super::key_uses::key_uses;
use super::lookup::Lookup;
use crate::connection::failed;
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// The most keys that one statement deletes, so that none holds many locks for long (chosen).
const FORGET_AT_ONCE: i64 = 500;

#[async_trait]
impl RequestStore for PgStore {
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError> {
        self.fronts.here()?.intake.write(request.clone()).await
    }

    async fn accept_all(&self, requests: &[NewRequest]) -> Vec<Result<Accepted, StoreError>> {
        bulk::accept_all(&self.database, &self.bulk, requests).await
    }

    async fn key_uses(&self, uses: &[(DealerId, Once)]) -> Result<Vec<Option<KeyUse>>, StoreError> {
        if uses.is_empty() {
            return Ok(Vec::new());
        }
        let uses: Vec<_> = uses.iter().map(|(dealer, once)| (dealer, once)).collect();
        let uses = &uses;
        self.database
            .ask_again(|mut connection| async move {
                key_uses(&mut connection, uses).await.map_err(failed)
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
