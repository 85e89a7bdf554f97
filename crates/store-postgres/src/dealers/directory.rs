use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::dealers::Dealer;
use domain::ports::{DealerDirectory, StoreError, Vault};
use domain::template::{TemplateOrigin, TemplateSet, Templates};
use domain::values::DealerId;
use moka::future::Cache;

use super::rows::{DealerRow, SettingsRow, same_dealer};
use crate::aged::{Aged, ByItsTime};
use crate::connection::{Database, failed};
use crate::dealers::secrets::SecretsKeys;
use crate::schema::{dealer_settings, dealers, template};
use crate::store::PgStore;
use crate::templates::rows::{HEAD_OFFICE, TextRow, own_in_force, set};

/// Cache time of a dealer. Promised are 30 seconds for a change of the dealers' table, and 5 for a change of
/// our settings on every copy.
const REMEMBERED: Duration = Duration::from_secs(3);

/// How long the templates of head office are remembered until the next dealer is loaded. Together with
/// [`REMEMBERED`] it is within the 5 seconds.
const SHARED_REMEMBERED: Duration = Duration::from_secs(1);

/// How long a dealer is not read once more because something is missing.
const AGAIN_REMEMBERED: Duration = Duration::from_secs(1);

/// How many dealers are remembered at once.
const CAPACITY: u64 = 20_000;

/// The dealers of `dealer_integration.dealers`, which another service owns: read only, and only the columns
/// that concern us. Their settings here are ours. Unknown dealers are not cached, so that a new one is seen
/// at once.
#[derive(Clone)]
pub struct PgDealers {
    pub(crate) database: Database,
    pub(crate) vault: Arc<dyn Vault>,
    remembered: Cache<DealerId, Aged<Dealer>>,
    /// The templates of head office, which come with every dealer.
    shared: Cache<(), Aged<TemplateSet>>,
    /// The dealers for which something was missing: they are read once a second at most.
    again: Cache<DealerId, Aged<Dealer>>,
}

impl PgStore {
    /// The directory over the same connections, without a key for sealed secrets.
    #[must_use]
    pub fn dealers(&self) -> PgDealers {
        self.dealers_with(Arc::new(SecretsKeys::none()))
    }

    /// The directory with this vault, which seals and opens the dealers' secrets.
    #[must_use]
    pub fn dealers_with(&self, vault: Arc<dyn Vault>) -> PgDealers {
        PgDealers::new(self.database.clone(), vault)
    }
}

impl PgDealers {
    pub(crate) fn new(database: Database, vault: Arc<dyn Vault>) -> Self {
        Self {
            database,
            vault,
            remembered: Cache::builder()
                .max_capacity(CAPACITY)
                .expire_after(ByItsTime)
                .build(),
            shared: Cache::builder()
                .max_capacity(1)
                .expire_after(ByItsTime)
                .build(),
            again: Cache::builder()
                .max_capacity(CAPACITY)
                .expire_after(ByItsTime)
                .build(),
        }
    }

    async fn load(
        &self,
        id: &DealerId,
        read: Read,
        believed: Duration,
    ) -> Result<Aged<Dealer>, NotLoaded> {
        let asked = Instant::now();
        let rows: Vec<(DealerRow, Option<SettingsRow>, Option<TextRow>)> = self
            .database
            .ask_again(|mut connection| async move {
                dealers::table
                    .left_join(dealer_settings::table.on(same_dealer()))
                    .left_join(template::table.on(own_in_force()))
                    .filter(dealers::dealer_id.eq(id.as_str()))
                    .select((
                        DealerRow::as_select(),
                        Option::<SettingsRow>::as_select(),
                        Option::<TextRow>::as_select(),
                    ))
                    .load(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await
            .map_err(|error| NotLoaded::Store(Arc::new(error)))?;
        let mut rows = rows.into_iter();
        let (row, settings, first) = rows.next().ok_or(NotLoaded::Unknown)?;
        let texts = first
            .into_iter()
            .chain(rows.filter_map(|(_, _, text)| text));
        let templates = Templates {
            own: set(TemplateOrigin::Dealer, texts),
            shared: match read {
                Read::Lately => self.shared_templates().await,
                Read::Now => self.read_shared().await,
            }
            .map_err(|error| NotLoaded::Store(Arc::new(error)))?,
        };
        let dealer = row.dealer(id.clone(), settings, templates, &*self.vault);
        Ok(Aged::new(dealer, asked, believed))
    }

    /// The templates of head office.
    pub(crate) async fn shared_templates(&self) -> Result<TemplateSet, StoreError> {
        let reading = async {
            let asked = Instant::now();
            let read = self.read_shared().await?;
            Ok::<_, StoreError>(Aged::new(read, asked, SHARED_REMEMBERED))
        };
        let found = self.shared.try_get_with((), reading).await;
        // Several callers may share one failure.
        found
            .map(|aged| aged.value)
            .map_err(|error: Arc<StoreError>| error.again())
    }

    async fn read_shared(&self) -> Result<TemplateSet, StoreError> {
        let mut all = self.own_templates(&[HEAD_OFFICE.to_owned()]).await?;
        Ok(all.remove(HEAD_OFFICE).unwrap_or_default())
    }

    /// Removes the dealer from the cache.
    pub(crate) async fn forget(&self, id: &DealerId) {
        self.remembered.invalidate(id).await;
        self.again.invalidate(id).await;
    }

    /// The same for all dealers, and for the templates of head office.
    pub(crate) async fn forget_all(&self) {
        self.shared.invalidate(&()).await;
        self.remembered.invalidate_all();
        self.again.invalidate_all();
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        &*self.vault
    }
}

/// When the templates of head office that come with a dealer were read.
#[derive(Clone, Copy)]
enum Read {
    Lately,
    Now,
}

/// Why there is nothing to cache.
#[derive(Clone)]
enum NotLoaded {
    Unknown,
    Store(Arc<StoreError>),
}

impl NotLoaded {
    /// Several callers may share one failure.
    fn answer(&self) -> Result<Option<Dealer>, StoreError> {
        match self {
            Self::Unknown => Ok(None),
            Self::Store(error) => Err(error.again()),
        }
    }
}

#[async_trait]
impl DealerDirectory for PgDealers {
    async fn find(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        // The cache answers nearly always; loading, whose future is large, stands apart.
        if let Some(dealer) = self.remembered.get(id).await {
            return Ok(Some(dealer.value));
        }
        let loading = Box::pin(self.load(id, Read::Lately, REMEMBERED));
        let found = Box::pin(self.remembered.try_get_with_by_ref(id, loading)).await;
        found
            .map(|aged| Some(aged.value))
            .or_else(|reason| reason.answer())
    }

    async fn find_now(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        let found = Box::pin(self.load(id, Read::Now, REMEMBERED)).await;
        found
            .map(|aged| Some(aged.value))
            .or_else(|reason| reason.answer())
    }

    async fn find_again(&self, id: &DealerId) -> Result<Option<Dealer>, StoreError> {
        let loading = Box::pin(self.load(id, Read::Now, AGAIN_REMEMBERED));
        let found = Box::pin(self.again.try_get_with_by_ref(id, loading)).await;
        found
            .map(|aged| Some(aged.value))
            .or_else(|reason| reason.answer())
    }
}
