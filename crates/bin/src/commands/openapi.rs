use std::process::ExitCode;

/// Prints the OpenAPI document.
pub(crate) fn run() -> ExitCode {
    anstream::println!("{}", api::openapi_document(env!("CARGO_PKG_VERSION")));
    ExitCode::SUCCESS
}
