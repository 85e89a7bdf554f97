use async_trait::async_trait;

use super::StoreError;
use crate::access::{AuditEntry, Visibility};
use crate::delivery::QueueState;
use crate::requests::{Message, NewMessage, RequestId};
use crate::values::{DealerId, Phone};

/// The result of a resend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once per call and moved at once"
)]
pub enum Resent {
    /// This message was queued.
    Queued(Message),
    /// One is still QUEUED or SENDING; nothing was changed.
    Pending,
    /// The person of the request was erased; nothing was changed.
    Erased,
    /// No request has that id.
    UnknownRequest,
}

/// The result of a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once per call and moved at once"
)]
pub enum Cancelled {
    /// This message was cancelled; it is the request's newest.
    Stopped(Message),
    /// No message is QUEUED; nothing was changed.
    TooLate,
    /// No request has that id.
    UnknownRequest,
}

/// The messages of single requests, and the queue of a dealer's lane. A request outside the tenant is as if
/// it did not exist, and takes as long to find.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Messages: Send + Sync {
    /// The messages of a request, oldest first; none for a request of an older service, and for a missing
    /// one.
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError>;

    /// Queues one more message of a request, unless another one is QUEUED or SENDING, or the person was
    /// erased; the request then shows as waiting again. Of concurrent calls one succeeds. The audit entry,
    /// with the request's dealer, is in the same transaction.
    async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        message: &NewMessage,
        target: &Phone,
        entry: &AuditEntry,
    ) -> Result<Resent, StoreError>;

    /// Cancels the QUEUED message of a request, see [`cancelled`](crate::requests::cancelled). A concurrent
    /// claim excludes it. The audit entry, with the request's dealer, is in the same transaction.
    async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        entry: &AuditEntry,
    ) -> Result<Cancelled, StoreError>;

    /// The queue and the state of a dealer's lane, from one snapshot; empty and free for a dealer without
    /// messages, and for a missing one.
    async fn queue(&self, dealer: &DealerId) -> Result<QueueState, StoreError>;
}
