#![doc = include_str!("../README.md")]

mod aged;
mod connection;
mod dealers;
mod endpoints;
mod events;
mod front;
mod keys;
mod lanes;
mod operations;
mod persons;
mod replies;
mod reports;
mod requests;
mod schema;
mod sql;
mod store;
mod templates;
#[cfg(feature = "testing")]
pub mod testing;

pub use connection::{
    ConnectionsError, DatabaseUrl, DatabaseUrlError, PoolOptions, SchemaName, SchemaNameError,
};
pub use dealers::directory::PgDealers;
pub use dealers::reseal::{Resealed, SecretPlace};
pub use dealers::secrets::{SecretsKeys, SecretsKeysError};
pub use dealers::stand_alone::{DealerAdminError, NewDealer};
pub use keys::api_keys::PgApiKeys;
pub use keys::sessions::PgSessions;
pub use lanes::standing::{PoolUse, Standing};
pub use operations::inspect::{Inspection, MigrationState};
pub use operations::migrate::{MigrateError, migrate};
pub use operations::shortcomings::Shortcoming;
pub use operations::trial::Refusal;
pub use requests::recount::{CountsWrong, compare_counts, recount};
pub use store::PgStore;
