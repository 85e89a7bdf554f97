use std::process::ExitCode;

use super::open_database;
use crate::config::Config;
use crate::output::say;

/// Brings the database up to date.
pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let database = open_database(&config).await?;
    let applied = store_postgres::migrate(&database.url, &config.schema).await?;
    if applied == 0 {
        say!("The database is up to date.");
    } else {
        say!("{applied} migrations applied; the database is up to date.");
    }
    Ok(ExitCode::SUCCESS)
}
