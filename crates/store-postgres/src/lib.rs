#![doc = include_str!("../README.md")]

mod backlog;
mod connect;
mod dealer_admin;
mod inspect;
mod migrate;
mod ports;
mod schema;
mod standing;
mod statement;
#[cfg(feature = "testing")]
pub mod testing;

pub use connect::{DatabaseUrl, DatabaseUrlError, PoolOptions, SchemaName, SchemaNameError};
pub use dealer_admin::{DealerAdminError, NewDealer};
pub use inspect::{Inspection, MigrationState};
pub use migrate::{MigrateError, migrate};
pub use ports::{PgDealers, PgStore};
pub use standing::{PoolUse, Standing};
