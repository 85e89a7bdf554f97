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
/// the change. None is sent twice: one is marked before its call, and what a vanished process has marked is never
/// called again.
///
/// A person who opts out again is not told any more that messages come, and one whose standing is changed by hand
/// not any more what a reply changed before: such confirmations are removed with the change.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Confirmations: Send + Sync {
    /// Of each dealer the confirmation that is due longest, of at most so many dealers, the longest due first. Of a
    /// phone's confirmations at a dealer the oldest goes first, and others wait for it.
    async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError>;

    /// Marks a confirmation as being called under the lease of this epoch; returns whether it may be called. What
    /// was marked under an earlier lease of the lane is removed: nobody knows whether it was sent.
    async fn take(&self, confirmation: &Confirmation, epoch: i64) -> Result<bool, StoreError>;

    /// Removes a confirmation, because it was sent, perhaps sent, or never will be.
    async fn remove(&self, id: i64) -> Result<(), StoreError>;

    /// Lets a confirmation wait that is not being called. Where it `ages_after` the wait, its age counts from the
    /// end of the wait.
    async fn put_off(&self, id: i64, wait: Duration, ages_after: bool) -> Result<(), StoreError>;

    /// Lets one wait that was marked under this epoch and certainly not sent. Changes nothing where that was undone
    /// before, or the person was erased.
    async fn put_back(&self, id: i64, epoch: i64, wait: Duration) -> Result<(), StoreError>;
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
