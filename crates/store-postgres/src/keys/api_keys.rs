use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Nullable, Text, Timestamptz};
use domain::access::{Access, ApiKeyId, AuditEntry, KeyFingerprint, KeyName, Scope};
use domain::ports::{ApiKeyRecord, ApiKeys, BoxError, KnownKey, NewApiKey, StoreError, Validity};
use domain::values::DealerId;
use moka::future::Cache;

use super::strangers::Strangers;
use crate::aged::{Aged, ByItsTime};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Database, failed};
use crate::operations::audit::with_entry;
use crate::schema::api_key;
use crate::sql::{self, File, Statement};
use crate::store::PgStore;

/// Cache time of a key. A revocation is promised to count on every copy within 5 seconds; the rest is for the
/// answer under way.
const REMEMBERED: Duration = Duration::from_secs(4);

/// How many keys, and how many unknown ids, are cached (chosen).
const CAPACITY: u64 = 10_000;

/// The callers' API keys, with a short cache.
#[derive(Clone)]
pub struct PgApiKeys {
    database: Database,
    remembered: Cache<ApiKeyId, Aged<KnownKey>>,
    /// Ids of no key.
    unknown: Cache<ApiKeyId, ()>,
    strangers: Strangers<ApiKeyId>,
}

/// Why there is nothing to cache.
#[derive(Clone)]
enum NotLoaded {
    Unknown,
    Store(Arc<StoreError>),
}

impl PgStore {
    /// The API keys over the same connections.
    #[must_use]
    pub fn api_keys(&self) -> PgApiKeys {
        PgApiKeys::new(self.database.clone())
    }
}

impl PgApiKeys {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            remembered: Cache::builder()
                .max_capacity(CAPACITY)
                .expire_after(ByItsTime)
                .build(),
            unknown: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(REMEMBERED)
                .build(),
            strangers: Strangers::new(),
        }
    }

    async fn load(&self, id: ApiKeyId) -> Result<Aged<KnownKey>, NotLoaded> {
        let store = |error| NotLoaded::Store(Arc::new(error));
        let _turn = self.strangers.turn(&id).await.map_err(store)?;
        // Taken before the question: a later change is not in the answer.
        let asked = Instant::now();
        let row: Option<(KeyRow, Vec<u8>, DateTime<Utc>)> = self
            .database
            .ask_again(|mut connection| async move {
                api_key::table
                    .find(id.to_string())
                    .select((KeyRow::as_select(), api_key::print, now()))
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await
            .map_err(store)?;
        let (row, fingerprint, now) = row.ok_or(NotLoaded::Unknown)?;
        let ends_in = row.expires_at.and_then(|at| (at - now).to_std().ok());
        let believed = ends_in.filter(|ends_in| !ends_in.is_zero());
        let believed = believed.map_or(REMEMBERED, |ends_in| ends_in.min(REMEMBERED));
        let key = row.known(&fingerprint, now).map_err(store)?;
        self.strangers.meet(id).await;
        Ok(Aged::new(key, asked, believed))
    }

    /// Runs a statement that changes a key.
    async fn change<F: File>(
        &self,
        statement: Statement<'_, F>,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let row: Option<KeyRow> = self.database.optional(statement).await?;
        row.map(KeyRow::record).transpose()
    }
}

/// The database's time.
fn now() -> diesel::dsl::AsExprOf<diesel::dsl::now, Timestamptz> {
    diesel::dsl::now.into_sql::<Timestamptz>()
}

#[async_trait]
impl ApiKeys for PgApiKeys {
    async fn create(
        &self,
        key: &NewApiKey,
        entry: &AuditEntry,
    ) -> Result<ApiKeyRecord, StoreError> {
        let scopes: Vec<&str> = key.access.scopes().iter().map(Scope::as_str).collect();
        let dealer = key.access.visibility().dealer();
        let statement = Statement::new(sql::CreateKey)
            .bind::<Text, _>("id", key.id.to_string())
            .bind::<Text, _>("name", key.name.as_str())
            .bind::<Binary, _>("print", key.fingerprint.as_bytes())
            .bind::<Nullable<Text>, _>("dealer_id", dealer.map(DealerId::as_str))
            .bind::<Array<Text>, _>("scopes", scopes)
            .bind::<Nullable<Timestamptz>, _>("expires_at", key.expires_at);
        let created = self.change(with_entry(statement, entry)).await?;
        self.unknown.invalidate(&key.id).await;
        if created.is_some() {
            self.strangers.meet(key.id).await;
        }
        created.ok_or_else(|| StoreError::Unavailable("no key was stored".into()))
    }

    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError> {
        let over = api_key::revoked_at.is_not_null().or(api_key::expires_at
            .le(now().nullable())
            .is_not_distinct_from(true));
        let keys = api_key::table
            .order((over, api_key::created_at.desc(), api_key::id.desc()))
            .limit(limit.into())
            .select((KeyRow::as_select(), now()));
        let rows: Vec<(KeyRow, DateTime<Utc>)> = self.database.all(keys).await?;
        let records = rows.into_iter().map(|(row, now)| {
            let validity = row.validity(now);
            Ok((row.record()?, validity))
        });
        records.collect()
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<KnownKey>, StoreError> {
        if self.unknown.get(&id).await.is_some() {
            return Ok(None);
        }
        let found = self
            .remembered
            .try_get_with(id, async { self.load(id).await })
            .await;
        match found {
            Ok(remembered) => Ok(Some(remembered.value)),
            Err(reason) => match &*reason {
                NotLoaded::Unknown => {
                    self.unknown.insert(id, ()).await;
                    Ok(None)
                }
                // Several callers may share one failure.
                NotLoaded::Store(error) => Err(error.again()),
            },
        }
    }

    fn knows(&self, id: ApiKeyId) -> bool {
        self.strangers.know(&id)
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        entry: &AuditEntry,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let statement = Statement::new(sql::RevokeKey).bind::<Text, _>("id", id.to_string());
        let revoked = self.change(with_entry(statement, entry)).await?;
        self.remembered.invalidate(&id).await;
        if revoked.is_some() {
            return Ok(revoked);
        }
        // Revoked before, or unknown.
        Ok(self.find(id).await?.map(|known| known.record))
    }
}

/// A row of `api_key` without its fingerprint.
#[derive(Queryable, Selectable, QueryableByName)]
#[diesel(table_name = api_key)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct KeyRow {
    id: String,
    name: String,
    dealer_id: Option<String>,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl KeyRow {
    fn validity(&self, now: DateTime<Utc>) -> Validity {
        if self.revoked_at.is_some() {
            Validity::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            Validity::Expired
        } else {
            Validity::InForce
        }
    }

    fn known(self, fingerprint: &[u8], now: DateTime<Utc>) -> Result<KnownKey, StoreError> {
        let fingerprint = <[u8; 32]>::try_from(fingerprint).map_err(|_| corrupt("print"))?;
        Ok(KnownKey {
            fingerprint: KeyFingerprint::stored(fingerprint),
            validity: self.validity(now),
            record: self.record()?,
        })
    }

    fn record(self) -> Result<ApiKeyRecord, StoreError> {
        // A scope of a newer release is unknown here and gives no right.
        let scopes = self.scopes.iter().filter_map(|name| Scope::parse(name));
        let dealer = self.dealer_id.as_deref().map(DealerId::parse).transpose();
        let dealer = dealer.map_err(|_| corrupt("dealer_id"))?;
        Ok(ApiKeyRecord {
            id: ApiKeyId::parse(&self.id).map_err(|_| corrupt("id"))?,
            name: KeyName::parse(&self.name).map_err(|_| corrupt("name"))?,
            access: Access::new(dealer, scopes.collect()).map_err(|_| corrupt("scopes"))?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        })
    }
}

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(BoxError::from(format!("api_key.{column} cannot be read")))
}
