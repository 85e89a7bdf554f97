use async_trait::async_trait;

use super::StoreError;
use crate::access::{AuditEntry, Visibility};
use crate::delivery::QueueState;
use crate::requests::{Message, NewMessage, RequestId};
use crate::values::{DealerId, Phone};

/// Whether one more message was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once per call and moved at once"
)]
pub enum Resent {
    /// This one was.
    Queued(Message),
    /// One is still QUEUED or SENDING; nothing was changed.
    Pending,
    /// The person of the request was erased; nothing was changed.
    Erased,
    /// No request has that id.
    UnknownRequest,
}

/// Whether a message was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once per call and moved at once"
)]
pub enum Cancelled {
    /// This one was; it is the request's newest.
    Stopped(Message),
    /// None is QUEUED; nothing was changed.
    TooLate,
    /// No request has that id.
    UnknownRequest,
}

/// The messages of single requests, as people follow and steer them, and what waits in a dealer's lane.
/// A request that cannot be seen is as if it did not exist, and takes as long to find.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Messages: Send + Sync {
    /// The messages of a request, oldest first; none for a request of an older service, and for one
    /// that does not exist.
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError>;

    /// Queues one more message of a request, which is shown as waiting again, unless another one is
    /// QUEUED or SENDING, or the person was erased. Of many at once one is queued. The entry is written into the audit with
    /// it, of the request's dealer.
    async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        message: &NewMessage,
        target: &Phone,
        entry: &AuditEntry,
    ) -> Result<Resent, StoreError>;

    /// Stops the message of a request that is QUEUED, as [`cancelled`](crate::requests::cancelled) says. Where
    /// it is claimed at the same moment, either happens and not both. The entry is written into the
    /// audit with it, of the request's dealer.
    async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        entry: &AuditEntry,
    ) -> Result<Cancelled, StoreError>;

    /// What waits in a dealer's lane, and how the lane stands, in one moment; nothing and free for a
    /// dealer who never had a message, and for one that does not exist.
    async fn queue(&self, dealer: &DealerId) -> Result<QueueState, StoreError>;
}
