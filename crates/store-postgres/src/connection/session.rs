//! Sessions, and how they are opened.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager as _};
use domain::ports::{BoxError, causes};
use tokio::time::timeout;
use tokio_postgres::config::{LoadBalanceHosts, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::endpoint::{Endpoint, Stream};
use super::pool::SessionPool;
use super::watched::{Answers, Watched, WatchedTls};
use super::{DatabaseUrl, SchemaName, tls};

/// Time limit for opening a session, from the first packet to its settings.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The same for a URL with several hosts, which share it: a silent host must not use up the time of a caller,
/// who waits a little longer than this.
const CONNECT_TIMEOUT_OF_SEVERAL: Duration = Duration::from_secs(2);

/// Below the client's time limit, so that a write that is reported as "not stored" is rolled back.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(2_200);
const LOCK_TIMEOUT: Duration = Duration::from_millis(2_000);

/// How long no session is renewed after a new one has met the same error as the old one.
const NO_USE: Duration = Duration::from_millis(500);

/// A frozen copy of the service must not keep its locks.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// An acknowledged commit survives a crash of the server, whatever the defaults of server, database, role or
/// URL are. Only `remote_apply` promises more than `on`.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') <> 'remote_apply'";

/// Resets every setting that our statements rely on to PostgreSQL's own value, whatever the defaults of
/// server, database, role or URL are: transactions, time limits, formats of values and the planner. Settings
/// are read from `pg_settings`, so that one that a version lacks is skipped.
///
/// - The time limit comes first: a default of one millisecond would end the rest.
/// - `search_path` comes before any function or operator is named.
/// - The transaction itself sets isolation: a default of SERIALIZABLE or DEFERRABLE would wait.
/// - A read-only default of a database or role is overridden; one of the server's configuration is not.
const DEFAULTS: &str = "SET statement_timeout TO 0; SET search_path TO pg_catalog; \
    BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE; \
    SELECT set_config(name, boot_val, false) FROM pg_settings \
    WHERE setting IS DISTINCT FROM boot_val AND (category LIKE 'Query Tuning %' OR name IN (\
        'default_transaction_isolation', 'default_transaction_deferrable', \
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', \
        'idle_session_timeout', 'transaction_timeout', \
        'DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'extra_float_digits', \
        'standard_conforming_strings', 'transform_null_equals', 'array_nulls', \
        'row_security', 'restrict_nonsystem_relation_kind', 'session_replication_role', \
        'client_min_messages', 'exit_on_error', 'check_function_bodies') \
        OR name = 'default_transaction_read_only' \
        AND source IN ('global', 'database', 'user', 'database user')); \
    COMMIT";

/// Whether the server takes no writes from this session.
pub(super) const READ_ONLY: &str =
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS read_only";

/// Why no session could be opened.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(crate) struct ConnectError {
    pub(super) words: String,
    /// The server has no connection left for this role or database (53300).
    pub(super) is_crowded: bool,
}

/// Opens the sessions of one store.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    config: Config,
    tls: MakeRustlsConnect,
    endpoints: Vec<Endpoint>,
    /// Index of the host to try first: the last one that was usable.
    first: AtomicUsize,
    /// Sessions opened before this moment are not used again.
    trusted_since: Mutex<Instant>,
    /// The pools of these sessions.
    pools: Mutex<Vec<SessionPool>>,
    /// When a new session met the error of an old one, so that prepared statements were not its cause.
    lasting: Mutex<Option<Instant>>,
}

impl Connector {
    pub(crate) fn new(url: &DatabaseUrl) -> Result<Self, BoxError> {
        Ok(Self(Arc::new(Inner {
            config: url.config.clone(),
            tls: tls::connector(url)?,
            endpoints: url.endpoints.clone(),
            first: AtomicUsize::new(0),
            trusted_since: Mutex::new(Instant::now()),
            pools: Mutex::default(),
            lasting: Mutex::new(None),
        })))
    }

    /// Opens a session that can write; these settings come after the [`DEFAULTS`]. The calling runtime drives
    /// it.
    pub(crate) async fn connect(&self, settings: &str) -> Result<Session, ConnectError> {
        let Inner {
            endpoints, first, ..
        } = &*self.0;
        let count = endpoints.len();
        let mut share = match u32::try_from(count) {
            Ok(count) if count > 1 => CONNECT_TIMEOUT_OF_SEVERAL / count,
            _ => CONNECT_TIMEOUT,
        };
        if let Some(wanted) = self.0.config.get_connect_timeout() {
            share = share.min(*wanted);
        }
        let is_random = self.0.config.get_load_balance_hosts() == LoadBalanceHosts::Random;
        let begin = if is_random {
            rand::random_range(0..count)
        } else {
            first.load(Ordering::Relaxed)
        };
        let mut failures = Vec::new();
        let mut is_crowded = false;
        for n in (begin..begin + count).map(|n| n % count) {
            let answers = Arc::new(Answers::default());
            let opening = self.open(&endpoints[n], share, settings, answers.clone());
            let opened = timeout(share, opening).await;
            is_crowded |= answers
                .error()
                .is_some_and(|error| error.state == SqlState::TOO_MANY_CONNECTIONS);
            match opened {
                Ok(Ok(session)) => {
                    if n != begin && !is_random {
                        tracing::info!(host.number = n + 1, "the database is at another host");
                    }
                    first.store(n, Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(error)) => failures.push(error.to_string()),
                Err(_) => failures.push("no answer in time".to_owned()),
            }
            // Where the caller gives up before the rest, the next attempt begins there.
            first.store((n + 1) % count, Ordering::Relaxed);
        }
        Err(ConnectError {
            words: failures.join("; "),
            is_crowded,
        })
    }

    async fn open(
        &self,
        endpoint: &Endpoint,
        time: Duration,
        settings: &str,
        answers: Arc<Answers>,
    ) -> Result<Session, BoxError> {
        let began = Instant::now();
        let mut config = self.0.config.clone();
        if matches!(endpoint, Endpoint::Unix { .. }) {
            // A socket never leaves the machine, and PostgreSQL never encrypts it.
            config.ssl_mode(SslMode::Disable);
        }
        let stream = endpoint.reach(&config, time).await?;
        let mut tls = self.0.tls.clone();
        let tls = MakeTlsConnect::<Stream>::make_tls_connect(&mut tls, endpoint.name())?;
        let stream = Watched::new(stream, answers.clone());
        let tls = WatchedTls {
            tls,
            answers: answers.clone(),
        };
        let (client, connection) = config
            .connect_raw(stream, tls)
            .await
            .map_err(|error| with_causes(&error))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move {
            // A broken connection is an error of the next question.
            let _ = connection.await;
        }));
        let beginning = format!("{DEFAULTS}; {settings}; {DURABLE}; {READ_ONLY}");
        let answered = client
            .simple_query(&beginning)
            .await
            .map_err(|error| with_causes(&error))?;
        if is_read_only(&answered) {
            return Err("the server takes no writes".into());
        }
        let connection = AsyncPgConnection::try_from(client).await?;
        Ok(Session {
            connection,
            answers,
            driver,
            began,
            share_of_life: rand::random_range(0.8..1.2),
            connector: self.clone(),
        })
    }

    /// Registers a pool of these sessions.
    pub(super) fn serves(&self, pool: SessionPool) {
        self.pools().push(pool);
    }

    /// Closes the idle sessions of all pools, because another pool needs connections.
    pub(super) fn close_idle(&self) {
        self.pools().retain(|pool| {
            let pool = pool.upgrade();
            if let Some(pool) = &pool {
                drop(pool.retain(|_, _| false));
            }
            pool.is_some()
        });
    }

    fn pools(&self) -> MutexGuard<'_, Vec<SessionPool>> {
        let pools = self.0.pools.lock();
        pools.unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the use of all present sessions: they may be unusable.
    pub(crate) fn distrust(&self) {
        *self.trusted_since() = Instant::now();
    }

    /// Like `distrust`, because a session met a change underneath its prepared statements, which all others
    /// would meet. False where new sessions fail as well: a permanent error must not close all sessions at
    /// every statement.
    pub(super) fn renew(&self) -> bool {
        let may_help = self.lasting().is_none_or(|last| last.elapsed() > NO_USE);
        if may_help {
            self.distrust();
        }
        may_help
    }

    /// Notes that a session made after [`renew`](Self::renew) has met the same error.
    pub(super) fn renewed_in_vain(&self) {
        *self.lasting() = Some(Instant::now());
    }

    fn lasting(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0
            .lasting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn trusted_since(&self) -> MutexGuard<'_, Instant> {
        let since = self.0.trusted_since.lock();
        since.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last column of the last row is the answer to [`READ_ONLY`].
fn is_read_only(answered: &[SimpleQueryMessage]) -> bool {
    let last = answered.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get("read_only"),
        _ => None,
    });
    last != Some("f")
}

/// A session. Dropping it ends it, also in the middle of a statement.
pub(crate) struct Session {
    connection: AsyncPgConnection,
    answers: Arc<Answers>,
    /// The task that reads and writes for the session.
    driver: AbortOnDropHandle<()>,
    began: Instant,
    /// The session's share of the usual lifetime, so that sessions that began together do not end together.
    share_of_life: f64,
    connector: Connector,
}

impl Session {
    /// What the server has answered.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// The SQLSTATE of the last error from the server since [`Answers::forget`].
    pub(crate) fn sqlstate(&self) -> Option<SqlState> {
        Some(self.answers.error()?.state)
    }

    /// Whether the session is connected, younger than `life` and trusted.
    pub(crate) fn may_stay(&self, life: Duration) -> bool {
        !self.driver.is_finished()
            && self.began.elapsed() < life.mul_f64(self.share_of_life)
            && self.is_trusted()
    }

    /// Whether nothing has happened since the session began for which it is distrusted.
    pub(crate) fn is_trusted(&self) -> bool {
        self.began >= *self.connector.trusted_since()
    }

    /// The connector of this session.
    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Stops the use of all present sessions, this one included.
    pub(crate) fn distrust_all(&self) {
        self.connector.distrust();
    }

    /// Whether a transaction is still open.
    pub(crate) fn is_in_transaction(&mut self) -> bool {
        AnsiTransactionManager::is_broken_transaction_manager(&mut self.connection)
    }
}

impl Deref for Session {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.connection
    }
}

/// Plans are made once for each connection, perhaps on empty tables, and kept: they must suit tables of any
/// size. So rows are looked up by index, and joined by looking up. Plans are always generic, and never
/// compiled. Frequently read pages are in memory: at the default price of a page, a hundred index look-ups
/// seem dearer than a scan of all lanes. These sessions count the requests that they add, and how long
/// messages took, in their own statements, so that no trigger has to.
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
         SET work_mem TO '4MB'; \
         SET customer_service.counts_requests TO on; \
         SET customer_service.counts_seconds TO on; \
         SET statement_timeout TO {}; \
         SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO {}",
        STATEMENT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    )
}

/// How long a statement of a report may take.
const REPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Plans are made for the values of each question, which is asked seldom and may be about a day or ten years.
/// Rows are in memory more often than not. What nobody waits for any more is given up: a server on Linux,
/// PostgreSQL 14 or newer, looks whether its client is still there.
pub(crate) fn report_settings(schema: &SchemaName) -> String {
    format!(
        "SET search_path TO \"{schema}\"; \
         SET plan_cache_mode TO force_custom_plan; \
         SET random_page_cost TO 1.1; \
         SET jit TO off; \
         SET work_mem TO '16MB'; \
         SELECT set_config(name, '300ms', false) FROM pg_settings \
         WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%'; \
         SET statement_timeout TO {}; \
         SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO {}",
        REPORT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    )
}

/// An error and its sources. PostgreSQL's connection errors name the role and the database, never the
/// password.
fn with_causes(error: &dyn std::error::Error) -> String {
    match causes(error) {
        causes if causes.is_empty() => error.to_string(),
        causes => format!("{error}: {causes}"),
    }
}
