use async_trait::async_trait;

use super::StoreError;
use crate::access::{AuditCursor, AuditEntry, AuditRecord};
use crate::requests::RequestId;

/// The audit. Lines are written once and never changed, except that an erasure removes phones.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes a line, before the answer. A port's method that takes an entry writes it in its own transaction
    /// instead.
    async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The newest lines, newest first; with a cursor the lines that are older than it.
    async fn page(
        &self,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// What people did to a request of this dealer, as the details tell that begin with `request` and its id:
    /// the newest lines, oldest first.
    async fn about(
        &self,
        dealer: &str,
        request: RequestId,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;
}
