//! Processes that may not be children of this one.

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::wait_until;

/// Fast shutdown, immediate shutdown, force; and how long each may take.
const END: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

/// Ends a server by increasing force; false when it still runs at the end.
pub(crate) fn end(pid: u32, mut is_gone: impl FnMut() -> bool) -> bool {
    END.into_iter().any(|(signal, limit)| {
        // `is_gone` notices a process that has just ended.
        let _ = kill(number(pid), signal);
        wait_until(limit, &mut is_gone)
    })
}

/// Whether a process with this id runs and is no zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    kill(number(pid), None) != Err(Errno::ESRCH) && !command_line(pid).is_empty()
}

/// The command line of a process; empty for one that has ended.
pub(crate) fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        let answer = Command::new("ps")
            .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
            .output();
        answer.map(|answer| answer.stdout)
    });
    bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// A process id for the system; one out of range names no process.
fn number(pid: u32) -> Pid {
    // Zero would mean our own process group.
    Pid::from_raw(
        i32::try_from(pid)
            .ok()
            .filter(|pid| *pid > 0)
            .unwrap_or(i32::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_one_that_has_ended_is_not() {
        assert!(is_alive(std::process::id()));
        let mut other = Command::new("/bin/sh")
            .args(["-c", "exit"])
            .spawn()
            .unwrap();
        assert!(
            wait_until(Duration::from_secs(10), || !is_alive(other.id())),
            "nobody has waited for it yet"
        );
        other.wait().unwrap();
        assert!(!is_alive(other.id()));
    }
}
