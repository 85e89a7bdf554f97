//! Everything that is needed to try the service.

mod desktop;
mod fate;
mod history;
mod ports;
mod replies;
mod setup;

use std::io::Write as _;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use local_postgres::{LocalPostgres, Options, OwnedProgram, install};

use self::history::DEALERS;
use crate::{Client, program, told_to_end};

/// How long a program may take to answer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long the service may take to finish what is in flight; it promises 30 seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same when this program was killed, and the database is going, too.
const GRACE: Duration = Duration::from_secs(5);

/// Where everything is.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// The port of the service
    #[arg(long, value_name = "PORT", default_value_t = 8300, value_parser = clap::value_parser!(u16).range(1..))]
    pub service_port: u16,
    /// The port of the Fonnte simulator
    #[arg(long, value_name = "PORT", default_value_t = 8399, value_parser = clap::value_parser!(u16).range(1..))]
    pub simulator_port: u16,
    /// Where the data is kept
    #[arg(long, default_value = ".local")]
    pub folder: PathBuf,
}

impl Demo {
    fn service(&self) -> String {
        format!("http://127.0.0.1:{}", self.service_port)
    }

    fn console(&self) -> String {
        format!("{}/console", self.service())
    }

    fn simulator(&self) -> String {
        format!("http://127.0.0.1:{}", self.simulator_port)
    }

    fn send_url(&self) -> String {
        format!("{}/send", self.simulator())
    }
}

/// Runs everything until it is told to end.
///
/// # Errors
/// When a part does not start, or ends by itself.
pub async fn demo(demo: &Demo) -> anyhow::Result<()> {
    let mut told = pin!(told_to_end()?);
    tokio::select! {
        free = ports::all_free(demo) => free?,
        () = &mut told => return Ok(()),
    }
    install().context("no PostgreSQL to run")?;
    let folder = demo.folder.join("postgres");
    say(&format!(
        "Starting a private PostgreSQL in {} …",
        folder.display()
    ));
    let postgres = LocalPostgres::start(&Options::durable(folder))?;
    let outcome = play(demo, &postgres.url("customer_service"), told).await;
    postgres.stop()?;
    outcome
}

async fn play(
    demo: &Demo,
    database: &str,
    mut told: Pin<&mut impl Future<Output = ()>>,
) -> anyhow::Result<()> {
    let mut simulator = start_simulator(demo)?;
    tokio::select! {
        prepared = setup::prepare(demo, database) => prepared?,
        () = ended(&mut simulator) => bail!("the simulator ended by itself; see above"),
        () = &mut told => return Ok(()),
    }
    let mut service = start_service(&[
        ("DATABASE_URL", database),
        ("FONNTE_DEFAULT_API_URL", &demo.send_url()),
        ("SERVICE_PORT", &demo.service_port.to_string()),
    ])?;
    let serving = async {
        until_ready(&demo.service(), "/api/v1/health/ready").await?;
        explain(demo);
        desktop::open(&demo.console());
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        never = serving => never?,
        () = ended(&mut service) => bail!("the service ended by itself; see above"),
        () = ended(&mut simulator) => bail!("the simulator ended by itself; see above"),
        () = &mut told => {}
    }
    say("\nStopping …");
    // The service first: it finishes what is in flight, for which it needs the others.
    service.stop(PATIENCE);
    Ok(())
}

fn start_simulator(demo: &Demo) -> anyhow::Result<OwnedProgram> {
    let mut command = OwnedProgram::command(&program("fonnte-simulator"));
    let address = format!("127.0.0.1:{}", demo.simulator_port);
    command.args(["--listen", &address]);
    for dealer in &DEALERS {
        command.arg(format!("--token={}={}", dealer.token, dealer.number));
    }
    OwnedProgram::start(&mut command, GRACE).context("the simulator cannot be started")
}

/// Starts the service with these settings, and what else the environment says.
fn start_service(settings: &[(&str, &str)]) -> anyhow::Result<OwnedProgram> {
    let mut command = OwnedProgram::command(&program("customer-service"));
    command.arg("serve").envs(settings.iter().copied());
    OwnedProgram::start(&mut command, GRACE).context("the service cannot be started")
}

/// Returns when a program has ended.
async fn ended(program: &mut OwnedProgram) {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    while matches!(program.try_wait(), Ok(None)) {
        look.tick().await;
    }
}

/// Returns when a GET is answered with 200.
async fn until_ready(base: &str, path: &str) -> anyhow::Result<()> {
    let client = Client::new(base);
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(50));
    while began.elapsed() < START_LIMIT {
        again.tick().await;
        if client
            .get(path)
            .await
            .is_ok_and(|reply| reply.status == 200)
        {
            return Ok(());
        }
    }
    bail!(
        "{base}{path} is not well after {} seconds; see above",
        START_LIMIT.as_secs()
    )
}

fn explain(demo: &Demo) {
    let (service, simulator, send) = (demo.service(), demo.simulator(), demo.send_url());
    let console = demo.console();
    let first = &DEALERS[0];
    let dealers: Vec<String> = DEALERS
        .iter()
        .map(|dealer| format!("{} {}", dealer.id, dealer.name))
        .collect();
    let doctor = program("customer-service");
    let doctor = std::env::current_dir()
        .ok()
        .and_then(|here| doctor.strip_prefix(here).ok().map(ToOwned::to_owned))
        .unwrap_or(doctor);
    say(&format!(
        r#"
  Console      {console}   (what dealers and head office look at)
  Service      {service}   (documentation: {service}/docs)
  WhatsApp     {simulator}   (the simulator: what the customers' phones show)
  Dealers      {dealers}

  Try it:

  curl -i {service}/api/v1/customer/validate-customer -H 'Content-Type: application/json' -d '{{"namaPembawa":"Adit","noTelp":"082148523421","tipeUnit":"BeAT Street","noPol":"D 123 AD","createdTime":"31/12/2019 15:40:50","modifiedTime":"31/12/2019 15:40:50","dealerId":"{id}"}}'

  then look at the console and at the simulator's page; the request's path is in the answer's Location. Within
  five seconds its whatsapp_status goes from SENT over DELIVERED to READ.

  The dealers have three weeks behind them, and not all of it went well: Jaya Motor's device has lost its
  connection, and of some messages of Sinar Motor nobody knows what became. The console says what to do.

  curl '{service}/api/v1/customer/dealer/{id}/stats'
  curl '{service}/api/v1/customer/dealer/{id}/requests?page_size=5'
  FONNTE_DEFAULT_API_URL={send} {doctor} doctor

  Ctrl-C stops everything.
"#,
        dealers = dealers.join(" · "),
        id = first.id,
        doctor = doctor.display(),
    ));
}

/// A line for whoever looks; a terminal that was closed is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
