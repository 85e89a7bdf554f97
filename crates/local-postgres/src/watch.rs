//! The watcher: a shell that ends a process when its owner is gone, however the owner ended.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::account::Account;

/// POSIX requires it.
pub(crate) const SHELL: &str = "/bin/sh";

/// Reads what to watch (a process id and the steps to its end; an empty line: nothing) until the owner's pipe
/// breaks. Then it ends that process by increasing force, and removes the given folder.
const WATCHER: &str = r#"
trap '' HUP INT QUIT TERM
is_alive() {
    kill -s 0 "$1" || return 1
    # Where nobody waits for orphans, a dead one keeps its number.
    if read -r number name state rest <"/proc/$1/stat"; then [ "$state" != Z ]; fi
}
while read -r line; do set -- "$1" $line; done
folder=$1
process=$2
if [ -n "$process" ]; then
    shift 2
    for step; do
        is_alive "$process" && kill -s "${step%:*}" "$process" || break
        tenths=${step#*:}
        while [ "$tenths" -gt 0 ] && is_alive "$process"; do
            sleep 0.1 || sleep 1
            tenths=$((tenths - 1))
        done
    done
fi
if [ -n "$folder" ]; then
    rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; }
fi
"#;

/// The watcher's action when the owner is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Asks a server to shut down.
    Stop,
    /// Waits for `initdb`, which ends in a moment; interrupted, it would leave shared memory behind.
    Finish,
    /// Sends SIGTERM, and SIGKILL after this time; at once for zero.
    End(Duration),
}

impl Wish {
    /// Signals, each with the tenths of a second until the next one. Signal 0 does nothing.
    fn steps(self) -> String {
        match self {
            Self::Stop => "INT:300 QUIT:50 KILL:50".to_owned(),
            Self::Finish => "0:300 QUIT:50 KILL:50".to_owned(),
            Self::End(Duration::ZERO) => "KILL:50".to_owned(),
            Self::End(grace) => format!("TERM:{} KILL:50", grace.as_millis().div_ceil(100)),
        }
    }
}

/// Runs a program only once the watcher knows it: an owner killed in between leaves nothing behind. The
/// program's input begins after the first line.
const GATE: &str = r#"read -r go && exec "$@""#;

/// Ends the watched process as soon as this process ends or drops it.
#[derive(Debug)]
pub(crate) struct Watcher {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watcher {
    /// `temporary` is removed at the end; `held` stays open until then.
    pub(crate) fn start(temporary: Option<&Path>, held: Stdio) -> io::Result<Self> {
        let mut command = Command::new(SHELL);
        command
            .args(["-c", WATCHER, "local-postgres"])
            .arg(temporary.unwrap_or(Path::new("")));
        command
            .stdin(Stdio::piped())
            .stdout(held)
            .stderr(Stdio::null());
        let mut shell = command.process_group(0).current_dir("/").spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// Starts a command from [`gated`] under watch.
    pub(crate) fn spawn(
        &mut self,
        command: &mut Command,
        wish: Wish,
        input: &str,
    ) -> io::Result<Child> {
        let mut process = command.spawn()?;
        let opened = self
            .watch(&process, wish)
            .and_then(|()| match process.stdin.take() {
                Some(mut gate) => gate.write_all(format!("go\n{input}").as_bytes()),
                None => Err(io::Error::other("a gated command has an input")),
            });
        if let Err(error) = opened {
            // Nothing may run unwatched.
            let _ = process.kill().and_then(|()| process.wait());
            return Err(error);
        }
        Ok(process)
    }

    /// Watches a process that runs already.
    pub(crate) fn watch(&mut self, process: &Child, wish: Wish) -> io::Result<()> {
        self.tell(&format!("{} {}\n", process.id(), wish.steps()))
    }

    /// The watched process has ended.
    pub(crate) fn forget(&mut self) {
        // A broken pipe means that no watcher is left, as wanted.
        let _ = self.tell("\n");
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        self.pipe
            .as_mut()
            .map_or(Ok(()), |pipe| pipe.write_all(line.as_bytes()))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.shell.wait();
    }
}

/// A command that waits for [`Watcher::spawn`], in its own process group: Ctrl-C reaches its owner only.
pub(crate) fn gated(program: &Path) -> Command {
    gate(GATE.to_owned(), program)
}

/// The same for a program of PostgreSQL: with a clean environment, and outside of folders that are closed to
/// its user or temporary.
pub(crate) fn gated_apart(program: &Path, account: Option<&Account>) -> Command {
    let mut command = gate(format!("umask 077; {GATE}"), program);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    // Messages that we parse; and macOS starts no threads for a locale.
    command.env("LC_ALL", "C");
    if let Some(account) = account {
        account.apply(&mut command);
    }
    command.current_dir("/");
    command
}

fn gate(script: String, program: &Path) -> Command {
    let mut command = Command::new(SHELL);
    command
        .args(["-c", &script, "local-postgres"])
        .arg(program)
        .stdin(Stdio::piped())
        .process_group(0);
    command
}
