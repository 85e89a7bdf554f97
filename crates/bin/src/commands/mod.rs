//! The commands other than `serve`.

mod accounts;
pub(crate) mod api_key;
pub(crate) mod dealer;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod recount;
mod report;
pub(crate) mod secrets;

use crate::config::Config;
use crate::output::tell;
use crate::wiring::Database;

/// Opens the database, and warns on standard error when that is a private one: a command has no log.
async fn open_database(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(config).await?;
    if let Some(warning) = database.warning() {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        tell!("{yellow}warning:{yellow:#} {warning}");
    }
    Ok(database)
}
