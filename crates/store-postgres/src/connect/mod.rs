//! How connections are made: address, TLS, session settings, pool.

mod endpoint;
mod gate;
mod parameters;
mod pool;
mod room;
mod schema_name;
mod session;
mod tls;
mod url;
mod watched;

pub(crate) use gate::Gate;
pub use pool::PoolOptions;
pub(crate) use pool::{ASK_TIMEOUT, Connection, Database, Home, StoreResult, failed};
pub use room::ConnectionsError;
pub use schema_name::{SchemaName, SchemaNameError};
#[cfg(feature = "testing")]
pub(crate) use session::session_settings;
pub(crate) use session::{Connector, Session};
pub use url::{DatabaseUrl, DatabaseUrlError};
