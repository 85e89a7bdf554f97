//! The output of commands. A write error, such as a closed pipe or a full disk, ends the command with an
//! error; the standard library's macros would panic.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};

/// The first write error of standard output.
static UNWRITTEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line of output to standard output, like `println!`.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::say_line(format_args!($($text)*)) };
}

/// Prints a line for a person to standard error, like `eprintln!`.
macro_rules! tell {
    ($($text:tt)*) => { $crate::output::tell_line(format_args!($($text)*)) };
}

pub(crate) use {say, tell};

pub(crate) fn say_line(line: Arguments<'_>) {
    let mut stdout = anstream::stdout();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    if let Err(error) = written {
        unwritten().get_or_insert(error);
    }
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Notable, but nothing is broken.
    Odd,
    /// Something is wrong.
    Bad,
}

/// Prints a finding in one line: a mark, a name, and the text.
pub(crate) fn say_finding(verdict: Verdict, name: &str, finding: &str) {
    let (mark, color) = match verdict {
        Verdict::Good => ("ok", AnsiColor::Green),
        Verdict::Odd => ("look", AnsiColor::Yellow),
        Verdict::Bad => ("BAD", AnsiColor::Red),
    };
    let style = Style::new().fg_color(Some(color.into())).bold();
    say!("{style}{mark:<5}{style:#}{name:<22} {finding}");
}

/// An error of a closed standard error cannot be reported.
pub(crate) fn tell_line(line: Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Replaces the line on the terminal by this one.
pub(crate) fn show_progress(line: Arguments<'_>) {
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "\r{line}\x1b[K").and_then(|()| stderr.flush());
}

/// Whether all output was written.
///
/// # Errors
/// The first write error.
pub(crate) fn written() -> anyhow::Result<()> {
    let Some(error) = unwritten().take() else {
        return Ok(());
    };
    Err(anyhow::Error::new(error).context("not everything could be written to standard output"))
}

fn unwritten() -> std::sync::MutexGuard<'static, Option<io::Error>> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}
