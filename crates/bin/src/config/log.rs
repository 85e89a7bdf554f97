//! The settings of the log.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// The settings of the log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// A level, or a filter of tracing.
    pub filter: String,
    /// `None`: JSON unless on a terminal.
    pub format: Option<LogFormat>,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON, for programs.
    Json,
    /// With colours, for people.
    Pretty,
}

impl Reader<'_> {
    pub(super) fn log(&mut self) -> Option<LogConfig> {
        let filter = self.parsed("LOG_LEVEL", "INFO", log_filter);
        let format = self.optional("LOG_FORMAT", |raw| {
            match raw.to_ascii_lowercase().as_str() {
                "json" => Ok(LogFormat::Json),
                "pretty" => Ok(LogFormat::Pretty),
                _ => Err("must be json or pretty".to_owned()),
            }
        });
        Some(LogConfig {
            filter: filter?,
            format,
        })
    }
}

/// A level applies to our own crates; others log from WARN on. A text with `=` is taken as a filter.
fn log_filter(raw: &str) -> Result<String, String> {
    let filter = if raw.contains('=') {
        raw.to_owned()
    } else {
        let level = match raw.to_ascii_uppercase().as_str() {
            "TRACE" => "trace",
            "DEBUG" => "debug",
            "INFO" => "info",
            "WARNING" | "WARN" => "warn",
            "ERROR" => "error",
            _ => {
                return Err(
                    "must be TRACE, DEBUG, INFO, WARNING or ERROR, or a tracing filter such as \
                     info,api=debug"
                        .to_owned(),
                );
            }
        };
        let others = if level == "error" { "error" } else { "warn" };
        let ours = [
            "customer_service",
            "api",
            "domain",
            "store_postgres",
            "whatsapp_fonnte",
        ]
        .map(|ours| format!("{ours}={level}"))
        .join(",");
        format!("{others},{ours}")
    };
    EnvFilter::builder()
        .parse(&filter)
        .map(|_| filter)
        .map_err(|_| "is not a tracing filter such as info,api=debug".to_owned())
}
