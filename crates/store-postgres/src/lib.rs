#![doc = include_str!("../README.md")]

mod backlog;
mod connect;
mod dealer_admin;
mod inspect;
mod migrate;
mod odd;
mod ports;
mod read_to_end;
mod recount;
mod reseal;
mod schema;
mod secrets;
mod shortcomings;
mod standing;
mod statement;
#[cfg(feature = "testing")]
pub mod testing;

pub use connect::{
    ConnectionsError, DatabaseUrl, DatabaseUrlError, PoolOptions, SchemaName, SchemaNameError,
};
pub use dealer_admin::{DealerAdminError, NewDealer};
pub use inspect::{Inspection, MigrationState};
pub use migrate::{MigrateError, migrate};
pub use ports::{PgApiKeys, PgDealers, PgStore, Refusal};
pub use recount::{CountsWrong, compare_counts, recount};
pub use reseal::{Resealed, SecretPlace};
pub use secrets::{SecretsKeys, SecretsKeysError};
pub use shortcomings::Shortcoming;
pub use standing::{PoolUse, Standing};
