//! Programs that run beside this one and never outlive what holds them.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use local_postgres::OwnedProgram;
use tempfile::TempDir;

use crate::service::listening;
use crate::{Client, program};

/// How long a program may take to begin, and to end before it is killed.
const START_LIMIT: Duration = Duration::from_secs(30);
const END_LIMIT: Duration = Duration::from_secs(10);

/// How much of what a program logs is kept.
const TAIL: usize = 32 << 10;

/// Between two looks at the log: it is taken in pieces rather than line by line, as a collector of
/// logs would, so that reading it costs the service nothing.
const LOOK_AT_LOG: Duration = Duration::from_millis(2);

/// A program that is told to stop when dropped, and killed when it does not listen.
pub(super) struct Running {
    program: OwnedProgram,
    /// Open as long as this value, for a program that goes on to say a little.
    output: Option<ChildStdout>,
}

/// What a program said that ran to its end.
pub(super) struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Running {
    /// Starts a command of [`OwnedProgram::command`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        let program = OwnedProgram::start(&mut command, END_LIMIT);
        let program = program.with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Self {
            program,
            output: None,
        })
    }

    /// Starts a command and reads the first line that it says. What little it says later finds
    /// room in the pipe, which stays open as long as this value.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start_and_listen(mut command: Command) -> anyhow::Result<(Self, String)> {
        command.stdout(Stdio::piped());
        let mut running = Self::start(command)?;
        let mut line = String::new();
        running.output = running.program.take_stdout();
        if let Some(pipe) = &mut running.output {
            BufReader::with_capacity(1, pipe).read_line(&mut line)?;
        }
        Ok((running, line))
    }

    /// Runs a command that says little to its end.
    ///
    /// # Errors
    /// When it cannot be started or waited for.
    pub(super) async fn to_the_end(mut command: Command) -> anyhow::Result<Output> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Self::start(command)?;
        let mut look = tokio::time::interval(Duration::from_millis(10));
        let status = loop {
            look.tick().await;
            if let Some(status) = running.program.try_wait()? {
                break status;
            }
        };
        Ok(Output {
            status,
            stdout: read(running.program.take_stdout())?,
            stderr: read(running.program.take_stderr())?,
        })
    }

    /// The id of its process.
    #[must_use]
    pub(super) fn pid(&self) -> u32 {
        self.program.id()
    }
}

fn read(pipe: Option<impl Read>) -> std::io::Result<String> {
    let mut text = String::new();
    pipe.map_or(Ok(0), |mut pipe| pipe.read_to_string(&mut text))?;
    Ok(text)
}

/// A running copy of the service.
pub(super) struct Copy {
    running: Running,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it took from its start until it was ready.
    pub start: Duration,
    // Where it works; it must not find a developer's `.env`.
    _folder: TempDir,
}

impl Copy {
    /// Starts one with nothing but these settings, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come to that; tells its log.
    pub(super) async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = OwnedProgram::command(&program("customer-service"));
        command
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut running = Running::start(command)?;
        // The shell at the gate has let it pass just now.
        let began = Instant::now();
        let log = Log::of(running.program.take_stderr().context("it is piped")?);
        let mut client = None;
        let mut look = tokio::time::interval(Duration::from_millis(1));
        while began.elapsed() < START_LIMIT {
            look.tick().await;
            let Some(address) = log.address() else {
                continue;
            };
            let client = client.get_or_insert_with(|| Client::new(&format!("http://{address}")));
            let ready = client.get("/api/v1/health/ready").await;
            if ready.is_ok_and(|reply| reply.status == 200) {
                let start = began.elapsed();
                return Ok(Self {
                    running,
                    address,
                    start,
                    _folder: folder,
                });
            }
        }
        bail!(
            "the service is not ready; its log ends with\n{}",
            log.tail()
        )
    }

    /// The id of its process.
    #[must_use]
    pub(super) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// A caller.
    #[must_use]
    pub(super) fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.address))
    }
}

/// The end of a program's log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of(mut pipe: ChildStderr) -> Self {
        let log = Self::default();
        let kept = log.clone();
        thread::spawn(move || {
            let mut piece = vec![0; 64 << 10];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                if let Ok(mut tail) = kept.0.lock() {
                    tail.extend_from_slice(&piece[..length]);
                    let old = tail.len().saturating_sub(TAIL);
                    tail.drain(..old);
                }
                thread::sleep(LOOK_AT_LOG);
            }
        });
        log
    }

    fn tail(&self) -> String {
        let tail = self.0.lock().map(|tail| tail.clone()).unwrap_or_default();
        String::from_utf8_lossy(&tail).into_owned()
    }

    fn address(&self) -> Option<SocketAddr> {
        self.tail().lines().find_map(listening)
    }
}
