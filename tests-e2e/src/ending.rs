use std::fs::File;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// How soon the end of the process that started this one, or of its terminal, is seen.
const LOOK: Duration = Duration::from_millis(200);

/// Becomes ready when this program is to end: with SIGTERM or Ctrl-C, when its terminal is closed, or
/// when the process that started it is gone. Signals alone do not tell: `make` that is killed says
/// nothing to its child, which gets another parent; and where `make` leads the session, as in
/// `ssh -t host make run`, it alone hears that the terminal is closed, and waits for its child.
///
/// # Errors
/// When the system does not deliver signals.
pub fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let parent = parent_id();
    let outlives_terminal = hangup_is_ignored();
    let on_terminal = !outlives_terminal && has_terminal();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = match outlives_terminal {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let alone = async {
            let mut look = tokio::time::interval(LOOK);
            while parent_id() == parent && (!on_terminal || has_terminal()) {
                look.tick().await;
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
            () = alone => {}
        }
    })
}

/// Whether there is a terminal whose Ctrl-C reaches this program.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whether this program was started with `nohup`, which is to outlive its terminal. Only Linux tells.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores_hangup(&status)
}

/// SIGHUP is the first signal, and so the lowest bit.
fn ignores_hangup(status: &str) -> bool {
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok())
        .is_some_and(|signals| signals & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_recognised() {
        let status = |ignored: &str| format!("Name:\tdemo\nSigIgn:\t{ignored}\nSigCgt:\t1\n");
        assert!(ignores_hangup(&status("0000000000000001")));
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup(""));
    }
}
