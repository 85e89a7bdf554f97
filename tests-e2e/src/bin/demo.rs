//! `make run`: a private PostgreSQL, the demo dealer, the Fonnte simulator and the service, until
//! Ctrl-C.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use local_postgres::{LocalPostgres, Options, install};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests_e2e::{Client, program};
use tokio::signal::unix::{SignalKind, signal};

const SERVICE: &str = "127.0.0.1:8300";
const SIMULATOR: &str = "127.0.0.1:8399";
const DEMO_KEY: &str = "demo-token";
const START_LIMIT: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    install().context("no PostgreSQL to run")?;
    println!("Starting a private PostgreSQL in .local/postgres …");
    let postgres = LocalPostgres::start(&Options::durable(Path::new(".local/postgres")))?;
    let url = postgres.url("customer_service");
    migrate_and_add_dealer(&url)?;

    let mut simulator = Program::start("fonnte-simulator", &["--listen", SIMULATOR], &[])?;
    let send_url = format!("http://{SIMULATOR}/send");
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("FONNTE_DEFAULT_API_URL", &send_url),
    ];
    let mut service = Program::start("customer-service", &["serve"], &settings)?;
    tokio::select! {
        ready = until_ready() => ready?,
        () = service.ended() => bail!("the service ended by itself; see above"),
        () = simulator.ended() => bail!("the simulator ended by itself; see above"),
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    }
    explain();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = service.ended() => bail!("the service ended by itself; see above"),
        () = simulator.ended() => bail!("the simulator ended by itself; see above"),
    }
    println!("\nStopping …");
    drop(service);
    drop(simulator);
    postgres.stop()?;
    Ok(())
}

fn migrate_and_add_dealer(url: &str) -> anyhow::Result<()> {
    let send_url = format!("http://{SIMULATOR}/send");
    let name = ["--name", "Dealer Demo", "--key", DEMO_KEY, "--if-missing"];
    for arguments in [
        &["migrate"][..],
        &[&["dealer", "add", "0009999"], &name[..]].concat(),
    ] {
        let status = Command::new(program("customer-service"))
            .args(arguments)
            .env("DATABASE_URL", url)
            .env("FONNTE_DEFAULT_API_URL", &send_url)
            .status()?;
        ensure!(
            status.success(),
            "`customer-service {}` failed",
            arguments.join(" ")
        );
    }
    Ok(())
}

async fn until_ready() -> anyhow::Result<()> {
    let client = Client::new(&format!("http://{SERVICE}"));
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(50));
    while began.elapsed() < START_LIMIT {
        again.tick().await;
        if client
            .get("/api/v1/health/ready")
            .await
            .is_ok_and(|reply| reply.status == 200)
        {
            return Ok(());
        }
    }
    bail!(
        "the service is not ready after {} seconds; see above",
        START_LIMIT.as_secs()
    )
}

fn explain() {
    println!(
        r#"
  Service      http://{SERVICE}   (documentation: http://{SERVICE}/docs)
  WhatsApp     http://{SIMULATOR}   (the simulator: what the customer's phone shows)

  Try it:

  curl -i http://{SERVICE}/api/v1/customer/validate-customer -H 'Content-Type: application/json' -d '{{"namaPembawa":"Adit","noTelp":"082148523421","tipeUnit":"BeAT Street","noPol":"D 123 AD","createdTime":"31/12/2019 15:40:50","modifiedTime":"31/12/2019 15:40:50","dealerId":"0009999"}}'

  then look at the simulator's page, and at the request: its path is in the answer's Location.

  Ctrl-C stops everything.
"#
    );
}

/// A program of ours in a process group of its own, so that Ctrl-C reaches it through us, after
/// what depends on it. It is told to stop when dropped, and waited for.
struct Program(Child);

impl Program {
    fn start(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let child = Command::new(program(name))
            .args(arguments)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self(child))
    }

    /// Returns when the program has ended.
    async fn ended(&mut self) {
        let mut look = tokio::time::interval(Duration::from_millis(200));
        while matches!(self.0.try_wait(), Ok(None)) {
            look.tick().await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = self.0.wait();
    }
}
