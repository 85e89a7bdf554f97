//! The hot path: accepting requests, and looking them up by id.

use domain::ports::{BoxError, StoreError};
use domain::requests::NewRequest;
use thread_local::ThreadLocal;
use tokio::runtime::Handle;

use crate::connection::together::Together;
use crate::connection::{
    Connector, Database, Home, PoolOptions, Purpose, SchemaGate, SchemaName, StoreResult,
};
use crate::requests::lookup::Lookup;

/// Connections for callers, and the group commits over them.
pub(crate) struct Front {
    pub(crate) database: Database,
    pub(crate) intake: Together<NewRequest>,
    pub(crate) lookups: Together<Lookup>,
}

/// One front for all threads, or one for each thread that asks.
pub(crate) struct Fronts {
    connector: Connector,
    schema: SchemaName,
    options: PoolOptions,
    gate: SchemaGate,
    shared: Option<Front>,
    /// A thread that drives its own connections saves two changes of threads for each question, which are
    /// most of a lone caller's wait besides PostgreSQL. Threads that share nothing do not wait for each
    /// other.
    by_thread: ThreadLocal<Front>,
}

impl Fronts {
    pub(crate) fn new(
        connector: Connector,
        schema: SchemaName,
        options: PoolOptions,
        gate: SchemaGate,
    ) -> Result<Self, BoxError> {
        let mut fronts = Self {
            connector,
            schema,
            options,
            gate,
            shared: None,
            by_thread: ThreadLocal::new(),
        };
        if !fronts.options.each_thread {
            fronts.shared = Some(fronts.open(Home::Fixed(Handle::current()))?);
        }
        Ok(fronts)
    }

    fn open(&self, home: Home) -> Result<Front, BoxError> {
        let (connector, schema) = (self.connector.clone(), self.schema.clone());
        let (options, gate) = (&self.options, self.gate.clone());
        let kind = (Purpose::Work, options.callers);
        let database = Database::new(connector, schema, kind, options, home, gate)?;
        Ok(Front {
            intake: Together::new(database.clone(), options.wait),
            lookups: Together::new(database.clone(), options.wait),
            database,
        })
    }

    /// The front of this thread.
    pub(crate) fn here(&self) -> StoreResult<&Front> {
        match &self.shared {
            Some(front) => Ok(front),
            None => self
                .by_thread
                .get_or_try(|| self.open(Home::Asker))
                .map_err(StoreError::Unavailable),
        }
    }

    /// All pools that exist so far.
    pub(crate) fn databases(&self) -> impl Iterator<Item = &Database> {
        let fronts = self.shared.iter().chain(self.by_thread.iter());
        fronts.map(|front| &front.database)
    }
}
