use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::dealers::Dealer;
use domain::ports::{DealerDirectory, StoreError, Vault};
use domain::template::{TemplateOrigin, TemplateSet, Templates};
use domain::values::DealerId;
use moka::future::Cache;

use super::rows::{DealerRow, SettingsRow, same_dealer};
use crate::connection::{Database, failed};
use crate::schema::{dealer_settings, dealers, template};
use crate::templates::{HEAD_OFFICE, TextRow, own_in_force, set};

/// How long a dealer is remembered. Operators are promised that a change counts within 30 seconds,
/// and one of our settings on every copy within 5; breakers are looked at twice a second.
const REMEMBERED: Duration = Duration::from_secs(3);

/// How long the templates of head office are remembered until the next dealer is loaded. Together with
/// [`REMEMBERED`] it is within the 5 seconds.
const SHARED_REMEMBERED: Duration = Duration::from_secs(1);

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
    /// The templates of head office, which come with every dealer.
    shared: Cache<(), TemplateSet>,
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
            shared: Cache::builder()
                .max_capacity(1)
                .time_to_live(SHARED_REMEMBERED)
                .build(),
        }
    }

    async fn load(&self, id: &DealerId) -> Result<Dealer, NotLoaded> {
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
            shared: self
                .shared_templates()
                .await
                .map_err(|error| NotLoaded::Store(Arc::new(error)))?,
        };
        Ok(row.dealer(id.clone(), settings, templates, &*self.vault))
    }

    /// The templates of head office.
    pub(crate) async fn shared_templates(&self) -> Result<TemplateSet, StoreError> {
        let found = self.shared.try_get_with((), async {
            let mut all = self.own_templates(&[HEAD_OFFICE.to_owned()]).await?;
            Ok::<_, StoreError>(all.remove(HEAD_OFFICE).unwrap_or_default())
        });
        // Several callers may share one failure.
        found.await.map_err(|error: Arc<StoreError>| error.again())
    }

    /// The next question about the dealer is asked anew.
    pub(crate) async fn forget(&self, id: &DealerId) {
        self.remembered.invalidate(id).await;
    }

    /// The same for all dealers, and for the templates of head office.
    pub(crate) async fn forget_all(&self) {
        self.shared.invalidate(&()).await;
        self.remembered.invalidate_all();
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
