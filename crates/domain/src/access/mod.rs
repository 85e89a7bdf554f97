//! Callers, their rights, and the audit.

mod audit;
mod key;
mod principal;
mod scope;

pub use audit::{Action, AuditCursor, AuditEntry, AuditRecord, Author};
pub use key::{API_KEY_PREFIX, ApiKey, ApiKeyError, ApiKeyId, KeyFingerprint, KeyName};
pub use principal::{Principal, Visibility};
pub use scope::{Access, AccessError, Scope, Scopes};
