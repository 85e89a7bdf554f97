use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::access::AuditEntry;
use crate::replies::{Confirmation, ListCursor, OptOut, Reply};
use crate::requests::RequestId;
use crate::values::{DealerId, Phone};

/// Whose replies are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepliesOf {
    /// Those to a dealer.
    Dealer(DealerId),
    /// Those that were written when this request was the newest.
    Request(RequestId),
}

/// The result of an opt-out by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptedOut {
    /// The phone is opted out now.
    Now(OptOut),
    /// It was before; nothing was changed.
    Before(OptOut),
}

/// What customers wrote back.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Replies: Send + Sync {
    /// The newest replies, newest first; with a cursor those that are older than it.
    async fn replies(
        &self,
        of: &RepliesOf,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<Reply>, StoreError>;
}

/// Confirmations of opting out or in by a reply, which [`EventStore::keep`](super::EventStore::keep) writes with
/// the change. None is sent twice: it is taken before its call.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Confirmations: Send + Sync {
    /// The oldest due confirmation of each dealer, of at most so many dealers.
    async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError>;

    /// Removes a confirmation, because it is about to be sent or never will be; returns whether it was there.
    async fn take(&self, id: i64) -> Result<bool, StoreError>;

    /// Lets a confirmation wait.
    async fn put_off(&self, id: i64, wait: Duration) -> Result<(), StoreError>;

    /// Puts back one that was taken and certainly not sent, to wait; repeating it changes nothing.
    async fn put_back(&self, confirmation: &Confirmation, wait: Duration)
    -> Result<(), StoreError>;
}

/// Phones that get no messages of a dealer, see [`EventStore::keep`](super::EventStore::keep) for those that
/// said so in a reply.
///
/// An erased person stays opted out: of the phone a keyed hash is kept.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OptOuts: Send + Sync {
    /// Whether a phone is opted out of this dealer's messages at this moment.
    async fn is_opted_out(&self, dealer: &DealerId, phone: &Phone) -> Result<bool, StoreError>;

    /// A dealer's opt-outs, newest first; with a cursor those that are older than it.
    async fn opt_outs(
        &self,
        dealer: &DealerId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<OptOut>, StoreError>;

    /// Opts a phone out by hand, and cancels its QUEUED messages of this dealer, as far as nobody else has
    /// them locked: those are found [before their call](Self::is_opted_out). The audit entry is in the same
    /// transaction.
    async fn opt_out(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        note: Option<String>,
        entry: &AuditEntry,
    ) -> Result<OptedOut, StoreError>;

    /// Opts a phone in by hand; returns whether it was opted out. What was cancelled stays cancelled, and what
    /// was submitted since the opt-out is cancelled now, as by a reply. The audit entry is in the same
    /// transaction.
    async fn opt_in(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError>;
}
