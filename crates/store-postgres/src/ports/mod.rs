//! The ports of the domain, one file each.

mod api_keys;
mod audit;
mod dealer_rows;
mod dealers;
mod events;
mod messages;
mod outbox;
mod persons;
mod reports;
mod request_row;
mod requests;
mod settings;

use std::sync::Arc;

use domain::{BoxError, Vault};
use tokio::sync::Semaphore;

use crate::connect::{Database, DatabaseUrl, PoolOptions, SchemaName};
use crate::secrets::SecretsKeys;

pub use api_keys::PgApiKeys;
pub(crate) use dealer_rows::{DealerRow, SettingsRow, read, same_dealer};
pub use dealers::PgDealers;
pub(crate) use outbox::rows::seconds;

/// Requests, outbox, reports and audit in PostgreSQL.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) database: Database,
    /// Lists and counts may be slow; they never have all connections.
    for_reports: Arc<Semaphore>,
}

impl PgStore {
    /// Prepares a store; it connects when first asked. Must be called within the tokio runtime
    /// that will drive the connections.
    ///
    /// # Errors
    /// When the root certificate of the URL cannot be read.
    pub fn new(
        url: &DatabaseUrl,
        schema: SchemaName,
        options: &PoolOptions,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            database: Database::new(url, schema, options)?,
            for_reports: Arc::new(Semaphore::new(options.for_reports)),
        })
    }

    /// The dealers, read over the same connections, without a key for their sealed secrets.
    #[must_use]
    pub fn dealers(&self) -> PgDealers {
        self.dealers_with(Arc::new(SecretsKeys::none()))
    }

    /// The dealers, whose secrets this vault seals and opens.
    #[must_use]
    pub fn dealers_with(&self, vault: Arc<dyn Vault>) -> PgDealers {
        PgDealers::new(self.database.clone(), vault)
    }

    /// The keys of callers, read over the same connections.
    #[must_use]
    pub fn api_keys(&self) -> PgApiKeys {
        PgApiKeys::new(self.database.clone())
    }
}
