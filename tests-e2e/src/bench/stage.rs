//! Everything that a measurement needs: a durable PostgreSQL of its own, dealers, the simulator and
//! the service, all as programs and all gone at the end.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use local_postgres::{LocalPostgres, Options, OwnedProgram, install};
use store_postgres::testing::session_settings;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::Progress;
use super::pgbench::Pgbench;
use super::process::{Copy, Running};
use super::usage::{self, Usage};
use crate::program;

/// The dealers that the simulator knows: as many as the dispatcher is measured with.
pub(super) const DEALERS: u32 = 500;

/// How long sessions that have ended may take to leave.
const LEAVE_LIMIT: Duration = Duration::from_secs(2);

/// The seed's table, in a database of its own, without anything that the service has added.
pub(super) const PLAIN_TABLE: &str = "
CREATE SCHEMA customer;
CREATE TABLE customer.customer_validation_request (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    request_time TIME NOT NULL,
    nama_pembawa VARCHAR(255) NOT NULL,
    no_telp VARCHAR(20) NOT NULL,
    tipe_unit VARCHAR(100) NOT NULL,
    no_pol VARCHAR(20) NOT NULL,
    request_status VARCHAR(20) DEFAULT 'PENDING',
    whatsapp_status VARCHAR(20) DEFAULT 'NOT_SENT',
    fonnte_response JSON,
    created_by VARCHAR(100),
    created_date TIMESTAMP DEFAULT NOW(),
    last_modified_by VARCHAR(100),
    last_modified_date TIMESTAMP DEFAULT NOW()
);";

/// The parts that all measurements share. Dropping it ends them, in this order.
pub(super) struct Stage {
    /// The comparison.
    pub pgbench: Pgbench,
    /// What the person sees.
    pub progress: Progress,
    /// The simulator's address for sends.
    send_url: String,
    simulator: Running,
    postgres: LocalPostgres,
    _files: Files,
    /// The most memory that a copy of the service was seen with at the end of its work, in bytes.
    resident: Cell<Option<u64>>,
}

impl Stage {
    /// Starts everything but the service. PostgreSQL's files are below `folder`.
    ///
    /// # Errors
    /// When something cannot be started.
    pub(super) async fn set(folder: &Path, progress: Progress) -> anyhow::Result<Self> {
        let programs = install().context("no PostgreSQL to run")?;
        let mut files = Files::below(folder)?;
        let postgres = LocalPostgres::start(&Options::durable(files.root.path()))?;
        files.elsewhere = Some(postgres.dir().to_owned()).filter(|dir| *dir != files.root.path());
        let pgbench = Pgbench::new(programs.dir().join("pgbench"), &postgres.url("postgres"))?;
        let (simulator, send_url) = start_simulator()?;
        let stage = Self {
            pgbench,
            progress,
            send_url,
            simulator,
            postgres,
            _files: files,
            resident: Cell::new(None),
        };
        stage.insist_on_durability().await?;
        Ok(stage)
    }

    /// PostgreSQL's version and where its files are.
    #[must_use]
    pub(super) fn facts(&self) -> String {
        let memory = if is_in_memory(self.postgres.dir()) {
            ", its files in memory, so that a commit costs less than on a disk"
        } else {
            ""
        };
        format!(
            "PostgreSQL {} with its own defaults (durable{memory})",
            self.postgres.version()
        )
    }

    /// Makes a database as an installation has it, with dealers.
    ///
    /// # Errors
    /// When that fails.
    pub(super) async fn installation(&self, name: &str, dealers: u32) -> anyhow::Result<()> {
        self.create(name).await?;
        let mut command = OwnedProgram::command(&program("customer-service"));
        command
            .arg("migrate")
            .env("DATABASE_URL", self.postgres.url(name));
        let output = Running::to_the_end(command).await?;
        ensure!(output.status.success(), "migrate failed: {}", output.stderr);
        self.execute(
            name,
            &format!(
                "INSERT INTO dealer_integration.dealers
                    (dealer_id, dealer_name, fonnte_api_key, fonnte_api_url)
                SELECT (1000000 + n)::text, 'Dealer ' || n, 'bench-' || n, NULL
                FROM generate_series(1, {dealers}) n"
            ),
        )
        .await
    }

    /// Gives all sessions of this database the settings of the service's sessions.
    ///
    /// # Errors
    /// When that fails.
    pub(super) async fn settle_sessions(&self, database: &str) -> anyhow::Result<()> {
        for setting in session_settings().split("; ") {
            let setting = setting.strip_prefix("SET ").context("it sets something")?;
            let all = format!("ALTER DATABASE {database} SET {setting}");
            self.execute("postgres", &all).await?;
        }
        Ok(())
    }

    /// Makes a database with nothing but the seed's table.
    ///
    /// # Errors
    /// When that fails.
    pub(super) async fn plain_table(&self, name: &str) -> anyhow::Result<()> {
        self.create(name).await?;
        self.execute(name, PLAIN_TABLE).await
    }

    async fn create(&self, name: &str) -> anyhow::Result<()> {
        self.execute("postgres", &format!("CREATE DATABASE {name}"))
            .await
    }

    /// Starts a copy of the service, with the default settings but for these.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) async fn serve(
        &self,
        database: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Copy> {
        let url = self.postgres.url(database);
        let mut all = vec![
            ("DATABASE_URL", &*url),
            ("FONNTE_DEFAULT_API_URL", &self.send_url),
            ("SERVICE_PORT", "0"),
            ("LOG_FORMAT", "json"),
            // All calls come from one address here.
            ("RATE_LIMIT_PER_MINUTE", "0"),
        ];
        all.extend(settings);
        Copy::start(&all).await
    }

    /// Where a database is.
    #[must_use]
    pub(super) fn url(&self, database: &str) -> String {
        self.postgres.url(database)
    }

    /// A connection for looking behind the service's back.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        let (client, connection) =
            tokio_postgres::connect(&self.postgres.url(database), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// What a submission takes on the disk of an installation, with its message and all indexes.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub(super) async fn bytes_of_a_submission(&self, database: &str) -> anyhow::Result<f64> {
        let client = self.connect(database).await?;
        let sizes = "SELECT sum(pg_total_relation_size(c.oid))::float8
                / (SELECT count(*) FROM customer.customer_validation_request)
            FROM pg_class c
            WHERE c.relkind = 'r' AND c.relnamespace = 'customer'::regnamespace";
        Ok(client.query_one(sizes, &[]).await?.get(0))
    }

    /// Runs statements.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn execute(&self, database: &str, statements: &str) -> anyhow::Result<()> {
        let client = self.connect(database).await?;
        Ok(client.batch_execute(statements).await?)
    }

    /// Every run begins with all data files written, so that none pays for the one before.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.execute("postgres", "CHECKPOINT").await
    }

    /// Processor time so far, of everybody who takes part.
    #[must_use]
    pub(super) fn usage(&self, copies: &[&Copy]) -> Option<Usage> {
        let pids: Vec<u32> = copies.iter().map(|copy| copy.pid()).collect();
        Usage::now(&pids, self.postgres.pid())
    }

    /// How many processes PostgreSQL has.
    #[must_use]
    pub(super) fn sessions(&self) -> usize {
        self.postgres.pid().map_or(0, usage::children)
    }

    /// Waits until sessions that have ended have been counted by the system as ended.
    pub(super) async fn until_sessions_left(&self, before: usize) {
        let began = Instant::now();
        while self.sessions() > before && began.elapsed() < LEAVE_LIMIT {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Notes the memory of a copy that has done its work.
    pub(super) fn note_memory(&self, copy: &Copy) {
        let resident = usage::resident_bytes(copy.pid());
        self.resident.set(self.resident.get().max(resident));
    }

    /// The most memory of a copy, in MB.
    #[must_use]
    pub(super) fn resident_mb(&self) -> Option<f64> {
        let bytes = self.resident.get()?;
        Some(bytes as f64 / 1e6)
    }

    /// Processor time of the simulator so far, in the place of the service's.
    #[must_use]
    pub(super) fn simulator_usage(&self) -> Option<Usage> {
        Usage::now(&[self.simulator.pid()], self.postgres.pid())
    }

    async fn insist_on_durability(&self) -> anyhow::Result<()> {
        let client = self.connect("postgres").await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let row = client.query_one(&format!("SHOW {setting}"), &[]).await?;
            let value: &str = row.get(0);
            ensure!(value == "on", "{setting} is {value}: nothing to compare");
        }
        Ok(())
    }
}

/// The numbers of the first dealers.
#[must_use]
pub(super) fn dealer_ids(count: u32) -> Vec<String> {
    (1..=count).map(|n| (1_000_000 + n).to_string()).collect()
}

/// The simulator says on its first line where it listens. Its messages stay where they are, so
/// that it has nothing to do but to answer.
fn start_simulator() -> anyhow::Result<(Running, String)> {
    let mut command = OwnedProgram::command(&program("fonnte-simulator"));
    command
        .args(["--listen", "127.0.0.1:0", "--life-cycle", "manual"])
        .args((1..=DEALERS).map(|n| format!("--token=bench-{n}=62811{n:08}")));
    let (simulator, line) = Running::start_and_listen(command)?;
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    let url = url.context("the simulator does not say where it listens")?;
    Ok((simulator, format!("{url}/send")))
}

/// The folder of PostgreSQL, gone at the end wherever it was.
struct Files {
    root: TempDir,
    /// Where the server's user could not reach the folder.
    elsewhere: Option<PathBuf>,
}

impl Files {
    fn below(folder: &Path) -> anyhow::Result<Self> {
        let root = tempfile::Builder::new()
            .prefix("bench-postgres-")
            .tempdir_in(folder)?;
        Ok(Self {
            root,
            elsewhere: None,
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Some(folder) = &self.elsewhere {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    statfs(folder).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_folder: &Path) -> bool {
    false
}
