use async_trait::async_trait;

use super::StoreError;
use crate::access::{AuditCursor, AuditEntry, AuditRecord};
use crate::requests::RequestId;

/// What was done by whom. Lines are written once and never changed, except that an erasure takes a phone
/// out of them.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes a line. Where a port's own method takes an entry, that writes it together with what
    /// it tells of, or does neither; this is for the others, before they answer.
    async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The newest lines, newest first; with a cursor those that are older than its line.
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
