use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, WeakPool,
};
use domain::ports::{BoxError, StoreError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::SchemaName;
use super::lent::{Connection, Returned, judged};
use super::schema_gate::SchemaGate;
use super::session::{ConnectError, Connector, Session, session_settings};
use super::watched::ServerError;

/// The result of a question to the database.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// How long it may take to get a connection, and then to ask. Together they stay below the 5 seconds
/// within which a caller is promised an answer.
const GET_TIMEOUT: Duration = Duration::from_millis(2_200);
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_millis(2_400);

/// Whatever a session has gathered ends with it, and so does a connection to the wrong server.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// How long to wait where the server has no connection left, before it is asked again.
const CROWDED_PAUSE: Duration = Duration::from_millis(40);

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
    /// How long a session lives, give or take a fifth, so that they do not all end together.
    pub life: Duration,
    /// How long a connection stays open that nobody uses.
    pub idle: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 10,
            callers: 4,
            each_thread: false,
            for_reports: 6,
            wait: GET_TIMEOUT,
            life: LIFE,
            idle: LIFE,
        }
    }
}

/// A pool of connections whose sessions look into our schema and can write.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Sessions>,
    wait: Duration,
    schema: SchemaName,
    home: Home,
    gate: SchemaGate,
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

/// A pool that may be gone.
pub(super) type SessionPool = WeakPool<Sessions>;

/// Makes the sessions of a pool, and decides which may be used again.
pub(super) struct Sessions {
    connector: Connector,
    settings: Arc<str>,
    life: Duration,
    home: Home,
}

impl Manager for Sessions {
    type Type = Session;
    type Error = ConnectError;

    async fn create(&self) -> Result<Session, ConnectError> {
        let (connector, settings) = (self.connector.clone(), self.settings.clone());
        let connecting = async move { connector.connect(&settings).await };
        AbortOnDropHandle::new(self.home.spawn(connecting))
            .await
            .unwrap_or_else(|ended| {
                Err(ConnectError {
                    words: ended.to_string(),
                    is_crowded: false,
                })
            })
    }

    /// No round trip: it would only find out a little earlier what the next statement does.
    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        if session.may_stay(self.life) && !session.is_in_transaction() {
            Ok(())
        } else {
            Err(RecycleError::message("the session is not used again"))
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
        gate: SchemaGate,
    ) -> Result<Self, BoxError> {
        let sessions = Sessions {
            connector,
            settings: session_settings(&schema).into(),
            life: options.life,
            home: home.clone(),
        };
        let connector = sessions.connector.clone();
        let pool = Pool::builder(sessions)
            .max_size(size)
            // Who was last used is used next: its server process is still warm.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.wait))
            .recycle_timeout(Some(options.wait))
            .build()?;
        connector.serves(pool.weak());
        let database = Self {
            pool,
            wait: options.wait,
            schema,
            home,
            gate,
        };
        database.close_old_sessions(options.life, options.idle);
        Ok(database)
    }

    /// Closes idle sessions that would not be used again, or were not for long, every now and then, as long
    /// as there is the pool.
    fn close_old_sessions(&self, life: Duration, idle: Duration) {
        let pool = self.pool.weak();
        self.home.spawn(async move {
            loop {
                tokio::time::sleep((life / 10).min(idle / 2)).await;
                let Some(pool) = pool.upgrade() else {
                    return;
                };
                drop(
                    pool.retain(|session, used| session.may_stay(life) && used.last_used() < idle),
                );
            }
        });
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

    /// What makes sessions.
    pub(crate) fn connector(&self) -> &Connector {
        &self.pool.manager().connector
    }

    /// What keeps questions back until the schema is up to date.
    pub(crate) fn gate(&self) -> &SchemaGate {
        &self.gate
    }

    /// Runs a question on a connection of the pool, within the time limits, once the schema is up to date.
    /// A connection whose question was given up is closed: its statement may still be running. So is one
    /// whose session has become useless.
    pub(crate) async fn ask<T, F>(
        &self,
        question: impl FnOnce(Connection) -> F + Send,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.gate.passed().await?;
        self.ask_early(question).await
    }

    /// The same for a question of one statement: where the session's prepared statements were at fault, so
    /// that nothing was done, it is asked once more in a new session, in the same time.
    pub(crate) async fn ask_again<T, F>(
        &self,
        question: impl Fn(Connection) -> F + Send + Sync,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        let until = Instant::now() + self.wait + ASK_TIMEOUT;
        self.gate.passed().await?;
        let (answer, is_stale) = self.ask_once(&question).await;
        if answer.is_ok() || !is_stale || !self.connector().renew() {
            return answer;
        }
        let (answer, is_stale) = timeout_at(until, self.ask_once(&question))
            .await
            .unwrap_or_else(|elapsed| (Err(StoreError::Unavailable(elapsed.into())), false));
        if is_stale {
            self.connector().renewed_in_vain();
        }
        answer
    }

    /// The same before the schema is up to date: for a question that meets no table of ours.
    pub(crate) async fn ask_early<T, F>(
        &self,
        question: impl FnOnce(Connection) -> F + Send,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.ask_once(question).await.0
    }

    /// The answer, and whether the session's prepared statements may be at fault for it.
    async fn ask_once<T, F>(
        &self,
        question: impl FnOnce(Connection) -> F + Send,
    ) -> (StoreResult<T>, bool)
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        let lent = timeout(self.wait, self.lend()).await;
        let lent = lent.map_err(|elapsed| StoreError::Unavailable(elapsed.into()));
        let lent =
            lent.and_then(|lent| lent.map_err(|error| StoreError::Unavailable(error.into())));
        let object = match lent {
            Ok(object) => object,
            Err(error) => return (Err(error), false),
        };
        let answers = object.answers().clone();
        answers.forget();
        // Dropped after the question, whether that was answered or not.
        let mut returned = Returned::default();
        let connection = Connection {
            object: Some(object),
            back: returned.slot.clone(),
        };
        // Dropped, and whoever waits for it told, when it is known what to think of the other sessions.
        let mut asking = pin!(timeout(ASK_TIMEOUT, question(connection)));
        let answer = asking.as_mut().await;
        let error = answers.error();
        let is_stale = error.as_ref().is_some_and(ServerError::is_stale);
        let has_ended = error.as_ref().is_some_and(ServerError::ends_session);
        returned.is_idle = answer.is_ok() && !has_ended && !is_stale;
        // What has befallen the server, or the way to it, concerns all sessions.
        let is_silent = answer.is_err() && !answers.any();
        if is_silent || error.as_ref().is_some_and(ServerError::is_read_only) {
            self.connector().distrust();
        }
        if is_stale {
            self.connector().renew();
        }
        let answer = answer
            .unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
            .map_err(|failure| judged(failure, error.as_ref()));
        (answer, is_stale)
    }

    /// Lends a connection. Where the server has none left, idle ones of the other pools are closed for it,
    /// or it waits for one of its own.
    async fn lend(&self) -> Result<Object<Sessions>, PoolError<ConnectError>> {
        let until = Instant::now() + self.wait.saturating_sub(2 * CROWDED_PAUSE);
        loop {
            match self.pool.get().await {
                Err(PoolError::Backend(error)) if error.is_crowded && Instant::now() < until => {
                    self.connector().close_idle();
                    tokio::time::sleep(CROWDED_PAUSE.mul_f64(rand::random_range(0.5..1.5))).await;
                }
                lent => return lent,
            }
        }
    }
}
