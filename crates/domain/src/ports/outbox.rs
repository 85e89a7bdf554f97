use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::StoreError;
use crate::delivery::{LaneChange, LaneHistory, MessageChange, Outcome, OutcomeKind, Receipt};
use crate::events::provider_number;
use crate::requests::{MessageId, Origin, RequestId};
use crate::values::{DealerId, mask_phone, mask_phones};

/// The id of one copy of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkerId(pub Uuid);

/// A lease of a lane by one copy. The epoch rises with every lease, so a copy that lost its lease cannot
/// settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The dealer of the lane.
    pub dealer_id: DealerId,
    /// The number of this lease among the leases of the lane.
    pub epoch: i64,
}

/// A leased lane and its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The lease.
    pub lease: Lease,
    /// The lane's history.
    pub history: LaneHistory,
    /// Calls for sending in this lane today, in Asia/Jakarta.
    pub calls_today: u32,
    /// The time, by the store's clock.
    pub now: DateTime<Utc>,
    /// The task.
    pub task: Task,
}

/// The task of a leased lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Send a message, which is already marked SENDING.
    Send(OutboxMessage),
    /// Recover a message whose outcome is unknown: a copy died or lost its lease while it was SENDING, or the
    /// awaited status event did not come.
    Recover(OutboxMessage),
    /// Probe the account, because the breaker is open and its pause is over.
    Probe,
}

/// A message in the outbox. `Debug` hides its text and masks its phone.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The message.
    pub id: MessageId,
    /// The request it belongs to.
    pub request_id: RequestId,
    /// The recipient's phone as stored, `08…`.
    pub target: String,
    /// The finished text.
    pub body: String,
    /// Its unknown outcomes so far.
    pub unknowns: u32,
    /// How long ago it was due, by the store's clock. The daily limit moves its due time to the next day, and
    /// a change of settings about rests to the time of that change.
    pub overdue: Duration,
    /// Whether a status event that tells its outcome was already waited for.
    pub awaited: bool,
    /// Whether it is [suspected](MessageChange::Suspected), and a probe succeeded since.
    pub suspected: bool,
    /// The HTTP request that asked for it.
    pub origin: Option<Origin>,
}

impl fmt::Debug for OutboxMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxMessage")
            .field("id", &self.id)
            .field("request_id", &self.request_id)
            .field("target", &mask_phone(&self.target))
            .field("unknowns", &self.unknowns)
            .field("overdue", &self.overdue)
            .finish_non_exhaustive()
    }
}

/// A call to the provider, for the record. `Debug` hides the answer and masks phones.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The class of the outcome.
    pub outcome: OutcomeKind,
    /// The provider's text, or the error; never a key.
    pub detail: String,
    /// How long the call took.
    pub duration: Duration,
    /// The provider's answer as JSON text; `None` when no call was made.
    pub answer: Option<String>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("outcome", &self.outcome)
            .field("detail", &mask_phones(&self.detail))
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// The settlement of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The message and its change; `None` after a probe.
    pub message: Option<(MessageId, MessageChange)>,
    /// The change of the lane, whose lease ends.
    pub lane: LaneChange,
    /// The call, where one was made.
    pub attempt: Option<Attempt>,
    /// Whether a call for sending was, or may have been, made that is not yet counted for the day.
    pub called: bool,
    /// The result of a call without a message, where the lane was leased for one.
    pub call: Option<CallEnd>,
    /// The fingerprint of the account that was found blocked, see [`Outbox::blocked_lanes`].
    pub account_fingerprint: Option<String>,
}

/// The result of a call without a message, see [`Outbox::begin_call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// The provider accepted it.
    Accepted(Receipt),
    /// It certainly did not reach the provider.
    NotAccepted,
    /// It may have reached the provider, under an unknown id.
    Unknown,
}

impl From<&Outcome> for CallEnd {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(receipt) => Self::Accepted(receipt.clone()),
            Outcome::Refused { .. }
            | Outcome::Blocked { .. }
            | Outcome::Barred { .. }
            | Outcome::NotSent { .. } => Self::NotAccepted,
            Outcome::Unknown { .. } => Self::Unknown,
        }
    }
}

impl Settlement {
    /// The settlement of a call without a message. An accepted one closes the breaker. Another proves nothing about
    /// customers' messages, and must not lengthen their pauses.
    #[must_use]
    pub fn of_call(call: CallEnd, pause: Duration) -> Self {
        Self {
            message: None,
            lane: match call {
                CallEnd::Accepted(_) => LaneChange::Ready { pause },
                CallEnd::NotAccepted | CallEnd::Unknown => LaneChange::Unchanged { pause },
            },
            attempt: None,
            called: false,
            call: Some(call),
            account_fingerprint: None,
        }
    }

    /// Whether a message is finished and the lane may go on at once.
    #[must_use]
    pub fn frees_lane(&self) -> bool {
        let is_done = matches!(&self.message, Some((_, change)) if *change != MessageChange::Await);
        is_done && matches!(self.lane, LaneChange::Ready { pause } if pause.is_zero())
    }

    /// The provider's answer that accepted the call.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match (&self.message, &self.call) {
            (Some((_, MessageChange::Sent(receipt))), _)
            | (_, Some(CallEnd::Accepted(receipt))) => Some(receipt),
            _ => None,
        }
    }

    /// The provider's id of the accepted message.
    #[must_use]
    pub fn accepted(&self) -> Option<&str> {
        self.receipt()?.message_id.as_deref()
    }

    /// The change of the number of unaccounted calls: calls of the lane that the provider may have accepted
    /// under unknown ids. `None` resets it to zero: ids rise, so a known id is later than all unaccounted
    /// ones.
    ///
    /// With unaccounted calls, a status event with an unknown id is no evidence for a message.
    #[must_use]
    pub fn unaccounted(&self) -> Option<i32> {
        if self.accepted().and_then(provider_number).is_some() {
            return None;
        }
        Some(match (&self.message, &self.call) {
            // It was counted when it began.
            (_, Some(CallEnd::NotAccepted)) => -1,
            (_, Some(CallEnd::Accepted(_) | CallEnd::Unknown)) => 0,
            (Some((_, change)), None) => i32::from(matches!(
                change,
                MessageChange::Sent(_)
                    | MessageChange::Resend { .. }
                    | MessageChange::Unknown { .. }
            )),
            (None, None) => 0,
        })
    }
}

/// Whether a settlement took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Message, request and lane are changed.
    Applied,
    /// The lease was lost. An accepted message is lifted to SENT as evidence; nothing else is changed.
    LeaseLost,
}

/// A lane whose breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedLane {
    /// The dealer of the lane.
    pub dealer_id: DealerId,
    /// [`Settlement::account_fingerprint`] of the block.
    pub account_fingerprint: Option<String>,
}

/// The outbox: the queue of messages, with one lane for each dealer.
///
/// Times are the store's, so that copies with different clocks agree.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases at most `limit` lanes that are free, ready and have a task, and marks the message of each as
    /// SENDING (committed). Live messages go first, then by due time. A lane with a confirmation that has become due
    /// within [`CONFIRMATION_TURN`](crate::replies::CONFIRMATION_TURN) leaves its turn to that.
    async fn claim(
        &self,
        worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Leases one lane for a call without a message, if it is free and its pace allows a call now. A breaker
    /// or a retry wait does not hinder it; a wait for evidence does. A message whose holder vanished stays to
    /// be recovered.
    ///
    /// The call is recorded before it is made: it counts for the day, and is [unaccounted
    /// for](Settlement::unaccounted) until it is settled.
    async fn begin_call(
        &self,
        dealer: &DealerId,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Settles a claim and releases the lane. Reasons and details are stored [without
    /// numbers](crate::persons::without_numbers); the provider's answer is stored as it came, with the
    /// request only.
    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError>;

    /// Like [`settle`](Self::settle), and in the same transaction leases the lane again and begins its next
    /// message, like [`claim`](Self::claim): where the settlement [frees the lane](Settlement::frees_lane),
    /// took effect, and a message is due.
    async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
        worker: WorkerId,
        next_lease: Duration,
    ) -> Result<(Settled, Option<Claim>), StoreError>;

    /// Time until some lane has a task; `None` when the queue is empty.
    async fn next_due(&self) -> Result<Option<Duration>, StoreError>;

    /// Ends queued messages that are [too old](crate::delivery::too_old_before), in paused lanes as well, see
    /// [`expired`](crate::delivery::expired); one whose recipient opted out is cancelled. Returns how many.
    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError>;

    /// The lanes whose breaker is open.
    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError>;

    /// Closes the breaker of this block: the lane is ready at once, or after its wait for evidence. Returns
    /// whether it was open; a breaker that has opened with another account since stays open.
    async fn unblock(&self, lane: &BlockedLane) -> Result<bool, StoreError>;

    /// Ends a rest whose settings changed: the lane is ready at once, and its messages age from now. A rest
    /// that begins within [`REST_DOUBT`](crate::delivery::REST_DOUBT), perhaps by a copy with cached old
    /// settings, lasts [`REST_LOOK`](crate::delivery::REST_LOOK) at most.
    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError>;
}
