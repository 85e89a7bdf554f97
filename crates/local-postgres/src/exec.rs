//! Running a command beside a cluster.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, exit};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use local_postgres::{LocalPostgres, Options, OwnedProgram};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long the command may take to end when this process, and with it the database, is killed (chosen).
const GRACE: Duration = Duration::from_secs(5);

/// Starts the cluster, runs the command and returns its exit status as a shell does.
pub(crate) fn exec(options: &Options, words: &[OsString]) -> anyhow::Result<u8> {
    let phase = Phase::follow_signals()?;
    let postgres = LocalPostgres::start(options)?;
    let address = (
        postgres.version(),
        postgres.port(),
        postgres.dir().display(),
    );
    eprintln!(
        "local-postgres: PostgreSQL {} on 127.0.0.1:{}, files in {}",
        address.0, address.1, address.2
    );
    let Some((program, arguments)) = words.split_first() else {
        return Ok(0);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    command.env("DATABASE_URL", postgres.url("customer_service"));
    command.env("TEST_DATABASE_URL", postgres.url("postgres"));
    let status = match spawn(&mut command, &phase) {
        Ok(mut child) => code(child.wait()?),
        Err(error) => {
            eprintln!("local-postgres: cannot run {}: {error}", program.display());
            if error.kind() == io::ErrorKind::NotFound {
                127
            } else {
                126
            }
        }
    };
    *locked(&phase) = Phase::Stopping;
    postgres.stop()?;
    Ok(status)
}

/// The present effect of a signal.
enum Phase {
    /// The end, at once: the watcher stops what was started.
    Starting,
    /// Forwarded to the command, which decides.
    Running(Pid),
    /// Ignored: the end is near.
    Stopping,
}

impl Phase {
    fn follow_signals() -> io::Result<Arc<Mutex<Self>>> {
        let phase = Arc::new(Mutex::new(Self::Starting));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let shared = Arc::clone(&phase);
        thread::spawn(move || {
            signals
                .forever()
                .for_each(|signal| locked(&shared).meet(signal))
        });
        Ok(phase)
    }

    fn meet(&self, signal: i32) {
        match (self, Signal::try_from(signal)) {
            (Self::Starting, _) => exit(128 + signal),
            (Self::Running(command), Ok(signal)) if !came_from_the_terminal(signal) => {
                // Fails only when the command has just ended.
                let _ = kill(*command, signal);
            }
            _ => {}
        }
    }
}

/// No signal is handled between the start of the command and knowing its id.
fn spawn(command: &mut Command, phase: &Mutex<Phase>) -> io::Result<OwnedProgram> {
    let mut phase = locked(phase);
    let child = OwnedProgram::adopt(command.spawn()?, GRACE)?;
    *phase = Phase::Running(Pid::from_raw(
        child.id().try_into().map_err(io::Error::other)?,
    ));
    Ok(child)
}

fn locked(phase: &Mutex<Phase>) -> MutexGuard<'_, Phase> {
    phase.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal sends Ctrl-C and Ctrl-\ to all foreground programs. The command has got it; forwarding would
/// send it twice.
fn came_from_the_terminal(signal: Signal) -> bool {
    let is_key = matches!(signal, Signal::SIGINT | Signal::SIGQUIT);
    is_key && File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| code.try_into().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_as_a_shell_does() {
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(ExitStatus::from_raw(15)), 143);
    }
}
