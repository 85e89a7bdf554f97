use async_trait::async_trait;

use super::StoreError;
use crate::{NewRequest, Request, RequestId};

/// Where requests are kept.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Stores a request and queues its message, both or neither. `Ok` means committed durably.
    async fn accept(&self, request: &NewRequest) -> Result<(), StoreError>;

    /// The request of that id.
    async fn find(&self, id: RequestId) -> Result<Option<Request>, StoreError>;
}
