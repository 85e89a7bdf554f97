//! One run of the server.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Child;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::SigSet;

use crate::Error;
use crate::options::Durability;
use crate::pid_file::PidFile;
use crate::process::end;
use crate::wait::wait_until;

/// Marks our servers, in the list of processes too.
pub(crate) const MARK: &str = "cluster_name=local-postgres";

/// Time limit of a start: a crash recovery may replay a lot (chosen).
pub(crate) const START_LIMIT: Duration = Duration::from_secs(120);

/// Time limit for the children: each notices the postmaster's end at once, unless it is busy (chosen).
const CHILDREN_LIMIT: Duration = Duration::from_secs(30);

/// The result of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Ready,
    Ended,
    TooSlow,
}

/// A postmaster and its children.
#[derive(Debug)]
pub(crate) struct Server {
    postmaster: Child,
    /// Ends when the last process that inherited the postmaster's output has ended.
    last_child: JoinHandle<()>,
}

impl Server {
    /// Takes a postmaster whose standard output is a pipe.
    pub(crate) fn new(mut postmaster: Child) -> Self {
        let output = postmaster.stdout.take();
        let last_child = thread::spawn(move || {
            // Signals are handled by the owner's own threads.
            let _ = SigSet::all().thread_block();
            // The server logs to standard error; its output only shows when all processes have ended.
            let _ = output.map(|mut output| io::copy(&mut output, &mut io::sink()));
        });
        Self {
            postmaster,
            last_child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.postmaster.id()
    }

    /// Waits until connections are accepted.
    pub(crate) fn wait_until_ready(&mut self, data: &Path, port: u16) -> Start {
        let pid = self.pid();
        let mut outcome = Start::TooSlow;
        wait_until(START_LIMIT, || {
            if !matches!(self.postmaster.try_wait(), Ok(None)) {
                outcome = Start::Ended;
            } else if PidFile::read(data)
                == Some(PidFile {
                    pid,
                    is_ready: true,
                })
                && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
            {
                outcome = Start::Ready;
            }
            outcome != Start::TooSlow
        });
        outcome
    }

    /// Stops the server gracefully, or else by force.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let pid = self.pid();
        if self.is_gone() || end(pid, || self.is_gone()) {
            Ok(())
        } else {
            Err(Error::WillNotEnd { pid })
        }
    }

    /// Kills the postmaster, and waits for its children, which notice that and end.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        // Fails only for a postmaster that has ended.
        let _ = self.postmaster.kill();
        let pid = self.pid();
        if wait_until(CHILDREN_LIMIT, || self.is_gone()) {
            Ok(())
        } else {
            Err(Error::WillNotEnd { pid })
        }
    }

    fn is_gone(&mut self) -> bool {
        !matches!(self.postmaster.try_wait(), Ok(None)) && self.last_child.is_finished()
    }
}

/// The server's command line.
pub(crate) fn arguments(data: &Path, port: u16, durability: Durability) -> Vec<OsString> {
    let mut arguments = vec![
        "-D".into(),
        data.into(),
        "-p".into(),
        port.to_string().into(),
    ];
    let settings = [
        MARK,
        "listen_addresses=127.0.0.1",
        // The server works in its data folder, so this path is short however long ours is.
        "unix_socket_directories=../run",
        "unix_socket_permissions=0700",
        // The benchmark compares with 256 clients of pgbench.
        "max_connections=400",
        "timezone=UTC",
        "log_timezone=UTC",
        "log_destination=stderr",
        "logging_collector=off",
    ];
    for setting in settings
        .into_iter()
        .chain(durability.settings().iter().copied())
    {
        arguments.extend(["-c".into(), setting.into()]);
    }
    arguments
}
