//! Opens a page in the browser of whoever sits in front of this machine.

use std::env;
use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

/// Opens a page where there is a desktop and somebody who started this by hand. Where that does not work, the
/// address is on the terminal.
pub(super) fn open(address: &str) {
    let Some(program) = opener().filter(|_| std::io::stdout().is_terminal()) else {
        return;
    };
    let quiet = Stdio::null;
    let opening = Command::new(program)
        .arg(address)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
    if let Ok(mut child) = opening {
        // Nobody needs to know how it ended.
        std::thread::spawn(move || child.wait());
    }
}

/// The program that opens pages; none over a connection from elsewhere.
fn opener() -> Option<&'static str> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("SSH_CONNECTION") || is_set("CI") {
        None
    } else if cfg!(target_os = "macos") {
        Some("open")
    } else {
        (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")).then_some("xdg-open")
    }
}
