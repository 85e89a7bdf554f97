//! How connections are made: address, TLS, session settings, pool.

mod endpoint;
mod lent;
mod parameters;
mod place;
mod pool;
pub(crate) mod read_to_end;
mod room;
mod schema_gate;
mod schema_name;
mod session;
mod tls;
pub(crate) mod together;
mod url;
mod watched;

pub(crate) use lent::{Connection, failed};
pub use parameters::DatabaseUrlError;
pub use pool::PoolOptions;
pub(crate) use pool::{ASK_TIMEOUT, Database, Home, Purpose, StoreResult};
pub use room::ConnectionsError;
pub(crate) use schema_gate::SchemaGate;
pub use schema_name::{SchemaName, SchemaNameError};
pub(crate) use session::{Connector, Session};
#[cfg(feature = "testing")]
pub(crate) use session::{report_settings, session_settings};
pub use url::DatabaseUrl;
