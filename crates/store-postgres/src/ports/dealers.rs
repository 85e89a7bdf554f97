use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDateTime;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Dealer, DealerDirectory, DealerId, StoreError};
use moka::future::Cache;
use secrecy::SecretString;

use crate::connect::{Database, failed};
use crate::schema::dealers;

/// How long a dealer is remembered. Operators are promised that a change counts within 30 seconds.
const REMEMBERED: Duration = Duration::from_secs(5);

/// How many dealers are remembered at once.
const CAPACITY: u64 = 20_000;

/// The dealers of `dealer_integration.dealers`, which another service owns: only read, and only
/// the columns that concern us. Unknown dealers are not remembered, so that a new one is seen at
/// once.
#[derive(Clone)]
pub struct PgDealers {
    database: Database,
    remembered: Cache<DealerId, Dealer>,
}

impl PgDealers {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            remembered: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(REMEMBERED)
                .build(),
        }
    }

    async fn load(&self, id: &DealerId) -> Result<Dealer, NotLoaded> {
        let row = self
            .database
            .ask(|mut connection| async move {
                dealers::table
                    .find(id.as_str())
                    .select(DealerRow::as_select())
                    .first(&mut connection)
                    .await
                    .optional()
                    .map_err(failed)
            })
            .await
            .map_err(|error| NotLoaded::Store(Arc::new(error)))?;
        row.map(|row: DealerRow| row.dealer(id.clone()))
            .ok_or(NotLoaded::Unknown)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

/// Why there is nothing to remember.
#[derive(Clone)]
enum NotLoaded {
    Unknown,
    Store(Arc<StoreError>),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = dealers)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct DealerRow {
    dealer_name: String,
    fonnte_api_key: Option<String>,
    fonnte_api_url: Option<String>,
    is_active: Option<bool>,
    created_at: Option<NaiveDateTime>,
    updated_at: Option<NaiveDateTime>,
}

impl DealerRow {
    pub(crate) fn dealer(self, id: DealerId) -> Dealer {
        Dealer {
            id,
            name: self.dealer_name,
            active: self.is_active.unwrap_or(false),
            api_key: self.fonnte_api_key.map(SecretString::from),
            api_url: self.fonnte_api_url,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

#[async_trait]
impl DealerDirectory for PgDealers {
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        let found = self
            .remembered
            .try_get_with_by_ref(id, async { self.load(id).await })
            .await;
        match found {
            Ok(dealer) => Ok(Some(dealer)),
            Err(reason) => match &*reason {
                NotLoaded::Unknown => Ok(None),
                // Several callers may share one failure.
                NotLoaded::Store(error) => match &**error {
                    StoreError::Unavailable(source) => {
                        Err(StoreError::Unavailable(source.to_string().into()))
                    }
                    StoreError::Corrupt(source) => {
                        Err(StoreError::Corrupt(source.to_string().into()))
                    }
                },
            },
        }
    }
}
