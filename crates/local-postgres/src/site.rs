//! The programs, the user and the folder of a cluster.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;
use crate::account::Account;
use crate::error::Attempt;
use crate::home::{Home, make_folder, private_log};
use crate::programs::Programs;
use crate::watch::{Watcher, Wish, gated_apart};

/// The programs, the user and the folder of a cluster.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) account: Option<Account>,
    pub(crate) programs: Programs,
}

impl Site {
    /// A command for the watcher, with its output in the log.
    pub(crate) fn command(&self, program: &Path) -> Result<Command, Error> {
        let path = self.home.log();
        let log = private_log(&path).attempt("open", &path)?;
        let copy = log.try_clone().attempt("open", &path)?;
        let mut command = gated_apart(program, self.account.as_ref());
        command.stdout(Stdio::from(copy)).stderr(Stdio::from(log));
        Ok(command)
    }

    /// Creates a folder of the server's user.
    pub(crate) fn make_folder(&self, path: &Path) -> Result<(), Error> {
        make_folder(path, 0o700).attempt("create the folder", path)?;
        self.hand_over(path)
    }

    /// PostgreSQL in single-user mode: for one statement or, without one, to recover and clean up.
    pub(crate) fn single_user(
        &self,
        watcher: &mut Watcher,
        data: &Path,
        sql: &str,
    ) -> Result<(), Error> {
        let mut command = self.command(&self.programs.postgres())?;
        command
            .arg("--single")
            .arg("-D")
            .arg(data)
            .args(["-c", "exit_on_error=on", "postgres"]);
        self.run(watcher, command, "postgres", sql)
    }

    /// Runs a command to its end.
    pub(crate) fn run(
        &self,
        watcher: &mut Watcher,
        mut command: Command,
        name: &'static str,
        input: &str,
    ) -> Result<(), Error> {
        let said_before = self.log_length();
        let result = watcher
            .spawn(&mut command, Wish::Finish, input)
            .and_then(|mut process| process.wait());
        watcher.forget();
        match result
            .attempt("run", command.get_program().as_ref())?
            .success()
        {
            true => Ok(()),
            false => Err(self.failed(name, said_before)),
        }
    }

    /// The present length of the log; see [`Site::failed`].
    pub(crate) fn log_length(&self) -> u64 {
        fs::metadata(self.home.log()).map_or(0, |log| log.len())
    }

    /// The error of a program that has ended, with the log since `said_before`.
    pub(crate) fn failed(&self, program: &'static str, said_before: u64) -> Error {
        let log = self.home.log();
        let tail = tail(&fs::read(&log).unwrap_or_default(), said_before);
        Error::Failed { program, log, tail }
    }

    /// Makes the server's user the owner of a path.
    pub(crate) fn hand_over(&self, path: &Path) -> Result<(), Error> {
        self.account
            .as_ref()
            .map_or(Ok(()), |account| account.own(path))
    }
}

fn tail(log: &[u8], start: u64) -> String {
    const LINES: usize = 15;
    let new = usize::try_from(start)
        .ok()
        .and_then(|start| log.get(start..))
        .unwrap_or(log);
    let text = String::from_utf8_lossy(new);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_what_was_said_last_and_since_then() {
        assert_eq!(tail(b"old\nnew\nnewer\n", 4), "new\nnewer");
        let many: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert!(tail(many.as_bytes(), 0).starts_with("85\n"));
        assert_eq!(tail(b"", 9), "");
    }
}
