//! The store: its pools, and what its ports share.

use std::sync::Arc;

use domain::ports::{BoxError, Vault};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::connection::together::Together;
use crate::connection::{
    Connector, Database, DatabaseUrl, Home, PoolOptions, SchemaGate, SchemaName,
};
use crate::dealers::directory::PgDealers;
use crate::dealers::secrets::SecretsKeys;
use crate::front::Fronts;
use crate::keys::api_keys::PgApiKeys;
use crate::keys::sessions::PgSessions;
use crate::keys::strangers::Strangers;
use crate::lanes::settling::Settling;
use crate::operations::migrate::MigrateError;

/// Requests, outbox, reports and audit in PostgreSQL.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) database: Database,
    pub(crate) fronts: Arc<Fronts>,
    pub(crate) settlements: Together<Settling>,
    /// The prints of webhook tokens.
    pub(crate) tokens: Strangers<[u8; 32]>,
    /// Lists and counts may be slow; they never have all connections.
    pub(crate) for_reports: Arc<Semaphore>,
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
        let connector = Connector::new(url)?;
        let home = Home::Fixed(Handle::current());
        let (size, fronts) = (options.size, connector.clone());
        let gate = SchemaGate::default();
        let database = Database::new(connector, schema.clone(), size, options, home, gate.clone())?;
        Ok(Self {
            fronts: Arc::new(Fronts::new(fronts, schema, options.clone(), gate)?),
            settlements: Together::new(database.clone(), options.wait),
            tokens: Strangers::new(),
            database,
            for_reports: Arc::new(Semaphore::new(options.for_reports)),
        })
    }

    /// From now on every question waits, as long as callers do, until [`PgStore::bring_up_to_date`] has
    /// done so: no statement meets a schema that is not its own. Only
    /// [`PgStore::migration_state`] is answered meanwhile.
    pub fn wait_for_schema(&self) {
        self.database.gate().close();
    }

    /// Applies the migrations that are missing, as [`migrate`](crate::migrate()) does, and lets all
    /// questions go on. Returns how many were applied.
    ///
    /// # Errors
    /// [`MigrateError`]
    pub async fn bring_up_to_date(&self) -> Result<usize, MigrateError> {
        let connector = self.database.connector();
        let applied =
            crate::operations::migrate::apply_missing(connector, self.database.schema()).await?;
        self.database.gate().open();
        Ok(applied)
    }

    /// All pools of connections that there are by now.
    pub(crate) fn databases(&self) -> impl Iterator<Item = &Database> {
        self.fronts.databases().chain([&self.database])
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

    /// The sessions of people, read over the same connections.
    #[must_use]
    pub fn sessions(&self) -> PgSessions {
        PgSessions::new(self.database.clone())
    }
}
