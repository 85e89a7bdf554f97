use std::future::Future;
use std::time::Duration;

use deadpool::Runtime;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use domain::{BoxError, StoreError};
use futures_util::FutureExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DatabaseUrl, SchemaName, tls};

/// The result of a question to the database.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// How long anything may take altogether, waiting for a connection included. A caller is promised
/// an answer within 5 seconds.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(4_500);

/// The server gives up before we do, so that what we call "not stored" is rolled back.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(4_000);
const LOCK_TIMEOUT: Duration = Duration::from_millis(3_000);

/// A frozen copy of the service must not keep its locks.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections are kept.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once.
    pub size: usize,
    /// How long to wait for a free connection.
    pub wait: Duration,
    /// How long making a connection may take.
    pub create: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 16,
            wait: Duration::from_secs(2),
            create: Duration::from_secs(3),
        }
    }
}

/// A pool of connections whose sessions look into our schema.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<AsyncPgConnection>,
    schema: SchemaName,
}

impl Database {
    /// Prepares a pool; connects when first asked. Must be called within a tokio runtime that
    /// outlives every use of the pool: it drives the connections.
    pub(crate) fn new(
        url: &DatabaseUrl,
        schema: SchemaName,
        options: &PoolOptions,
    ) -> Result<Self, BoxError> {
        let session = session_settings(&schema);
        let connector = Connector::new(url)?;
        let runtime = tokio::runtime::Handle::current();
        let mut manager = ManagerConfig::default();
        // The pool discards closed connections by itself; a round trip on every checkout would
        // only find out the same a little earlier.
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let connector = connector.clone();
            let session = session.clone();
            // On this runtime and not on that of the web worker which happens to ask: the
            // connection must survive the worker.
            let connecting = runtime.spawn(async move { connector.connect(&session).await });
            async move {
                connecting
                    .await
                    .map_err(|error| ConnectionError::BadConnection(error.to_string()))?
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), manager);
        let pool = Pool::builder(manager)
            .max_size(options.size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.create))
            .recycle_timeout(Some(options.create))
            .build()?;
        Ok(Self { pool, schema })
    }

    pub(crate) fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// Runs a question on a connection of the pool, within the time limit for everything.
    pub(crate) async fn ask<T, F>(
        &self,
        question: impl FnOnce(Object<AsyncPgConnection>) -> F + Send,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        let asking = async {
            let connection = self
                .pool
                .get()
                .await
                .map_err(|error| StoreError::Unavailable(error.into()))?;
            question(connection).await
        };
        tokio::time::timeout(OPERATION_TIMEOUT, asking)
            .await
            .unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
    }
}

/// What a failed statement means to the domain.
pub(crate) fn failed(error: diesel::result::Error) -> StoreError {
    match error {
        diesel::result::Error::DeserializationError(source) => StoreError::Corrupt(source),
        other => StoreError::Unavailable(other.into()),
    }
}

/// Makes single connections.
#[derive(Clone)]
pub(crate) struct Connector {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    pub(crate) fn new(url: &DatabaseUrl) -> Result<Self, BoxError> {
        Ok(Self {
            config: url.config.clone(),
            tls: tls::connector(url)?,
        })
    }

    /// Connects and applies the session's settings.
    pub(crate) async fn connect(
        &self,
        session: &str,
    ) -> Result<AsyncPgConnection, ConnectionError> {
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
        let mut connection =
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
        connection
            .batch_execute(session)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }
}

fn session_settings(schema: &SchemaName) -> String {
    format!(
        "SET search_path TO \"{schema}\"; \
         SET statement_timeout TO {}; \
         SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO {}",
        STATEMENT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    )
}
