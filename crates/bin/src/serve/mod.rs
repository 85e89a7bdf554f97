//! Serving: the API, the dispatcher's loop, and a graceful shutdown.

mod accounts;
mod database;
pub(crate) mod dispatch;
mod events;
mod failures;
mod health;
mod outgoing;
mod retention;
mod sweeps;
mod trial;
pub(crate) mod watched;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::{Api, ApiAuth, ApiOptions, ApiParts, Beside, Limits};
use console::{Console, ConsoleParts};
use domain::ports::Health;
use domain::values::PublicBaseUrl;
use exports::Exports;
use store_postgres::MigrateError;
use tokio_util::task::AbortOnDropHandle;

use self::dispatch::{ConfirmationLoop, DispatchLoop};
use self::events::EventLoop;
use self::health::ServiceHealth;
use self::outgoing::OutgoingLoop;
use self::retention::Retention;
use self::watched::Watched;
use crate::config::Config;
use crate::metrics::{Gauges, Metrics};
use crate::surroundings::{SystemClock, web_workers};
use crate::wiring::{Database, Parts};

/// The running version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Time for requests in flight after a shutdown begins. Messages have [`dispatch::FINISH`]; both stay below
/// 30 seconds together.
const FINISH_REQUESTS_SECONDS: u64 = 20;

/// Time for the whole shutdown, and then for closing.
const STOP: Duration = Duration::from_secs(28);
const CLOSE: Duration = Duration::from_secs(1);

/// Serves on this listener until `shutdown` completes, then finishes requests and messages in flight. Callers
/// are accepted at once; calls that need the database wait for it.
///
/// # Errors
/// When the configured database is unfit, or the server cannot start.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let database = Database::open(&config).await?;
    if let Some(warning) = database.warning() {
        tracing::warn!("{warning}");
    }
    let connections = database::connections(&database.url).await?;
    let parts = Parts::assemble(&config, &database.url, &connections)?;
    // Calls before the schema is up to date wait for it.
    parts.store.wait_for_schema();
    let watched = Watched::default();
    let gauges = Gauges::new(
        parts.store.clone(),
        watched.heartbeat.clone(),
        watched.backlog.clone(),
        VERSION,
    );
    let metrics = Arc::new(Metrics::new(gauges, config.collector.is_some())?);
    let options = options(&config, address)?;
    let api = api(&config, &parts, &watched, &options).observed(metrics.clone());
    let server = api::serve(api, &options, listener)?;
    let handle = server.handle();
    tokio::spawn(server);
    tracing::info!(server.address = %address, service.version = VERSION, "serving");
    if config.auth != ApiAuth::Required && !config.host.is_loopback() {
        tracing::warn!(
            "API_AUTH is off: whoever reaches {address} may use the service for every dealer; keep \
             it behind a proxy that authenticates, or set API_AUTH=required"
        );
    }

    let stop = parts.in_flight.stop.clone();
    let mut working = tokio::spawn(work(parts, watched, metrics, config.retention_days));
    let outcome = tokio::select! {
        () = shutdown => {
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
        // A migration may be under way and cannot be interrupted: it is rolled back when the process ends.
        None => tokio::time::timeout(STOP, working).await.ok(),
    };
    let _ = tokio::time::timeout(CLOSE, closing).await;
    if let Some(outcome) = outcome {
        outcome?.context("the service cannot work with this database")?;
    }
    Ok(())
}

fn options(config: &Config, address: SocketAddr) -> anyhow::Result<ApiOptions> {
    Ok(ApiOptions {
        origins: config.origins.clone(),
        workers: web_workers(),
        shutdown_seconds: FINISH_REQUESTS_SECONDS,
        public_base_url: match &config.public_base_url {
            Some(url) => url.clone(),
            None => PublicBaseUrl::parse(&format!("http://{address}"))?,
        },
    })
}

/// The API over these parts, and the pages for people beside it.
fn api(config: &Config, parts: &Parts, watched: &Watched, options: &ApiOptions) -> Api {
    let health: Arc<dyn Health> = Arc::new(ServiceHealth::new(
        parts.store.clone(),
        watched.heartbeat.clone(),
        watched.backlog.clone(),
        watched.trial.clone(),
    ));
    let audit = Arc::new(parts.store.clone());
    let limits = Arc::new(Limits::new(config.rate, config.proxies.clone()));
    let exports = Arc::new(Exports::new(parts.services.lookups.clone()));
    let console_parts = ConsoleParts {
        tests: parts.tests.clone(),
        accounts: config.accounts.clone(),
        health: health.clone(),
        audit: audit.clone(),
        clock: Arc::new(SystemClock),
        keys: config.auth,
        limits: limits.clone(),
        exports: exports.clone(),
        public_base_url: options.public_base_url.clone(),
        stop: parts.in_flight.stop.clone(),
        version: VERSION,
    };
    let api_parts = ApiParts {
        tests: parts.tests.clone(),
        accounts: config.accounts.clone(),
        health,
        audit,
        auth: config.auth,
        limits,
        exports,
        version: VERSION,
    };
    let console = Console::new(parts.services.clone(), console_parts);
    Api::new(parts.services.clone(), api_parts).beside(Beside {
        path: console::PATH,
        configure: Arc::new(console.configure()),
    })
}

/// Brings the database up to date, then runs the loops until the shutdown.
async fn work(
    parts: Parts,
    watched: Watched,
    metrics: Arc<Metrics>,
    retention_days: Option<u32>,
) -> Result<(), MigrateError> {
    let stop = parts.in_flight.stop.clone();
    let services = parts.services;
    let store = parts.store;
    database::up_to_date(&store, &stop).await?;
    database::tell_shortcomings(&store).await;
    let confirming = ConfirmationLoop::new(
        services.confirmations,
        parts.bell.clone(),
        parts.in_flight.clone(),
    );
    let dispatching = DispatchLoop::new(
        services.dispatcher,
        services.intake,
        parts.bell,
        parts.outgoing_bell.clone(),
        watched.heartbeat,
        metrics.clone(),
        parts.in_flight,
    );
    let applying = EventLoop::new(
        services.events,
        parts.event_bell,
        parts.outgoing_bell.clone(),
        metrics.clone(),
    );
    let posting = OutgoingLoop::new(
        services.event_dispatcher,
        parts.outgoing_bell,
        metrics,
        Arc::new(SystemClock),
    );
    let _counting = in_background(watched.backlog.keep(store.clone()));
    let _trying = in_background(watched.trial.keep(store.clone()));
    let _adding_up = in_background(database::add_up(store));
    let _confirming = in_background(confirming.run());
    let _watching = in_background(accounts::watch(services.accounts));
    let _erasing =
        retention_days.map(|days| in_background(Retention::new(services.subjects, days).run()));
    tokio::join!(
        dispatching.run(),
        applying.run(stop.clone()),
        posting.run(stop)
    );
    Ok(())
}

/// Runs a loop in a task of its own, which is aborted when the handle is dropped.
fn in_background(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(task))
}
