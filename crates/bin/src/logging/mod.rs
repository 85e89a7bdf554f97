//! The log, on standard error: JSON for programs, coloured lines for people.

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

/// Starts the log and, with a collector, traces. Panics log their place without their message. Lines are
/// written a moment later; keep the result until the program ends, to wait for the last ones.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn start(config: &LogConfig, traces: Option<&Traces>) -> std::io::Result<LastLines> {
    let on_terminal = std::io::stderr().is_terminal();
    let format = config.format.unwrap_or(if on_terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    // The configuration has validated the filter.
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
        if tables::reads_workbook() {
            return;
        }
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(panic.location = place, "panicked");
    }));
    Ok(LastLines(buffer))
}
