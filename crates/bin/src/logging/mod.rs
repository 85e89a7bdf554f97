//! Logs go to standard error: JSON for programs, lines with colours for people.

mod buffer;
mod json;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) use self::buffer::{LastLines, dropped_lines, last_words};

use self::buffer::Buffer;
use self::json::JsonLines;
use crate::config::{LogConfig, LogFormat};
use crate::traces::Traces;

/// Starts logging and, where there is a collector, tracing; and makes panics tell where but not with
/// what. Lines are written a moment later; what is returned is kept until the program ends
/// and waits for the last.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn start(config: &LogConfig, traces: Option<&Traces>) -> std::io::Result<LastLines> {
    let on_terminal = std::io::stderr().is_terminal();
    let format = config.format.unwrap_or(if on_terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    // The configuration has checked the filter.
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let registry = tracing_subscriber::registry()
        .with(traces.map(Traces::layer))
        .with(filter);
    let buffer = Buffer::begin()?;
    match format {
        LogFormat::Json => registry.with(JsonLines::new(buffer.clone())).init(),
        LogFormat::Pretty => {
            let lines = tracing_subscriber::fmt::layer().with_writer(buffer.clone());
            registry.with(lines.with_ansi(on_terminal)).init();
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(panic.location = place, "panicked");
    }));
    Ok(LastLines(buffer))
}
