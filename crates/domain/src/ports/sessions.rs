use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::access::{ApiKeyId, SessionPrint};

/// The sessions of people who logged in to the console. A session is of one key, and whether that key still
/// counts is asked of [`ApiKeys`](super::ApiKeys) each time: what ends the key ends all its sessions.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session, which lasts so long by the store's clock. Sessions that are over are forgotten with it.
    async fn begin(
        &self,
        session: SessionPrint,
        key: ApiKeyId,
        lifetime: Duration,
    ) -> Result<(), StoreError>;

    /// Whose key the session is of; `None` where it is over, was ended or never was. What another copy of
    /// the service ended is seen within 5 seconds.
    async fn find(&self, session: SessionPrint) -> Result<Option<ApiKeyId>, StoreError>;

    /// Whether this copy has lately begun or found the session, so that finding it again is cheap. Asks no
    /// store. `false` says nothing about the session, and is the answer for one that was found to be over.
    fn knows(&self, session: SessionPrint) -> bool;

    /// Ends a session; one that is over stays so.
    async fn end(&self, session: SessionPrint) -> Result<(), StoreError>;
}
