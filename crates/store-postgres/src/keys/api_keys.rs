use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::{
    Access, ApiKeyId, ApiKeyRecord, ApiKeys, AuditEntry, BoxError, DealerId, KeyName, KeyPrint,
    KnownKey, NewApiKey, Scope, StoreError, Validity,
};
use moka::Expiry;
use moka::future::Cache;

use super::strangers::Strangers;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::connection::{Database, failed};
use crate::operations::audit::{note, noted, with_entry};

/// How old what is known of a key may be. A revocation is promised to count on every copy within 5
/// seconds; the rest is for the answer under way.
const REMEMBERED: Duration = Duration::from_secs(4);

/// How many keys, and how many ids that no key has, are remembered at once.
const CAPACITY: u64 = 10_000;

/// What is shown of a key `k`, and whether it counts.
macro_rules! shown {
    () => {
        "k.id, k.name, k.dealer_id::text AS dealer_id, k.scopes, k.created_at, k.expires_at,
    k.revoked_at, coalesce(k.expires_at <= now(), false) AS expired"
    };
}

const FIND: &str = concat!(
    "SELECT ",
    shown!(),
    ", k.print, extract(epoch FROM k.expires_at - now())::float8 AS ends_in
FROM api_key k, input i WHERE k.id = i.id"
);

const LIST: &str = concat!(
    "SELECT ",
    shown!(),
    " FROM api_key k
ORDER BY k.revoked_at IS NOT NULL OR coalesce(k.expires_at <= now(), false),
    k.created_at DESC, k.id DESC
LIMIT (SELECT most FROM input)"
);

const CREATE: &str = concat!(
    ", k AS (
    INSERT INTO api_key (id, name, print, dealer_id, scopes, expires_at)
    SELECT id, name, print, dealer_id, scopes, expires_at FROM input
    RETURNING *
)",
    noted!("k"),
    "SELECT ",
    shown!(),
    " FROM k"
);

/// Changes and returns the key only when it is not revoked yet.
const REVOKE: &str = concat!(
    ", k AS (
    UPDATE api_key k SET revoked_at = now() FROM input i
    WHERE k.id = i.id AND k.revoked_at IS NULL
    RETURNING k.*
)",
    noted!("k"),
    "SELECT ",
    shown!(),
    " FROM k"
);

/// The keys of callers, remembered for a moment.
#[derive(Clone)]
pub struct PgApiKeys {
    database: Database,
    remembered: Cache<ApiKeyId, Remembered>,
    /// Ids that no key has.
    unknown: Cache<ApiKeyId, ()>,
    strangers: Strangers<ApiKeyId>,
}

/// A key and until when that is believed.
#[derive(Clone)]
struct Remembered {
    key: KnownKey,
    until: Instant,
}

/// Forgets each key when its own time has come.
struct ByItsTime;

impl Expiry<ApiKeyId, Remembered> for ByItsTime {
    fn expire_after_create(
        &self,
        _: &ApiKeyId,
        value: &Remembered,
        created_at: Instant,
    ) -> Option<Duration> {
        Some(value.until.saturating_duration_since(created_at))
    }
}

/// Why there is nothing to remember.
#[derive(Clone)]
enum NotLoaded {
    Unknown,
    Store(Arc<StoreError>),
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

    async fn load(&self, id: ApiKeyId) -> Result<Remembered, NotLoaded> {
        let store = |error| NotLoaded::Store(Arc::new(error));
        let _turn = self.strangers.turn(&id).await.map_err(store)?;
        // Before the question: whatever is changed later is not in the answer.
        let asked = Instant::now();
        let statement = &Statement::new(FIND).with::<Text, _>("text AS id", id.to_string());
        let row: Option<FoundRow> = self
            .database
            .ask_again(|mut connection| async move {
                statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await
            .map_err(store)?;
        let row = row.ok_or(NotLoaded::Unknown)?;
        let ends_in = row.ends_in.filter(|seconds| *seconds > 0.0);
        let ends_in = ends_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let believed = ends_in.map_or(REMEMBERED, |ends_in| ends_in.min(REMEMBERED));
        let key = row.known().map_err(store)?;
        self.strangers.meet(id).await;
        Ok(Remembered {
            key,
            until: asked + believed,
        })
    }

    /// Runs a statement that changes a key.
    async fn change(&self, statement: Statement<'_>) -> Result<Option<ApiKeyRecord>, StoreError> {
        let row: Option<KeyRow> = self
            .database
            .ask(|mut connection| async move {
                statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        row.map(|row| Ok(row.record()?.0)).transpose()
    }
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
        let statement = Statement::new(CREATE)
            .with::<Text, _>("text AS id", key.id.to_string())
            .with::<Text, _>("text AS name", key.name.as_str())
            .with::<Binary, _>("bytea AS print", key.print.as_bytes())
            .with::<Nullable<Text>, _>("varchar AS dealer_id", dealer.map(DealerId::as_str))
            .with::<Array<Text>, _>("text[] AS scopes", scopes)
            .with::<Nullable<Timestamptz>, _>("timestamptz AS expires_at", key.expires_at);
        let created = self.change(with_entry(statement, entry)).await?;
        self.unknown.invalidate(&key.id).await;
        if created.is_some() {
            self.strangers.meet(key.id).await;
        }
        created.ok_or_else(|| StoreError::Unavailable("no key was stored".into()))
    }

    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError> {
        let statement = Statement::new(LIST).with::<BigInt, _>("bigint AS most", i64::from(limit));
        let rows: Vec<KeyRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
        rows.into_iter().map(KeyRow::record).collect()
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
            Ok(remembered) => Ok(Some(remembered.key)),
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
        let statement = Statement::new(REVOKE).with::<Text, _>("text AS id", id.to_string());
        let revoked = self.change(with_entry(statement, entry)).await?;
        self.remembered.invalidate(&id).await;
        if revoked.is_some() {
            return Ok(revoked);
        }
        // Revoked before, or unknown.
        Ok(self.find(id).await?.map(|known| known.record))
    }
}

/// A row of `api_key`.
#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    dealer_id: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    scopes: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    revoked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    expired: bool,
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(embed)]
    key: KeyRow,
    #[diesel(sql_type = Binary)]
    print: Vec<u8>,
    /// Seconds.
    #[diesel(sql_type = Nullable<Double>)]
    ends_in: Option<f64>,
}

impl FoundRow {
    fn known(self) -> Result<KnownKey, StoreError> {
        let print = <[u8; 32]>::try_from(&*self.print).map_err(|_| corrupt("print"))?;
        let (record, validity) = self.key.record()?;
        Ok(KnownKey {
            print: KeyPrint::stored(print),
            record,
            validity,
        })
    }
}

impl KeyRow {
    fn record(self) -> Result<(ApiKeyRecord, Validity), StoreError> {
        let validity = match (self.revoked_at, self.expired) {
            (Some(_), _) => Validity::Revoked,
            (None, true) => Validity::Expired,
            (None, false) => Validity::InForce,
        };
        // An unknown scope of a newer release gives no right.
        let scopes = self.scopes.iter().filter_map(|name| Scope::parse(name));
        let dealer = self.dealer_id.as_deref().map(DealerId::parse).transpose();
        let dealer = dealer.map_err(|_| corrupt("dealer_id"))?;
        let record = ApiKeyRecord {
            id: ApiKeyId::parse(&self.id).map_err(|_| corrupt("id"))?,
            name: KeyName::parse(&self.name).map_err(|_| corrupt("name"))?,
            access: Access::new(dealer, scopes.collect()).map_err(|_| corrupt("scopes"))?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        };
        Ok((record, validity))
    }
}

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(BoxError::from(format!("api_key.{column} cannot be read")))
}
