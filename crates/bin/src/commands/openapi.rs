use crate::output::say;
use std::process::ExitCode;

/// Prints the OpenAPI document.
pub(crate) fn run() -> ExitCode {
    say!("{}", api::openapi_document(env!("CARGO_PKG_VERSION")));
    ExitCode::SUCCESS
}
