use std::process::ExitCode;

use super::dealer::open;
use crate::config::Config;
use crate::output::{say, tell};

/// Makes the counts of requests equal to the rows.
pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let (database, _parts) = open(&config).await?;
    tell!("Counting all requests, about a second for each million …");
    let wrong = store_postgres::recount(&database.url, &config.schema).await?;
    if wrong.wrong == 0 {
        say!("The counts were right.");
    } else {
        say!(
            "{} counts, by {} requests, were wrong and are right now.",
            wrong.wrong,
            wrong.requests
        );
    }
    Ok(ExitCode::SUCCESS)
}
