//! `serve`: the API, the dispatcher's loop, and an end that loses nothing.

mod accounts;
mod backlog;
pub(crate) mod dispatch;
mod events;
mod failures;
mod files;
mod health;
mod retention;
mod sweeps;
mod trial;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::{Api, ApiAuth, ApiOptions, ApiParts, Limits, PublicBaseUrl};
use local_postgres::port_holder;
use store_postgres::{ConnectionsError, DatabaseUrl, MigrateError, PgStore, PoolOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub(crate) use self::backlog::LatestBacklog;
pub(crate) use self::dispatch::Heartbeat;

use self::dispatch::DispatchLoop;
use self::events::EventLoop;
use self::failures::Failures;
use self::health::ServiceHealth;
use self::retention::Retention;
use self::trial::LatestTrial;
use crate::config::Config;
use crate::logging;
use crate::metrics::{Gauges, Metrics};
use crate::surroundings::web_workers;
use crate::traces::Traces;
use crate::wiring::{Database, Parts};

/// How long requests in flight may take after SIGTERM. Messages have
/// [`dispatch::FINISH`], and both together stay below 30 seconds.
const FINISH_REQUESTS_SECONDS: u64 = 20;

/// How long everything may take after SIGTERM, and what closing may take after that.
const STOP: Duration = Duration::from_secs(28);
const CLOSE: Duration = Duration::from_secs(1);

/// How long to wait before asking a database that is away again: soon, because callers wait as well, then
/// ever longer.
const MIGRATE_AGAIN: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often changes of the numbers of requests are added up.
const ADD_UP: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let traces = config.collector.as_ref().map(Traces::to).transpose()?;
    let _last_lines =
        logging::start(&config.log, traces.as_ref()).context("cannot begin to log")?;
    for (name, meant) in &config.misspelt {
        tracing::warn!("the variable {name} is none of ours; is {meant} meant?");
    }
    files::allow_connections(api::MAX_CONNECTIONS);
    let listener = listen(SocketAddr::new(config.host, config.port))?;
    let address = listener.local_addr()?;
    let database = Database::open(&config).await?;
    if let Some(warning) = database.warning() {
        tracing::warn!("{warning}");
    }
    let connections = connections(&database.url).await?;
    let parts = Parts::assemble(&config, &database.url, &connections)?;
    // Calls that come before the schema is there wait for it.
    parts.store.wait_for_schema();
    let heartbeat = Heartbeat::default();
    let backlog = LatestBacklog::default();
    let trial = LatestTrial::default();
    let health = ServiceHealth::new(
        parts.store.clone(),
        heartbeat.clone(),
        backlog.clone(),
        trial.clone(),
    );
    let version = env!("CARGO_PKG_VERSION");
    let store = parts.store.clone();
    let gauges = Gauges::new(store, heartbeat.clone(), backlog.clone(), version);
    let metrics = Arc::new(Metrics::new(gauges, traces.is_some())?);
    let api_parts = ApiParts {
        tests: parts.tests,
        accounts: config.accounts.clone(),
        health: Arc::new(health),
        audit: Arc::new(parts.store.clone()),
        auth: config.auth,
        limits: Limits::new(config.rate, config.proxies.clone()),
        version,
    };
    let services = parts.services;
    let api = Api::new(services.clone(), api_parts).observed(metrics.clone());
    let options = ApiOptions {
        origins: config.origins.clone(),
        workers: web_workers(),
        shutdown_seconds: FINISH_REQUESTS_SECONDS,
        public_base_url: match &config.public_base_url {
            Some(url) => url.clone(),
            None => PublicBaseUrl::parse(&format!("http://{address}"))?,
        },
    };
    let server = api::serve(api, &options, listener)?;
    let handle = server.handle();
    tokio::spawn(server);
    tracing::info!(server.address = %address, service.version = version, "serving");

    if config.auth != ApiAuth::Required && !config.host.is_loopback() {
        tracing::warn!(
            "API_AUTH is off: whoever reaches {address} may use the service for every dealer; keep \
             it behind a proxy that authenticates, or set API_AUTH=required"
        );
    }

    let stop = parts.in_flight.stop.clone();
    let store = parts.store;
    let accounts = services.accounts;
    let dispatching = DispatchLoop::new(
        services.dispatcher,
        services.intake,
        parts.bell,
        heartbeat,
        metrics.clone(),
        parts.in_flight,
    );
    let applying = EventLoop::new(services.events, parts.event_bell, metrics);
    let retention = config
        .retention_days
        .map(|days| Retention::new(services.subjects, days));
    let stopped = stop.clone();
    let mut working = tokio::spawn(async move {
        up_to_date(&store, &stopped).await?;
        tell_shortcomings(&store).await;
        let counting = AbortOnDropHandle::new(tokio::spawn(backlog.keep(store.clone())));
        let trying = AbortOnDropHandle::new(tokio::spawn(trial.keep(store.clone())));
        let adding_up = AbortOnDropHandle::new(tokio::spawn(add_up(store)));
        let watching = AbortOnDropHandle::new(tokio::spawn(accounts::watch(accounts)));
        let applying = applying.run(stopped.clone());
        let sweeping =
            retention.map(|retention| AbortOnDropHandle::new(tokio::spawn(retention.run())));
        tokio::join!(dispatching.run(), applying);
        drop((counting, trying, adding_up, watching));
        drop(sweeping);
        Ok::<(), MigrateError>(())
    });

    let outcome = tokio::select! {
        () = told_to_stop()? => {
            tracing::info!("stopping: requests and messages in flight are finished first");
            None
        }
        // It ends by itself only when the database cannot be brought up to date.
        outcome = &mut working => Some(outcome),
    };
    stop.cancel();
    let closing = tokio::spawn(async move { handle.stop(true).await });
    let outcome = match outcome {
        Some(outcome) => Some(outcome),
        // A migration may be under way, which nothing can interrupt: it is rolled back when the
        // process ends.
        None => tokio::time::timeout(STOP, working).await.ok(),
    };
    let _ = tokio::time::timeout(CLOSE, closing).await;
    if let Some(outcome) = outcome {
        outcome?.context("the service cannot work with this database")?;
    }
    if let Some(traces) = traces {
        traces.finish().await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Adds up changes of the numbers of requests, again and again. What is left at the end is as good
/// added up by another copy, or later.
async fn add_up(store: PgStore) {
    let failures = Failures::of("cannot add up counts");
    let mut again = tokio::time::interval(ADD_UP);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match store.add_up_counts().await {
            // There is more; breathe between two statements.
            Ok(true) => tokio::time::sleep(ADD_UP / 10).await,
            Ok(false) => {
                failures.over();
                again.tick().await;
            }
            Err(error) => {
                failures.of_store(&error);
                again.tick().await;
            }
        }
    }
}

/// Shares out the connections that the server gives. Where it is away, the pools take what they get.
async fn connections(url: &DatabaseUrl) -> anyhow::Result<PoolOptions> {
    let wanted = PoolOptions {
        each_thread: true,
        ..PoolOptions::default()
    };
    let threads = web_workers();
    match wanted.clone().fitted(url, threads).await {
        Ok((fitted, most)) => {
            tracing::info!(
                connections.most = most,
                connections.callers = fitted.total(threads) - fitted.size,
                connections.others = fitted.size,
                "connections to the database are shared out"
            );
            Ok(fitted)
        }
        Err(error @ ConnectionsError::TooFew(_)) => Err(error.into()),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(error.source = cause, "{error}");
            Ok(wanted)
        }
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let port = address.port();
        let holder = match (error.kind(), port_holder(address)) {
            (ErrorKind::AddrInUse, Some(holder)) => format!(": {holder} does; end it, or"),
            (ErrorKind::AddrInUse, None) => {
                format!(": another program does, which `lsof -nP -iTCP:{port}` shows; end it, or")
            }
            _ => ";".to_owned(),
        };
        anyhow::Error::new(error).context(format!(
            "cannot listen on {address}{holder} choose another address with SERVICE_HOST and \
             SERVICE_PORT"
        ))
    })
}

/// Migrates, and waits for a database that is away. Calls wait as well, each as long as it may.
async fn up_to_date(store: &PgStore, stop: &CancellationToken) -> Result<(), MigrateError> {
    let began = Instant::now();
    let mut told = BTreeSet::new();
    let mut pause = MIGRATE_AGAIN;
    loop {
        let migrated = tokio::select! {
            migrated = store.bring_up_to_date() => migrated,
            () = stop.cancelled() => return Ok(()),
        };
        match migrated {
            Ok(applied) => {
                tracing::info!(
                    migrations.applied = applied,
                    waited_ms = began.elapsed().as_secs_f64() * 1_000.0,
                    "the database is up to date"
                );
                return Ok(());
            }
            Err(
                error @ (MigrateError::Forbidden { .. }
                | MigrateError::Encoding(_)
                | MigrateError::Failed(_)),
            ) => {
                return Err(error);
            }
            // However long it takes.
            Err(error) if told.insert(error.to_string()) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(error.source = cause, "waiting for the database: {error}");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))) => {}
            () = stop.cancelled() => return Ok(()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Says what of the database is not as the service needs it.
async fn tell_shortcomings(store: &PgStore) {
    // What cannot be found out now, `doctor` finds.
    for found in store.shortcomings().await.unwrap_or_default() {
        tracing::warn!("{found}");
    }
}

/// Becomes ready with SIGTERM, with Ctrl-C, or when the terminal is closed.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = match hangup_is_ignored() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hung_up => {}
        }
    })
}

/// Whether this program was started with `nohup`, which is to outlive its terminal. Only Linux tells:
/// SIGHUP is the first signal, and so the lowest bit.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok())
        .is_some_and(|signals| signals & 1 == 1)
}
