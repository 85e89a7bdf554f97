use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use domain::dealers::Dealer;
use domain::ports::{DealerDirectory, StoreError, Vault};
use domain::values::DealerId;
use moka::future::Cache;

use super::rows::{DealerRow, SettingsRow, same_dealer};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Database, failed};
use crate::schema::{dealer_settings, dealers};

/// How long a dealer is remembered. Operators are promised that a change counts within 30 seconds,
/// and one of our settings on every copy within 5; breakers are looked at twice a second.
const REMEMBERED: Duration = Duration::from_secs(3);

/// How many dealers are remembered at once.
const CAPACITY: u64 = 20_000;

/// The dealers of `dealer_integration.dealers`, which another service owns: only read, and only
/// the columns that concern us. What they have settled with us is our own. Unknown dealers are not
/// remembered, so that a new one is seen at once.
#[derive(Clone)]
pub struct PgDealers {
    pub(crate) database: Database,
    pub(crate) vault: Arc<dyn Vault>,
    remembered: Cache<DealerId, Dealer>,
}

impl PgDealers {
    pub(crate) fn new(database: Database, vault: Arc<dyn Vault>) -> Self {
        Self {
            database,
            vault,
            remembered: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(REMEMBERED)
                .build(),
        }
    }

    async fn load(&self, id: &DealerId) -> Result<Dealer, NotLoaded> {
        let row = self
            .database
            .ask_again(|mut connection| async move {
                dealers::table
                    .left_join(dealer_settings::table.on(same_dealer()))
                    .filter(dealers::dealer_id.eq(id.as_str()))
                    .select((DealerRow::as_select(), Option::<SettingsRow>::as_select()))
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await
            .map_err(|error| NotLoaded::Store(Arc::new(error)))?;
        row.map(|(row, settings): (DealerRow, Option<SettingsRow>)| {
            row.dealer(id.clone(), settings, &*self.vault)
        })
        .ok_or(NotLoaded::Unknown)
    }

    /// The next question about the dealer is asked anew.
    pub(crate) async fn forget(&self, id: &DealerId) {
        self.remembered.invalidate(id).await;
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        &*self.vault
    }
}

/// Why there is nothing to remember.
#[derive(Clone)]
enum NotLoaded {
    Unknown,
    Store(Arc<StoreError>),
}

#[async_trait]
impl DealerDirectory for PgDealers {
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        // Nearly always one is remembered; loading, whose future is large, is something apart.
        if let Some(dealer) = self.remembered.get(id).await {
            return Ok(Some(dealer));
        }
        let loading = Box::pin(self.load(id));
        let found = Box::pin(self.remembered.try_get_with_by_ref(id, loading)).await;
        match found {
            Ok(dealer) => Ok(Some(dealer)),
            Err(reason) => match &*reason {
                NotLoaded::Unknown => Ok(None),
                // Several callers may share one failure.
                NotLoaded::Store(error) => Err(error.again()),
            },
        }
    }
}
