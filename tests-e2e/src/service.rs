use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use local_postgres::OwnedProgram;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Client, program};

/// How long the program may take to begin to serve.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long the program may take to stop; it promises 30 seconds.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The running program. It is killed when dropped, and when this process ends, however that ends.
pub struct Service {
    child: OwnedProgram,
    client: Client,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    /// Held by whoever reads the log.
    reading: Arc<tokio::sync::Mutex<()>>,
    started: Instant,
    folder: TempDir,
}

impl Service {
    /// Starts the program with nothing but these settings, and waits until it listens.
    ///
    /// # Panics
    /// When it does not come to that; shows its log.
    #[must_use]
    pub fn start(settings: &BTreeMap<String, String>) -> Self {
        Self::start_program("customer-service", settings)
    }

    /// The same with another program of ours, which serves as well.
    ///
    /// # Panics
    /// When it does not come to that; shows its log.
    #[must_use]
    pub fn start_program(name: &str, settings: &BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self::start_in(folder, name, settings)
    }

    /// The same in this folder, which is gone with the service.
    ///
    /// # Panics
    /// When it does not come to that; shows its log.
    #[must_use]
    pub fn start_in(folder: TempDir, name: &str, settings: &BTreeMap<String, String>) -> Self {
        let started = Instant::now();
        let mut command = OwnedProgram::command(&program(name));
        command
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .env("SERVICE_PORT", "0")
            .env("LOG_FORMAT", "json")
            .envs(settings)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child =
            OwnedProgram::start(&mut command, Duration::ZERO).expect("the program can be started");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = channel();
        let lines = BufReader::new(child.take_stderr().expect("it is piped"));
        let kept = log.clone();
        let reading = Arc::new(tokio::sync::Mutex::new(()));
        let may_read = reading.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                drop(may_read.blocking_lock());
                if let Some(address) = listening(&line) {
                    let _ = sender.send(address);
                }
                kept.lock().expect("no holder panics").push(line);
            }
        });
        let Ok(address) = receiver.recv_timeout(START_LIMIT) else {
            panic!("the service does not listen: {:#?}", log.lock());
        };
        Self {
            child,
            client: Client::new(&format!("http://{address}")),
            address,
            log,
            reading,
            started,
            folder,
        }
    }

    /// When the program was started.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The port on which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory of its own that is in RAM, in bytes: without the program's code, of which a debug build maps
    /// tens of megabytes.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the process runs");
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.expect("/proc tells the size") * 1_024
    }

    /// Where it works.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything it has logged so far.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no holder panics").clone()
    }

    /// Leaves what it logs unread, until what is returned is dropped.
    pub async fn leave_log_unread(&self) -> tokio::sync::OwnedMutexGuard<()> {
        self.reading.clone().lock_owned().await
    }

    /// A caller of this service, to be moved elsewhere.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// SIGKILL: nothing is finished.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn terminate(mut self) -> (ExitStatus, Vec<String>) {
        self.signal(Signal::SIGTERM);
        let began = Instant::now();
        let mut look = tokio::time::interval(Duration::from_millis(10));
        loop {
            look.tick().await;
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return (status, self.log());
            }
            assert!(
                began.elapsed() < STOP_LIMIT,
                "it does not stop: {:#?}",
                self.log()
            );
        }
    }

    /// Whether its process has ended.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait().expect("it can be waited for");
        status.is_some()
    }

    /// Waits until its process is frozen by SIGSTOP.
    ///
    /// # Panics
    /// When that does not happen, or it ends.
    pub async fn is_frozen(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id"));
        let flags = WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG;
        crate::eventually("it is frozen", async || {
            match waitpid(pid, Some(flags)).expect("it is a child") {
                WaitStatus::StillAlive => None,
                WaitStatus::Stopped(..) => Some(()),
                other => panic!("{other:?}: {:#?}", self.log()),
            }
        })
        .await;
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("the process runs");
    }
}

impl Deref for Service {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The address in the line that says where the service listens.
pub(crate) fn listening(line: &str) -> Option<SocketAddr> {
    let Ok(json) = serde_json::from_str::<Value>(line) else {
        // As lines for people have it.
        let (_, rest) = line.split_once("server.address=")?;
        return rest.split_whitespace().next()?.parse().ok();
    };
    json.get("server.address")?.as_str()?.parse().ok()
}
