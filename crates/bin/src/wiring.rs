//! The adapters behind the ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use domain::ports::WorkerId;
use domain::usecases::{Policies, Ports, Services};
use event_webhooks::EventClient;
use local_postgres::{LocalPostgres, Options};
use store_postgres::{DatabaseUrl, PgDealers, PgStore, PoolOptions};
use uuid::Uuid;
use whatsapp_fonnte::{FonnteClient, FonnteEvents, FonnteOptions};

use crate::config::Config;
use crate::serve::dispatch::{InFlight, LaneBell, TestMessages};
use crate::surroundings::{NotifyBell, SystemClock, ThreadDice, TimeOrderedIds};

/// The folder of the private PostgreSQL without `DATABASE_URL`.
const LOCAL_POSTGRES: &str = ".local/postgres";

/// The database of that PostgreSQL.
const LOCAL_DATABASE: &str = "customer_service";

/// The database, and its server when that is private.
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    private: Option<Private>,
}

/// The private PostgreSQL without `DATABASE_URL`.
struct Private {
    url: String,
    /// The folder of its files: not the wanted one when its user could not reach that.
    folder: PathBuf,
    /// Stops the server when dropped; absent when another process runs it.
    _server: Option<LocalPostgres>,
}

impl Database {
    /// The configured database, or a private one, which is started.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database {
            return Ok(Self {
                url: url.clone(),
                private: None,
            });
        }
        let private = tokio::task::spawn_blocking(start_or_join)
            .await?
            .context("DATABASE_URL is not set, and no private PostgreSQL could be used instead")?;
        Ok(Self {
            url: DatabaseUrl::parse(&private.url)?,
            private: Some(private),
        })
    }

    /// A warning for an operator who forgot to configure a database.
    pub(crate) fn warning(&self) -> Option<String> {
        let folder = self.private.as_ref()?.folder.display();
        Some(format!(
            "DATABASE_URL is not set: everything is stored in a private PostgreSQL in {folder}"
        ))
    }
}

/// Starts the private PostgreSQL; a command beside `serve` or `make run` uses theirs.
fn start_or_join() -> Result<Private, local_postgres::Error> {
    let wanted = Path::new(LOCAL_POSTGRES);
    match LocalPostgres::start(&Options::durable(wanted)) {
        Ok(server) => Ok(Private {
            url: server.url(LOCAL_DATABASE),
            folder: server.dir().to_owned(),
            _server: Some(server),
        }),
        Err(local_postgres::Error::AlreadyRunning { dir, pid }) => {
            match LocalPostgres::running_url(wanted, LOCAL_DATABASE)? {
                Some(url) => Ok(Private {
                    url,
                    folder: dir,
                    _server: None,
                }),
                None => Err(local_postgres::Error::AlreadyRunning { dir, pid }),
            }
        }
        Err(error) => Err(error),
    }
}

/// All adapters and use cases.
pub(crate) struct Parts {
    pub(crate) store: PgStore,
    pub(crate) dealers: PgDealers,
    /// Wakes the dispatcher's loop.
    pub(crate) bell: Arc<LaneBell>,
    /// Wakes the loop that applies events.
    pub(crate) event_bell: Arc<NotifyBell>,
    /// Wakes the loop that posts events to endpoints.
    pub(crate) outgoing_bell: Arc<NotifyBell>,
    pub(crate) services: Services,
    pub(crate) tests: Arc<TestMessages>,
    /// The calls in flight.
    pub(crate) in_flight: InFlight,
}

fn policies(config: &Config) -> Policies {
    Policies {
        accounts: config.accounts.clone(),
        delivery: config.delivery.clone(),
        endpoints: config.endpoints.clone(),
        worker: WorkerId(Uuid::new_v4()),
    }
}

impl Parts {
    /// Wires the adapters; opens no connection yet.
    pub(crate) fn assemble(
        config: &Config,
        url: &DatabaseUrl,
        options: &PoolOptions,
    ) -> anyhow::Result<Self> {
        let store = PgStore::new(url, config.schema.clone(), options)
            .map_err(anyhow::Error::from_boxed)
            .context("DATABASE_URL names a root certificate that cannot be used")?
            .with_keys(&config.secrets);
        let dealers = store.dealers_with(config.secrets.clone());
        let whatsapp = Arc::new(FonnteClient::new(FonnteOptions {
            timeout: config.delivery.send_timeout,
            ..FonnteOptions::default()
        })?);
        let bell = Arc::new(LaneBell::default());
        let event_bell = Arc::new(NotifyBell::default());
        let outgoing_bell = Arc::new(NotifyBell::default());
        let all = Arc::new(store.clone());
        let requests = all.clone();
        #[cfg(feature = "fault-injection")]
        let (requests, whatsapp) = (
            Arc::new(crate::fault::Faulty(requests)),
            Arc::new(crate::fault::Faulty(whatsapp)),
        );
        let directory = Arc::new(dealers.clone());
        let ports = Ports {
            requests: requests.clone(),
            reports: all.clone(),
            messages: all.clone(),
            outbox: requests,
            events: all.clone(),
            replies: all.clone(),
            opt_outs: all.clone(),
            confirmations: all.clone(),
            endpoints: directory.clone(),
            event_outbox: directory.clone(),
            event_sender: Arc::new(EventClient::new(config.endpoints.clone())?),
            dealers: directory.clone(),
            dealer_admin: directory.clone(),
            templates: directory,
            accounts: all.clone(),
            api_keys: Arc::new(store.api_keys()),
            arrivals: all.clone(),
            troubles: all.clone(),
            sessions: Arc::new(store.sessions()),
            audit: all.clone(),
            persons: all,
            whatsapp,
            provider_events: Arc::new(FonnteEvents),
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            dice: Arc::new(ThreadDice),
            entropy: Arc::new(ThreadDice),
            lane_bell: bell.clone(),
            event_bell: event_bell.clone(),
            outgoing_bell: outgoing_bell.clone(),
        };
        let services = Services::new(&ports, &policies(config));
        let in_flight = InFlight::default();
        let tests = TestMessages::new(services.checks.clone(), bell.clone(), in_flight.clone());
        Ok(Self {
            store,
            dealers,
            bell,
            event_bell,
            outgoing_bell,
            services,
            tests: Arc::new(tests),
            in_flight,
        })
    }
}
