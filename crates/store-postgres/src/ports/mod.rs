//! The ports of the domain, one file each.

mod dealers;
mod events;
mod messages;
mod origin;
mod outbox;
mod reports;
mod request_row;
mod requests;

use std::sync::Arc;

use domain::BoxError;
use tokio::sync::Semaphore;

use crate::connect::{Database, DatabaseUrl, PoolOptions, SchemaName};

pub use dealers::PgDealers;
pub(crate) use dealers::{DealerRow, SettingsRow, same_dealer};
pub(crate) use outbox::rows::seconds;

/// Requests, outbox and reports in PostgreSQL.
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

    /// The dealers, read over the same connections.
    #[must_use]
    pub fn dealers(&self) -> PgDealers {
        PgDealers::new(self.database.clone())
    }
}
