//! The command line: commands and exit statuses.

mod accounts;
mod api_key;
mod database;
mod dealer;
mod doctor;
mod health;
mod import;
mod secrets;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{ApiKeyCommand, Cli, Command, DealerCommand, SecretsCommand};
use crate::config::Config;
use crate::output::{say, tell};
use crate::surroundings::half_of_processors;
use crate::{environment, logging, output};

/// The exit status for a wrong configuration or command line.
const MISUSED: u8 = 2;

/// The whole program: reads the command line and the environment, and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Openapi) {
        // Needs neither configuration nor runtime.
        say!("{}", api::openapi_document(env!("CARGO_PKG_VERSION")));
        return ended(Ok(ExitCode::SUCCESS));
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
    // All tasks have been told to stop; the exit does not wait for them.
    runtime.shutdown_background();
    ended(outcome)
}

fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    let outcome = outcome.and_then(|status| output::written().map(|()| status));
    outcome.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    logging::last_words(format!("{red}error:{red:#} {error:#}"));
    ExitCode::FAILURE
}

async fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => migrate(config).await,
        Command::Doctor(options) => doctor::run(config, options).await,
        Command::Recount => recount(config).await,
        Command::Health { ready } => health::run(&config, ready).await,
        Command::Import(options) => import::run(config, options).await,
        Command::Dealer { command } => match command {
            DealerCommand::Add(options) => dealer::add(config, options).await,
            DealerCommand::List => dealer::list(config).await,
            DealerCommand::SetKey(options) => dealer::set_key(config, options).await,
            DealerCommand::Test(options) => dealer::test(config, options).await,
        },
        Command::Secrets {
            command: SecretsCommand::Reseal,
        } => secrets::reseal(config).await,
        Command::ApiKey { command } => match command {
            ApiKeyCommand::Create(options) => api_key::create(config, options).await,
            ApiKeyCommand::List => api_key::list(config).await,
            ApiKeyCommand::Revoke(options) => api_key::revoke(config, options).await,
        },
        // Answered before the configuration was read.
        Command::Openapi => Ok(ExitCode::SUCCESS),
    }
}

/// Brings the database up to date.
async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    // For the log lines about waits.
    let _last_lines = logging::start(&config.log, None)?;
    let database = database::open_unchecked(&config).await?;
    let applied = store_postgres::migrate(&database.url, &config.schema).await?;
    if applied == 0 {
        say!("The database is up to date.");
    } else {
        say!("{applied} migrations applied; the database is up to date.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the counts of requests equal to the rows.
async fn recount(config: Config) -> anyhow::Result<ExitCode> {
    let (database, _parts) = database::open(&config).await?;
    tell!("Counting all requests and messages, some seconds for each million …");
    let wrong = store_postgres::recount(&database.url, &config.schema).await?;
    if wrong.wrong == 0 {
        say!("The counts were right.");
    } else {
        say!(
            "{} counts, by {} requests and messages, were wrong and are right now.",
            wrong.wrong,
            wrong.requests
        );
    }
    Ok(ExitCode::SUCCESS)
}
