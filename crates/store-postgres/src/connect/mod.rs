//! How connections are made: address, TLS, session settings, pool.

mod pool;
mod schema_name;
mod tls;
mod url;

pub use pool::PoolOptions;
#[cfg(feature = "testing")]
pub(crate) use pool::session_settings;
pub(crate) use pool::{ASK_TIMEOUT, Connection, Connector, Database, Home, StoreResult, failed};
pub use schema_name::{SchemaName, SchemaNameError};
pub use url::{DatabaseUrl, DatabaseUrlError};
