//! The store: its pools, and the state that its ports share.

use std::sync::Arc;

use domain::ports::BoxError;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::connection::together::Together;
use crate::connection::{
    Connector, Database, DatabaseUrl, Home, PoolOptions, Purpose, SchemaGate, SchemaName,
};
use crate::dealers::secrets::SecretsKeys;
use crate::front::Fronts;
use crate::keys::strangers::Strangers;
use crate::lanes::settling::Settling;
use crate::replies::opt_out_check::OptOutCheck;
use crate::replies::print_keys::PrintKeys;
use crate::requests::bulk::BulkRequest;

/// Requests, outbox, reports and audit in PostgreSQL.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) database: Database,
    pub(crate) fronts: Arc<Fronts>,
    pub(crate) settlements: Together<Settling>,
    /// Whether recipients are opted out, asked before their calls.
    pub(crate) opt_out_checks: Together<OptOutCheck>,
    /// The rows of bulk calls, beside the connections of other callers.
    pub(crate) bulk: Together<BulkRequest>,
    /// The fingerprints of webhook tokens.
    pub(crate) tokens: Strangers<[u8; 32]>,
    /// Connections for analytics and exports; without them these use `database`.
    reports: Option<Database>,
    /// Keys of the prints under which erased persons stay opted out.
    pub(crate) print_keys: Arc<PrintKeys>,
    /// Limits slow lists and counts to a part of the connections.
    pub(crate) for_reports: Arc<Semaphore>,
}

impl PgStore {
    /// Prepares a store, which connects on first use. Must be called within the tokio runtime that will drive
    /// the connections.
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
        let fronts = connector.clone();
        let gate = SchemaGate::default();
        let pool = |purpose, size| {
            let (connector, home) = (connector.clone(), home.clone());
            let kind = (purpose, size);
            Database::new(connector, schema.clone(), kind, options, home, gate.clone())
        };
        let database = pool(Purpose::Work, options.size)?;
        let reports = match options.reports {
            0 => None,
            size => Some(pool(Purpose::Reports, size)?),
        };
        Ok(Self {
            fronts: Arc::new(Fronts::new(fronts, schema, options.clone(), gate)?),
            settlements: Together::new(database.clone(), options.wait),
            opt_out_checks: Together::new(database.clone(), options.wait),
            bulk: Together::new(database.clone(), options.wait),
            tokens: Strangers::new(),
            database,
            reports,
            print_keys: Arc::default(),
            for_reports: Arc::new(Semaphore::new(options.for_reports)),
        })
    }

    /// The same with these secrets' keys, from which those of erased persons' prints are made. Without any, a key
    /// of the schema is used.
    #[must_use]
    pub fn with_keys(mut self, keys: &SecretsKeys) -> Self {
        self.print_keys = Arc::new(PrintKeys::of(keys.print_keys()));
        self
    }

    /// All pools that exist so far.
    pub(crate) fn databases(&self) -> impl Iterator<Item = &Database> {
        let others = [&self.database].into_iter().chain(&self.reports);
        self.fronts.databases().chain(others)
    }

    /// Where analytics and exports are read.
    pub(crate) fn reports(&self) -> &Database {
        self.reports.as_ref().unwrap_or(&self.database)
    }
}
