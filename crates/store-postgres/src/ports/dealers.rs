use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDateTime, NaiveTime};
use diesel::dsl::auto_type;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    Dealer, DealerDirectory, DealerId, DealerSettings, OnUnknown, QuietHours, StoreError,
};
use moka::future::Cache;
use secrecy::SecretString;

use crate::connect::{Database, failed};
use crate::schema::{dealer_settings, dealers};

/// How long a dealer is remembered. Operators are promised that a change counts within 30 seconds,
/// and one of our settings on every copy within 5.
const REMEMBERED: Duration = Duration::from_secs(4);

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
                    .left_join(dealer_settings::table.on(same_dealer()))
                    .filter(dealers::dealer_id.eq(id.as_str()))
                    .select((DealerRow::as_select(), Option::<SettingsRow>::as_select()))
                    .first(&mut connection)
                    .await
                    .optional()
                    .map_err(failed)
            })
            .await
            .map_err(|error| NotLoaded::Store(Arc::new(error)))?;
        row.map(|(row, settings): (DealerRow, Option<SettingsRow>)| {
            row.dealer(id.clone(), settings)
        })
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

/// What a dealer has settled with us; the table is ours.
#[derive(Queryable, Selectable)]
#[diesel(table_name = dealer_settings)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct SettingsRow {
    fonnte_api_url: Option<String>,
    min_interval_ms: Option<i64>,
    jitter_ms: Option<i64>,
    daily_limit: Option<i32>,
    quiet_from: Option<NaiveTime>,
    quiet_to: Option<NaiveTime>,
    on_unknown: Option<String>,
    exclusive_device: bool,
}

/// The two tables meet by the dealer's number.
#[auto_type(no_type_alias)]
pub(crate) fn same_dealer() -> _ {
    dealer_settings::dealer_id.eq(dealers::dealer_id)
}

impl SettingsRow {
    /// The table's checks keep out what could not be read.
    fn settings(&self) -> DealerSettings {
        let time = |ms: Option<i64>| Some(Duration::from_millis(u64::try_from(ms?).ok()?));
        let quiet = self.quiet_from.zip(self.quiet_to);
        DealerSettings {
            min_interval: time(self.min_interval_ms),
            jitter: time(self.jitter_ms),
            daily_limit: self.daily_limit.and_then(|limit| u32::try_from(limit).ok()),
            quiet_hours: quiet.and_then(|(from, to)| QuietHours::new(from, to).ok()),
            on_unknown: self.on_unknown.as_deref().and_then(OnUnknown::parse),
            exclusive_device: self.exclusive_device,
        }
    }
}

impl DealerRow {
    pub(crate) fn dealer(self, id: DealerId, settings: Option<SettingsRow>) -> Dealer {
        Dealer {
            settings: settings
                .as_ref()
                .map(SettingsRow::settings)
                .unwrap_or_default(),
            id,
            name: self.dealer_name,
            active: self.is_active.unwrap_or(false),
            api_key: self.fonnte_api_key.map(SecretString::from),
            api_url: settings
                .and_then(|settings| settings.fonnte_api_url)
                .or(self.fonnte_api_url),
            webhook_secret: None,
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
