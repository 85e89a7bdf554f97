use std::process::ExitCode;

use crate::config::Config;
use crate::logging;
use crate::wiring::Database;

/// Brings the database up to date.
pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    // Says what it waits for.
    let _writing = logging::start(&config.log, None);
    let database = Database::open(&config).await?;
    let applied = store_postgres::migrate(&database.url, &config.schema).await?;
    if applied == 0 {
        anstream::println!("The database is up to date.");
    } else {
        anstream::println!("{applied} migrations applied; the database is up to date.");
    }
    Ok(ExitCode::SUCCESS)
}
