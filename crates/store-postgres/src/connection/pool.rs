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
use super::session::{ConnectError, Connector, Session, report_settings, session_settings};
use super::watched::ServerError;

/// The result of a question to the database.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

/// How long to wait for a connection, and then for the answer. Together they stay below the 5 seconds within
/// which a caller is promised an answer.
const GET_TIMEOUT: Duration = Duration::from_millis(2_200);
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_millis(2_400);

/// Bounds the memory of a session, and the use of a server that is no longer the primary (chosen).
const LIFE: Duration = Duration::from_secs(30 * 60);

/// Pause before the server is asked again for a connection, where it had none left (chosen).
const CROWDED_PAUSE: Duration = Duration::from_millis(40);

/// Sizes and times of the pools.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The most connections at once, without those of `callers`.
    pub size: usize,
    /// The most connections at once for accepting requests and looking them up by id. With `each_thread`, for
    /// each thread.
    pub callers: usize,
    /// Whether each thread that asks has its own connections and drives them itself. The thread must then
    /// live until its last caller is answered. Else callers share connections, which the runtime of the store
    /// drives.
    pub each_thread: bool,
    /// The most connections of `size` for lists and counts, which may be slow.
    pub for_reports: usize,
    /// The most connections at once for analytics and exports, beside those of `size`: with 0 they have one
    /// of these, and its time limits.
    pub reports: usize,
    /// How long to wait for a connection.
    pub wait: Duration,
    /// How long a session lives, give or take a fifth, so that sessions do not all end together.
    pub life: Duration,
    /// How long an idle connection stays open.
    pub idle: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 10,
            callers: 4,
            each_thread: false,
            for_reports: 6,
            reports: 2,
            wait: GET_TIMEOUT,
            life: LIFE,
            idle: LIFE,
        }
    }
}

/// A pool of connections whose sessions use our schema and can write.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Sessions>,
    wait: Duration,
    /// How long a question may take, from when it has its connection.
    time: Duration,
    schema: SchemaName,
    home: Home,
    gate: SchemaGate,
}

/// What the connections of a pool are for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Statements that are asked often and answered at once.
    Work,
    /// Reports, which may take [`REPORT_TIME`].
    Reports,
}

/// How long a report may take: longer than any statement of it alone, so that the server gives up first.
const REPORT_TIME: Duration = Duration::from_secs(12);

/// The runtime of the tasks that drive connections and write batches.
#[derive(Clone)]
pub(crate) enum Home {
    /// This runtime: a task for one caller outlives the thread of another caller.
    Fixed(Handle),
    /// The runtime of the calling thread, which is always the same.
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

/// A weak reference to a pool.
pub(super) type SessionPool = WeakPool<Sessions>;

/// Makes the sessions of a pool, and decides which are used again.
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

    /// No round trip: the next statement finds out the same.
    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        if session.may_stay(self.life) && !session.is_in_transaction() {
            Ok(())
        } else {
            Err(RecycleError::message("the session is not used again"))
        }
    }
}

impl Database {
    /// Prepares a pool of so many connections, which connects on first use. A [fixed](Home::Fixed) home must
    /// outlive every use of the pool.
    pub(crate) fn new(
        connector: Connector,
        schema: SchemaName,
        (purpose, size): (Purpose, usize),
        options: &PoolOptions,
        home: Home,
        gate: SchemaGate,
    ) -> Result<Self, BoxError> {
        let (settings, time) = match purpose {
            Purpose::Work => (session_settings(&schema), ASK_TIMEOUT),
            Purpose::Reports => (report_settings(&schema), REPORT_TIME),
        };
        let sessions = Sessions {
            connector,
            settings: settings.into(),
            life: options.life,
            home: home.clone(),
        };
        let connector = sessions.connector.clone();
        let pool = Pool::builder(sessions)
            .max_size(size)
            // Last in, first out: the server process that was used last is still warm.
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
            time,
            schema,
            home,
            gate,
        };
        database.close_old_sessions(options.life, options.idle);
        Ok(database)
    }

    /// Closes idle sessions that are too old, idle for too long or no longer trusted, as long as the pool
    /// lives.
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

    /// The runtime of the tasks that work for this pool's callers.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The use of the pool at this moment.
    pub(crate) fn pool_use(&self) -> deadpool::Status {
        self.pool.status()
    }

    pub(crate) fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// The factory of the pool's sessions.
    pub(crate) fn connector(&self) -> &Connector {
        &self.pool.manager().connector
    }

    /// The gate that holds questions back until the schema is up to date.
    pub(crate) fn gate(&self) -> &SchemaGate {
        &self.gate
    }

    /// Runs a question on a connection of the pool, within the time limits, once the schema is up to date. A
    /// connection whose question was cancelled is closed, because its statement may still run. So is a
    /// session that became unusable.
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

    /// Like `ask`, for a question of one statement or one transaction. Where stale prepared statements made it fail, nothing was
    /// done: it is asked once more in a new session, within the same time.
    pub(crate) async fn ask_again<T, F>(
        &self,
        question: impl Fn(Connection) -> F + Send + Sync,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        let until = Instant::now() + self.wait + self.time;
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

    /// Like `ask`, without the schema gate: for a question about no table of ours.
    pub(crate) async fn ask_early<T, F>(
        &self,
        question: impl FnOnce(Connection) -> F + Send,
    ) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>> + Send,
    {
        self.ask_once(question).await.0
    }

    /// The answer, and whether the session's prepared statements may have made it fail.
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
        // Dropped after the question, answered or not.
        let mut returned = Returned::default();
        let connection = Connection {
            object: Some(object),
            back: returned.slot.clone(),
        };
        // Dropped, and the waiting caller told, once it is known whether to distrust the other sessions.
        let mut asking = pin!(timeout(self.time, question(connection)));
        let answer = asking.as_mut().await;
        let error = answers.error();
        let is_stale = error.as_ref().is_some_and(ServerError::is_stale);
        let has_ended = error.as_ref().is_some_and(ServerError::ends_session);
        returned.is_idle = answer.is_ok() && !has_ended && !is_stale;
        // A failure of the server or of the network concerns all sessions.
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

    /// Lends a connection. Where the server has none left, idle connections of the other pools are closed
    /// first.
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
