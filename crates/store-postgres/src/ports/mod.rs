//! The ports of the domain, one file each.

mod counts;
mod dealers;
mod intake;
mod messages;
mod outbox;
mod reports;
mod request_row;
mod requests;

use std::sync::Arc;

use domain::BoxError;
use tokio::sync::Semaphore;

use crate::connect::{Database, DatabaseUrl, PoolOptions, SchemaName};

use self::intake::Intake;
pub use dealers::PgDealers;
pub(crate) use dealers::{DealerRow, SettingsRow, same_dealer};

/// Requests, outbox and reports in PostgreSQL.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) database: Database,
    intake: Intake,
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
        let database = Database::new(url, schema, options)?;
        Ok(Self {
            intake: Intake::new(database.clone(), options.wait),
            database,
            for_reports: Arc::new(Semaphore::new(options.for_reports)),
        })
    }

    /// The dealers, read over the same connections.
    #[must_use]
    pub fn dealers(&self) -> PgDealers {
        PgDealers::new(self.database.clone())
    }
}
