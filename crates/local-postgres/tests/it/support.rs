//! What the tests share.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use local_postgres::Programs;
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_local-postgres");

/// Waits for something that happens in another process.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 30 seconds: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A folder that vanishes and that every user may pass through.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Whether a process has ended; where nobody waits for orphans, a dead one keeps its number.
pub(crate) fn has_ended(pid: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = output.unwrap().stdout;
    state.is_empty() || state.starts_with(b"Z")
}

/// Whether somebody takes connections there.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The port in a URL of the library or the program.
pub(crate) fn port_in(url: &str) -> u16 {
    url.rsplit_once(':')
        .unwrap()
        .1
        .split('/')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// Runs a statement in a stopped cluster and returns what PostgreSQL prints. It fails while any process of a
/// server is left.
pub(crate) fn single_user(home: &Path, database: &str, sql: &str) -> String {
    let data = home.join("data");
    let mut command = Command::new(Programs::find().unwrap().dir().join("postgres"));
    command
        .args(["--single", "-c", "exit_on_error=on", "-D"])
        .arg(&data)
        .arg(database)
        .current_dir("/");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let owner = fs::metadata(&data).unwrap();
    if nix::unistd::Uid::effective().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut process = command.spawn().unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(format!("{sql}\n").as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// `local-postgres exec` with a command that prints its database URL and then runs until the handle is dropped.
pub(crate) struct Owner {
    process: Child,
    /// Of the database `customer_service`.
    pub(crate) url: String,
}

impl Owner {
    /// `command` is the program, prepared as the test wants it.
    pub(crate) fn start(command: &mut Command, arguments: &[&str]) -> Self {
        command.args(["exec", "--fast"]).args(arguments).args([
            "--",
            "sh",
            "-c",
            "echo \"$DATABASE_URL\"; exec cat",
        ]);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut url)
            .unwrap();
        Self {
            process,
            url: url.trim().to_owned(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        port_in(&self.url)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends the owner as `kill -9` does. Its command ends with its input.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Lets the command end.
    pub(crate) fn finish(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

/// The names in a folder.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The postmaster's number, as long as its file is there.
pub(crate) fn pid_file(home: &Path) -> PathBuf {
    home.join("data/postmaster.pid")
}
