use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::QueueMode;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use domain::{BoxError, StoreError};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::{DatabaseUrl, SchemaName, tls};

/// The result of a question to the database.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// How long it may take to get a connection, and then to ask. Together they stay below the 5 seconds
/// within which a caller is promised an answer.
const GET_TIMEOUT: Duration = Duration::from_millis(2_200);
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_millis(2_400);

/// The server gives up before we do, so that what we call "not stored" is rolled back.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(2_200);
const LOCK_TIMEOUT: Duration = Duration::from_millis(2_000);

/// How long making a connection may take, from the first packet to the session's settings.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A frozen copy of the service must not keep its locks.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// What is acknowledged survives a crash of the server, whatever it, the database, the role or the URL
/// defaults to. Of the other values only `remote_apply` promises more than `on`.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') <> 'remote_apply'";

/// How connections are kept.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once, but for those of `callers`.
    pub size: usize,
    /// The most connections at once for what callers wait for in great number: accepting requests, and
    /// looking them up by id. For each thread, where each has its own.
    pub callers: usize,
    /// Whether every thread on which callers ask has connections of its own and drives them itself. It
    /// must live until the last of its callers is answered. Else they share connections, which are
    /// driven by the runtime that the store was made on.
    pub each_thread: bool,
    /// The most of `size` that lists and counts, which may be slow, have at once.
    pub for_reports: usize,
    /// How long to wait for a connection.
    pub wait: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 10,
            callers: 4,
            each_thread: false,
            for_reports: 6,
            wait: GET_TIMEOUT,
        }
    }
}

/// A pool of connections whose sessions look into our schema.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<AsyncPgConnection>,
    wait: Duration,
    schema: SchemaName,
    home: Home,
}

/// Where the tasks live that drive connections and write for others.
#[derive(Clone)]
pub(crate) enum Home {
    /// On this runtime, whoever asks: what is done for one caller survives the thread of another.
    Fixed(Handle),
    /// On the runtime of whoever asks, who is always on the same thread.
    Asker,
}

impl Home {
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match self {
            Self::Fixed(runtime) => runtime.spawn(task),
            Self::Asker => tokio::spawn(task),
        }
    }
}

impl Database {
    /// Prepares a pool of `size` connections; connects when first asked. A [fixed](Home::Fixed) home
    /// must outlive every use of the pool.
    pub(crate) fn new(
        connector: Connector,
        schema: SchemaName,
        size: usize,
        options: &PoolOptions,
        home: Home,
    ) -> Result<Self, BoxError> {
        let session = session_settings(&schema);
        let connections_home = home.clone();
        let mut manager = ManagerConfig::default();
        // The pool discards closed connections by itself; a round trip on every checkout would
        // only find out the same a little earlier.
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let connector = connector.clone();
            let session = session.clone();
            let connecting = async move { connector.connect(&session).await };
            let connecting = AbortOnDropHandle::new(connections_home.spawn(connecting));
            async move {
                connecting
                    .await
                    .map_err(|error| ConnectionError::BadConnection(error.to_string()))?
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), manager);
        let pool = Pool::builder(manager)
            .max_size(size)
            // Who was last used is used next: its server process is still warm.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .build()?;
        Ok(Self {
            pool,
            wait: options.wait,
            schema,
            home,
        })
    }

    /// Where tasks live that work for this pool's callers.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// How the pool is used at this moment.
    pub(crate) fn pool_use(&self) -> deadpool::Status {
        self.pool.status()
    }

    pub(crate) fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// Runs a question on a connection of the pool, within the time limits. A connection whose
    /// question was given up is closed: its statement may still be running.
    pub(crate) async fn ask<T, F>(
        &self,
        question: impl FnOnce(Connection) -> F + Send,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        let object = tokio::time::timeout(self.wait, self.pool.get())
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        // Dropped after the question, whether that was answered or not.
        let mut returned = Returned::default();
        let connection = Connection {
            object: Some(object),
            back: returned.slot.clone(),
        };
        let answer = tokio::time::timeout(ASK_TIMEOUT, question(connection)).await;
        returned.is_idle = answer.is_ok();
        answer.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
    }
}

/// A connection on loan; when dropped it goes where [`Returned`] decides about it.
pub(crate) struct Connection {
    object: Option<Object<AsyncPgConnection>>,
    back: Slot,
}

type Slot = Arc<Mutex<Option<Object<AsyncPgConnection>>>>;

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        self.object.as_ref().expect("it is there until the drop")
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.object.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Ok(mut back) = self.back.lock() {
            *back = self.object.take();
        }
    }
}

/// Where a connection comes back to: into the pool when its question was answered, else closed.
#[derive(Default)]
struct Returned {
    slot: Slot,
    is_idle: bool,
}

impl Drop for Returned {
    fn drop(&mut self) {
        let object = self.slot.lock().ok().and_then(|mut slot| slot.take());
        if let Some(object) = object.filter(|_| !self.is_idle) {
            drop(Object::take(object));
        }
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
        tokio::time::timeout(CONNECT_TIMEOUT, self.open(session))
            .await
            .unwrap_or_else(|_| Err(bad("no answer in time")))
    }

    async fn open(&self, session: &str) -> Result<AsyncPgConnection, ConnectionError> {
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| bad(&with_causes(&error)))?;
        let mut connection =
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
        connection
            .batch_execute(&format!("{session}; {DURABLE}"))
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }
}

fn bad(reason: &str) -> ConnectionError {
    ConnectionError::BadConnection(reason.to_owned())
}

/// An error and all its sources. PostgreSQL's words on connecting name the role and the database,
/// never the password.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

/// Plans are made once for each connection, perhaps while the tables are still empty, and kept: they
/// must suit tables of any size. So rows are looked up in an index where there is one, and no table
/// is read from end to end to be joined; a plan is never made for certain values, and none compiled.
/// What is asked often is in memory: at the usual price of a page, a hundred looks into an index
/// seem dearer than a walk through all lanes.
pub(crate) fn session_settings(schema: &SchemaName) -> String {
    format!(
        "SET search_path TO \"{schema}\"; \
         SET plan_cache_mode TO force_generic_plan; \
         SET enable_seqscan TO off; \
         SET enable_hashjoin TO off; \
         SET enable_mergejoin TO off; \
         SET random_page_cost TO 0.1; \
         SET seq_page_cost TO 0.1; \
         SET jit TO off; \
         SET statement_timeout TO {}; \
         SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO {}",
        STATEMENT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    )
}
