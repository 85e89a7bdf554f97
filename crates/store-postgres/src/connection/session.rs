//! Sessions, and how they are made.

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

/// How long making a session may take, from the first packet to its settings.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The same with several hosts, which share it, so that none that is silent keeps callers from the next
/// one: they wait a little longer than this.
const CONNECT_TIMEOUT_OF_SEVERAL: Duration = Duration::from_secs(2);

/// The server gives up before we do, so that what we call "not stored" is rolled back.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(2_200);
const LOCK_TIMEOUT: Duration = Duration::from_millis(2_000);

/// For how long new sessions are not tried, once one of them has met the error of the one before.
const NO_USE: Duration = Duration::from_millis(500);

/// A frozen copy of the service must not keep its locks.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// What is acknowledged survives a crash of the server, whatever it, the database, the role or the URL
/// defaults to. Of the other values only `remote_apply` promises more than `on`.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') <> 'remote_apply'";

/// Gives every setting that a statement of ours relies on the value that PostgreSQL has by itself, whatever
/// server, database, role or URL default to: how transactions begin, time limits, formats of values, and all
/// of the planner. Read from `pg_settings`, so that settings that a version lacks are passed over.
///
/// - The time limit comes first: the rest of this must not meet a default of a millisecond.
/// - `search_path` comes before any function or operator is named.
/// - The transaction has no default of its own either: SERIALIZABLE and DEFERRABLE would wait.
/// - A server whose own configuration is read-only takes no writes, and the session stays of no use. A
///   read-only default of a database or role is overridden.
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

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(crate) struct ConnectError {
    pub(super) words: String,
    /// The server has no connection left for this role or database (53300).
    pub(super) is_crowded: bool,
}

/// Makes sessions, all of them for the same store.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    config: Config,
    tls: MakeRustlsConnect,
    endpoints: Vec<Endpoint>,
    /// Which of them to try first: the one that was well last.
    first: AtomicUsize,
    /// Sessions from before are not used again.
    trusted_since: Mutex<Instant>,
    /// The pools that they are in.
    pools: Mutex<Vec<SessionPool>>,
    /// When a new session met what an old one had met, so that it was not for what that had prepared.
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

    /// Makes a session that can write, with these settings on top of the [`DEFAULTS`]. The runtime that this is called on drives it.
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
            // Should the caller not wait for the rest, the next one begins there.
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
            // It never leaves the machine, and PostgreSQL never encrypts it.
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
            // Whoever asks is told when it breaks.
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

    /// Remembers a pool of these sessions.
    pub(super) fn serves(&self, pool: SessionPool) {
        self.pools().push(pool);
    }

    /// Closes the idle sessions of all pools: where the server has no more, another pool needs them.
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

    /// Sessions that there are by now are not used again: something has shown that they may be of no use.
    pub(crate) fn distrust(&self) {
        *self.trusted_since() = Instant::now();
    }

    /// The same because one has met a change of what it had prepared: the others would meet it, too. False
    /// where a new session is of no use either: an error that lasts must not close all sessions at every
    /// statement.
    pub(super) fn renew(&self) -> bool {
        let may_help = self.lasting().is_none_or(|last| last.elapsed() > NO_USE);
        if may_help {
            self.distrust();
        }
        may_help
    }

    /// A session that was made after [`renew`](Self::renew) has met the same error.
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

/// The last row's last column is the answer to [`READ_ONLY`].
fn is_read_only(answered: &[SimpleQueryMessage]) -> bool {
    let last = answered.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get("read_only"),
        _ => None,
    });
    last != Some("f")
}

/// A session, which ends when dropped, whatever it is doing.
pub(crate) struct Session {
    connection: AsyncPgConnection,
    answers: Arc<Answers>,
    /// Reads and writes for it.
    driver: AbortOnDropHandle<()>,
    began: Instant,
    /// How much of the usual life it has, so that sessions that began together do not end together.
    share_of_life: f64,
    connector: Connector,
}

impl Session {
    /// What the server has answered.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// The class of the last error that the server has told, since it was asked to forget it.
    pub(crate) fn sqlstate(&self) -> Option<SqlState> {
        Some(self.answers.error()?.state)
    }

    /// Whether it may be kept: it is connected, not older than this, and nothing speaks against it.
    pub(crate) fn may_stay(&self, life: Duration) -> bool {
        !self.driver.is_finished()
            && self.began.elapsed() < life.mul_f64(self.share_of_life)
            && self.is_trusted()
    }

    /// Whether nothing has become known since it began for which it is not used again.
    pub(crate) fn is_trusted(&self) -> bool {
        self.began >= *self.connector.trusted_since()
    }

    /// What makes such sessions.
    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Sessions that there are by now, this one included, are not used again.
    pub(crate) fn distrust_all(&self) {
        self.connector.distrust();
    }

    /// Whether it was left in the middle of something.
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
         SET work_mem TO '4MB'; \
         SET statement_timeout TO {}; \
         SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO {}",
        STATEMENT_TIMEOUT.as_millis(),
        LOCK_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    )
}

/// An error and all its sources. PostgreSQL's words on connecting name the role and the database, never
/// the password.
fn with_causes(error: &dyn std::error::Error) -> String {
    match causes(error) {
        causes if causes.is_empty() => error.to_string(),
        causes => format!("{error}: {causes}"),
    }
}
