use async_trait::async_trait;

use super::StoreError;
use crate::access::Visibility;
use crate::requests::{NewRequest, Request, RequestId};
use crate::values::{DealerId, Once};

/// The result of storing a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, durably.
    Stored,
    /// The same body was stored under this key before, as this request; nothing was stored now.
    Replayed(RequestId),
    /// The key was used for another body; nothing was stored.
    KeyReused,
    /// The first request with this key is still being stored; nothing else was stored.
    KeyInProgress,
}

/// The earlier use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// The same body, stored as this request.
    SameBody(RequestId),
    /// Another body.
    AnotherBody,
}

/// The store of requests.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Stores a request, its message and its key, all or nothing. Of concurrent requests with one key of one
    /// dealer, one is stored. A key is valid for [`KEY_LIFETIME`](crate::values::KEY_LIFETIME).
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError>;

    /// Stores requests as [`accept`](Self::accept) does each, in this order, without getting in the way of
    /// those. Each stands alone: of several under one key of one dealer the first is stored. Answers for
    /// each, in the same order. At most [`BLOCK`](crate::usecases::BLOCK) at once.
    async fn accept_all(&self, requests: &[NewRequest]) -> Vec<Result<Accepted, StoreError>>;

    /// What was stored under each of these keys of the dealers before, if that still counts. Changes
    /// nothing.
    async fn key_uses(&self, uses: &[(DealerId, Once)]) -> Result<Vec<Option<KeyUse>>, StoreError>;

    /// Deletes a batch of expired keys. Returns how many.
    async fn forget_old_keys(&self) -> Result<u64, StoreError>;

    /// The request with this id; one outside the tenant is as if it did not exist, and takes as long to find.
    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError>;
}
