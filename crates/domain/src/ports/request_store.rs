use async_trait::async_trait;

use super::StoreError;
use crate::access::Visibility;
use crate::requests::{NewRequest, Request, RequestId};
use crate::values::{DealerId, Once};

/// What became of a request that was given to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, durably.
    Stored,
    /// The same body was stored under this key before, as this request; nothing was stored now.
    Replayed(RequestId),
    /// The key stands for another body; nothing was stored.
    KeyReused,
    /// The first request of this key is still being stored; nothing else was.
    KeyInProgress,
}

/// What a key was used for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// The same body, stored as this request.
    SameBody(RequestId),
    /// Another body.
    AnotherBody,
}

/// Where requests are kept.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Stores a request, queues its message and remembers its key, all or nothing. Of many at once
    /// under one key of one dealer one is stored. A key counts for
    /// [`KEY_LIFETIME`](crate::values::KEY_LIFETIME).
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError>;

    /// What [`accept`](Self::accept) stored under this key of the dealer before, if that still
    /// counts. Changes nothing.
    async fn key_use(&self, dealer: &DealerId, once: &Once) -> Result<Option<KeyUse>, StoreError>;

    /// Removes some of the keys that no longer count. Returns how many.
    async fn forget_old_keys(&self) -> Result<u64, StoreError>;

    /// The request of that id; one that cannot be seen is as if it did not exist, and takes as long
    /// to find.
    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError>;
}
