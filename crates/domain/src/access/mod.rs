//! Callers, their rights, and the audit.

mod audit;
mod key;
mod principal;
mod scope;
mod session;

pub use audit::{Action, AuditCursor, AuditEntry, AuditRecord, Author};
pub use key::{API_KEY_PREFIX, ApiKey, ApiKeyError, ApiKeyId, KeyFingerprint, KeyName};
pub use principal::{Principal, Visibility};
pub use scope::{Access, AccessError, Scope, Scopes};
pub use session::{SessionPrint, SessionToken, SessionTokenError};
