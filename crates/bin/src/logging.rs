//! Logs go to standard error: JSON for programs, lines with colours for people.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};
use crate::traces::Traces;

/// Starts logging and, where there is a collector, tracing; and makes panics tell where but not with what.
pub(crate) fn start(config: &LogConfig, traces: Option<&Traces>) {
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
    match format {
        LogFormat::Json => registry
            .with(lines.json().flatten_event(true).with_span_list(false))
            .init(),
        LogFormat::Pretty => registry.with(lines.with_ansi(on_terminal)).init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(panic.location = place, "panicked");
    }));
}
