//! Runs of pgbench, which is what everything is compared with.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use local_postgres::OwnedProgram;
use tempfile::TempDir;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::process::Running;
use super::statistics::Latencies;

/// How many clients of pgbench are connected in a second at least, where all processors are busy.
const CONNECTED_IN_A_SECOND: usize = 64;

/// What a run does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script<'a> {
    /// In which database.
    pub database: &'a str,
    /// The transaction: one statement, with pgbench's own commands before it.
    pub sql: &'a str,
    /// How many connections.
    pub clients: usize,
    /// Transactions a second, at random moments; `None`: as many as can be.
    pub rate: Option<u32>,
    /// How long.
    pub time: Duration,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcome {
    /// Transactions a second, without the time to connect.
    pub rate: f64,
    /// How many transactions there were.
    pub transactions: u64,
    /// The mean time of a transaction in milliseconds.
    pub latency_ms: f64,
    /// How long each took, from the moment at which it was due; only with a rate.
    pub latencies: Latencies,
}

/// The program, and the server that it works on.
#[derive(Debug)]
pub(super) struct Pgbench {
    program: PathBuf,
    server: Config,
}

impl Pgbench {
    /// Of this program; the URL names the server and its superuser.
    ///
    /// # Errors
    /// When there is no such program, or the URL is wrong.
    pub(super) fn new(program: PathBuf, url: &str) -> anyhow::Result<Self> {
        ensure!(
            program.exists(),
            "there is no {}: install the PostgreSQL package that has pgbench (postgresql-contrib on some systems)",
            program.display()
        );
        Ok(Self {
            program,
            server: url.parse()?,
        })
    }

    /// Runs a script to its end.
    ///
    /// # Errors
    /// When pgbench fails, or a transaction does.
    pub(super) async fn run(&self, script: &Script<'_>) -> anyhow::Result<Outcome> {
        let folder = tempfile::tempdir()?;
        let output = Running::to_the_end(self.command(script, &folder)?).await?;
        ensure!(
            output.status.success(),
            "pgbench failed: {}{}",
            output.stdout,
            output.stderr
        );
        let outcome = parse_outcome(&output.stdout)?;
        let latencies = match script.rate {
            Some(_) => read_logs(&folder)?,
            None => Latencies::default(),
        };
        Ok(Outcome {
            latencies,
            ..outcome
        })
    }

    fn command(&self, script: &Script<'_>, folder: &TempDir) -> anyhow::Result<Command> {
        let file = folder.path().join("script.sql");
        fs::write(&file, script.sql)?;
        let mut command = OwnedProgram::command(&self.program);
        command
            .args(["--no-vacuum", "--protocol=prepared"])
            .arg(format!("--client={}", script.clients))
            .arg(format!("--jobs={}", script.clients.min(cores())))
            .arg(format!("--time={}", seconds(script)))
            .arg(format!("--file={}", file.display()))
            .current_dir(folder.path())
            .env("PGDATABASE", script.database)
            .env("PGUSER", self.server.get_user().unwrap_or_default())
            .env(
                "PGPASSWORD",
                String::from_utf8_lossy(self.server.get_password().unwrap_or_default()).as_ref(),
            );
        if let Some(Host::Tcp(host)) = self.server.get_hosts().first() {
            command.env("PGHOST", host);
        }
        if let Some(port) = self.server.get_ports().first() {
            command.env("PGPORT", port.to_string());
        }
        if let Some(rate) = script.rate {
            command
                .arg(format!("--rate={rate}"))
                .args(["--log", "--log-prefix=each"]);
        }
        Ok(command)
    }
}

/// How long a run is told to take. Its time begins before its clients are connected, which takes 256 of
/// them 2 seconds on 2 processors; its rate does not count that.
fn seconds(script: &Script<'_>) -> u64 {
    let connecting = script.clients / CONNECTED_IN_A_SECOND;
    script.time.as_secs().max(1) + u64::try_from(connecting).unwrap_or(0)
}

/// pgbench gets a thread for each.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Every thread of pgbench writes a log of its own.
fn read_logs(folder: &TempDir) -> anyhow::Result<Latencies> {
    let mut micros = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("each.") {
            let text = fs::read_to_string(entry.path())?;
            micros.extend(text.lines().filter_map(parse_log_line));
        }
    }
    ensure!(!micros.is_empty(), "pgbench wrote no log");
    Ok(Latencies::of(micros))
}

/// `client transaction microseconds …`; with a rate, the time counts from when it was due.
fn parse_log_line(line: &str) -> Option<u32> {
    line.split(' ').nth(2)?.parse().ok()
}

fn parse_outcome(text: &str) -> anyhow::Result<Outcome> {
    let outcome = read_outcome(text);
    ensure!(
        !text.contains("\nnumber of transactions actually processed: 0\n"),
        "pgbench came to no transaction in its time: is the machine busy? Once more, or with longer runs (without --quick)"
    );
    outcome.with_context(|| format!("pgbench says something new: {text}"))
}

fn read_outcome(text: &str) -> Option<Outcome> {
    let after = |prefix: &str| {
        // Versions before 14 tell the rate twice, last without the time to connect.
        let line = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(prefix));
        line?.split([' ', '/']).next()
    };
    Some(Outcome {
        rate: after("tps = ")?.parse().ok()?,
        transactions: after("number of transactions actually processed: ")?
            .parse()
            .ok()?,
        latency_ms: after("latency average = ")?.parse().ok()?,
        latencies: Latencies::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_15_prints_is_understood() {
        let text = "pgbench (15.18)\ntransaction type: script.sql\nscaling factor: 1\nquery mode: prepared\nnumber of clients: 64\nnumber of threads: 2\nmaximum number of tries: 1\nduration: 2 s\nnumber of transactions actually processed: 6789\nnumber of failed transactions: 0 (0.000%)\nlatency average = 18.854 ms\ninitial connection time = 71.4 ms\ntps = 3394.501299 (without initial connection time)\n";
        let outcome = parse_outcome(text).unwrap();
        assert_eq!(outcome.rate, 3_394.501_299);
        assert_eq!(outcome.transactions, 6_789);
        assert_eq!(outcome.latency_ms, 18.854);
    }

    #[test]
    fn a_run_without_transactions_says_so_in_words() {
        let text = "pgbench (15.18)\nnumber of clients: 256\nduration: 2 s\nnumber of transactions actually processed: 0\nnumber of failed transactions: 0 (NaN%)\n";
        let error = parse_outcome(text).unwrap_err().to_string();
        assert!(error.contains("no transaction"), "{error}");
        let error = parse_outcome("something else").unwrap_err().to_string();
        assert!(error.contains("something new"), "{error}");
    }

    #[test]
    fn what_pgbench_13_prints_is_understood() {
        let text = "number of transactions actually processed: 10/10\nlatency average = 1.5 ms\ntps = 90.0 (including connections establishing)\ntps = 95.0 (excluding connections establishing)\n";
        let outcome = parse_outcome(text).unwrap();
        assert_eq!((outcome.rate, outcome.transactions), (95.0, 10));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(parse_outcome("pgbench: error: connection failed").is_err());
    }

    #[test]
    fn a_line_of_the_log_has_the_time_in_the_third_place() {
        assert_eq!(
            parse_log_line("0 199 2241 0 1175850568 995598 41"),
            Some(2_241)
        );
        assert_eq!(parse_log_line("0 1 skipped 0 1 2 3"), None);
    }
}
