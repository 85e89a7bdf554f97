//! Logs go to standard error: JSON for programs, lines with colours for people.

mod buffer;
mod json;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::buffer::{Buffer, Writing};
use self::json::JsonLines;
use crate::config::{LogConfig, LogFormat};
use crate::traces::Traces;

/// Starts logging and, where there is a collector, tracing; and makes panics tell where but not with
/// what. What is returned is kept until the program ends: lines of JSON are written a moment later,
/// and dropping it writes the last.
#[must_use]
pub(crate) fn start(config: &LogConfig, traces: Option<&Traces>) -> Option<Writing> {
    let on_terminal = std::io::stderr().is_terminal();
    let format = config.format.unwrap_or(if on_terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    // The configuration has checked the filter.
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry()
        .with(traces.map(Traces::layer))
        .with(filter);
    let writing = match format {
        LogFormat::Json => {
            let buffer = Buffer::default();
            registry.with(JsonLines::new(buffer.clone())).init();
            Some(Writing::begin(&buffer))
        }
        LogFormat::Pretty => {
            registry.with(lines.with_ansi(on_terminal)).init();
            None
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(panic.location = place, "panicked");
    }));
    writing
}
