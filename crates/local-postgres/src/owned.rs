//! Other programs that end with their owner.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::wait_until;
use crate::watch::{Watcher, Wish, gated};

/// A program that ends with this process, even by SIGKILL, like the server of a
/// [`LocalPostgres`](crate::LocalPostgres). It has its own process group, so that Ctrl-C reaches it through
/// its owner only. Dropping it sends SIGTERM, and SIGKILL when it does not end in time.
#[derive(Debug)]
pub struct OwnedProgram {
    process: Child,
    watcher: Watcher,
    grace: Duration,
}

impl OwnedProgram {
    /// A command for [`OwnedProgram::start`]. The program's standard input is empty.
    pub fn command(program: &Path) -> Command {
        gated(program)
    }

    /// Starts such a command. `grace` is the time between SIGTERM and SIGKILL; zero kills at once.
    ///
    /// # Errors
    /// When the shell that starts or watches it cannot be run.
    pub fn start(command: &mut Command, grace: Duration) -> io::Result<Self> {
        let mut watcher = Watcher::start(None, Stdio::null())?;
        let process = watcher.spawn(command, Wish::End(grace), "")?;
        Ok(Self {
            process,
            watcher,
            grace,
        })
    }

    /// Adopts a running program, which keeps its input and its process group. It is left behind only if the
    /// owner is killed between its start and this call.
    ///
    /// # Errors
    /// When the shell that watches it cannot be run; the program is killed then.
    pub fn adopt(mut process: Child, grace: Duration) -> io::Result<Self> {
        let watched = Watcher::start(None, Stdio::null()).and_then(|mut watcher| {
            watcher.watch(&process, Wish::End(grace))?;
            Ok(watcher)
        });
        match watched {
            Ok(watcher) => Ok(Self {
                process,
                watcher,
                grace,
            }),
            Err(error) => {
                let _ = process.kill().and_then(|()| process.wait());
                Err(error)
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its standard output, where that is piped and not taken yet.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// Its standard error, where that is piped and not taken yet.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// Its exit status; `None` while it runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.process.try_wait()?;
        if status.is_some() {
            // Another process may get its id.
            self.watcher.forget();
        }
        Ok(status)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.process.wait()?;
        self.watcher.forget();
        Ok(status)
    }

    /// Sends SIGTERM and waits this long; returns whether it has ended.
    pub fn stop(&mut self, patience: Duration) -> bool {
        if self.has_ended() {
            return true;
        }
        if let Ok(pid) = i32::try_from(self.id()) {
            // Fails only when the program has just ended.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        wait_until(patience, || self.has_ended())
    }

    /// Sends SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.wait().map(drop)
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.try_wait(), Ok(Some(_)))
    }
}

impl Drop for OwnedProgram {
    fn drop(&mut self) {
        let ended = if self.grace.is_zero() {
            self.has_ended()
        } else {
            self.stop(self.grace)
        };
        if !ended {
            // On failure the watcher tries again.
            let _ = self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::time::Instant;

    use super::*;
    use crate::process::is_alive;

    fn shell(script: &str, grace: Duration) -> (OwnedProgram, String) {
        let mut command = OwnedProgram::command(Path::new("/bin/sh"));
        command.args(["-c", script]).stdout(Stdio::piped());
        let mut program = OwnedProgram::start(&mut command, grace).unwrap();
        let mut line = String::new();
        let output = program.take_stdout().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        (program, line.trim().to_owned())
    }

    #[test]
    fn a_program_runs_with_an_empty_input_and_says_how_it_ended() {
        let (mut program, line) = shell("echo $$; cat; exit 7", Duration::ZERO);
        assert_eq!(line, program.id().to_string());
        assert!(wait_until(Duration::from_secs(10), || program.has_ended()));
        assert_eq!(program.try_wait().unwrap().unwrap().code(), Some(7));
        assert!(program.stop(Duration::ZERO), "it has ended already");
    }

    #[test]
    fn a_dropped_program_is_asked_first_and_then_forced() {
        let told = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done";
        let (program, _) = shell(told, Duration::from_secs(20));
        let (pid, began) = (program.id(), Instant::now());
        drop(program);
        assert!(!is_alive(pid));
        assert!(began.elapsed() < Duration::from_secs(10), "it listens");

        let deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";
        let (program, _) = shell(deaf, Duration::from_millis(300));
        let pid = program.id();
        drop(program);
        assert!(!is_alive(pid));
    }

    #[test]
    fn a_command_whose_input_was_given_away_is_not_started() {
        let mut command = OwnedProgram::command(Path::new("/bin/sh"));
        command.args(["-c", "exit 0"]).stdin(Stdio::null());
        assert!(OwnedProgram::start(&mut command, Duration::ZERO).is_err());
    }
}
