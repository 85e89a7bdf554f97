#![doc = include_str!("../README.md")]
// They panic where nobody reads; `output` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub(crate) mod cli;
pub(crate) mod commands;
pub(crate) mod config;
#[cfg(test)]
mod config_laws;
pub(crate) mod environment;
#[cfg(feature = "fault-injection")]
pub(crate) mod fault;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod one_answer;
pub(crate) mod output;
pub(crate) mod serve;
pub(crate) mod surroundings;
pub(crate) mod traces;
pub(crate) mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{ApiKeyCommand, Cli, Command, DealerCommand, SecretsCommand};
use crate::config::Config;
use crate::surroundings::half_of_processors;

/// The exit status after a mistake in the configuration or on the command line.
const MISUSED: u8 = 2;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Openapi) {
        // Needs neither configuration nor runtime.
        return ended(Ok(commands::openapi::run()));
    }
    let config = match environment::variables().and_then(|variables| Config::read(&variables)) {
        Ok(config) => config,
        Err(errors) => {
            logging::last_words(errors.to_string());
            return ExitCode::from(MISUSED);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(half_of_processors())
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(run(command, config));
    // Whatever still runs has been told to stop; nothing waits for it.
    runtime.shutdown_background();
    ended(outcome)
}

fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    let outcome = outcome.and_then(|status| output::written().map(|()| status));
    outcome.unwrap_or_else(|error| failed(&error))
}

async fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => commands::migrate::run(config).await,
        Command::Doctor(options) => commands::doctor::run(config, options).await,
        Command::Recount => commands::recount::run(config).await,
        Command::Health { ready } => commands::health::run(&config, ready).await,
        Command::Dealer { command } => match command {
            DealerCommand::Add(options) => commands::dealer::add(config, options).await,
            DealerCommand::List => commands::dealer::list(config).await,
            DealerCommand::SetKey(options) => commands::dealer::set_key(config, options).await,
            DealerCommand::Test(options) => commands::dealer::test(config, options).await,
        },
        Command::Secrets {
            command: SecretsCommand::Reseal,
        } => commands::secrets::reseal(config).await,
        Command::ApiKey { command } => match command {
            ApiKeyCommand::Create(options) => commands::api_key::create(config, options).await,
            ApiKeyCommand::List => commands::api_key::list(config).await,
            ApiKeyCommand::Revoke(options) => commands::api_key::revoke(config, options).await,
        },
        Command::Openapi => Ok(commands::openapi::run()),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    logging::last_words(format!("{red}error:{red:#} {error:#}"));
    ExitCode::FAILURE
}
