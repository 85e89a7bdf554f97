//! Opening the database for a command.

use anyhow::bail;
use store_postgres::{MigrationState, PoolOptions};

use crate::config::Config;
use crate::output::tell;
use crate::wiring::{Database, Parts};

/// Opens a database that is up to date, and all parts over it.
pub(super) async fn open(config: &Config) -> anyhow::Result<(Database, Parts)> {
    let database = open_unchecked(config).await?;
    let parts = Parts::assemble(config, &database.url, &PoolOptions::default())?;
    if let MigrationState::Pending(_) = parts.store.migration_state().await? {
        bail!("the database is not up to date; run `customer-service migrate` first");
    }
    Ok((database, parts))
}

/// Opens the database, and warns on standard error when it is a private one: a command has no log.
pub(super) async fn open_unchecked(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(config).await?;
    if let Some(warning) = database.warning() {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        tell!("{yellow}warning:{yellow:#} {warning}");
    }
    Ok(database)
}
