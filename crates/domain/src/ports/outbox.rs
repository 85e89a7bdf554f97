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

/// One copy of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkerId(pub Uuid);

/// A lane, held by one copy for a while. Whoever lost the lease cannot settle: the epoch rises
/// with every lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose lane it is.
    pub dealer_id: DealerId,
    /// Which lease of this lane it is.
    pub epoch: i64,
}

/// A leased lane and what there is to do in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The lease.
    pub lease: Lease,
    /// What the lane has been through.
    pub history: LaneHistory,
    /// Calls to send in this lane today, in Asia/Jakarta.
    pub calls_today: u32,
    /// The time, by the store's clock.
    pub now: DateTime<Utc>,
    /// What there is to do.
    pub task: Task,
}

/// What there is to do in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Send a message; it is marked SENDING already.
    Send(OutboxMessage),
    /// A copy died, or lost its lease, while this message was SENDING, or a status event that
    /// would tell its outcome did not come: the outcome is unknown.
    Recover(OutboxMessage),
    /// The breaker is open and its pause is over: probe the account before the next message.
    Probe,
}

/// A message in the outbox. Prints without its text, and its phone masked.
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
    /// How many outcomes of this message were unknown so far.
    pub unknowns: u32,
    /// How long ago it was due, by the store's clock. A day whose calls were used up moves that
    /// moment to its end, and a change of the settings about rests to that change.
    pub overdue: Duration,
    /// Whether a status event that would tell its outcome was waited for.
    pub awaited: bool,
    /// Whether it is [suspected](MessageChange::Suspected), and a probe went well since.
    pub suspected: bool,
    /// The call that asked for it.
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

/// A call to the provider, for the record. Prints without the answer, and phones masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The class of the outcome.
    pub outcome: OutcomeKind,
    /// What the provider said or what went wrong; never a key.
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

/// What becomes of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The message and what becomes of it; `None` after a probe.
    pub message: Option<(MessageId, MessageChange)>,
    /// What becomes of the lane, whose lease ends.
    pub lane: LaneChange,
    /// The call, where one was made.
    pub attempt: Option<Attempt>,
    /// Whether a call to send was, or may have been, made that does not count for the day yet.
    pub called: bool,
    /// What came of a call that no message stands for, where the lane was leased for one.
    pub call: Option<CallEnd>,
    /// Recognises the account that was found blocked, see [`Outbox::blocked_lanes`].
    pub account_fingerprint: Option<String>,
}

/// What came of a call that no message stands for, see [`Outbox::begin_call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// The provider has it.
    Accepted(Receipt),
    /// It is certainly not with the provider.
    NotAccepted,
    /// It may be with the provider, under an id that nobody knows.
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
    /// Whether a message is done with and the lane may go on at once.
    #[must_use]
    pub fn frees_lane(&self) -> bool {
        let is_done = matches!(&self.message, Some((_, change)) if *change != MessageChange::Await);
        is_done && matches!(self.lane, LaneChange::Ready { pause } if pause.is_zero())
    }

    /// What the provider said when it accepted the call.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match (&self.message, &self.call) {
            (Some((_, MessageChange::Sent(receipt))), _)
            | (_, Some(CallEnd::Accepted(receipt))) => Some(receipt),
            _ => None,
        }
    }

    /// The provider's id of what was accepted.
    #[must_use]
    pub fn accepted(&self) -> Option<&str> {
        self.receipt()?.message_id.as_deref()
    }

    /// How many more calls of the lane the provider may have taken under ids that nobody knows, less
    /// than none where one is known not to be; `None`: there are none any more. Ids rise, so that
    /// that of a later call tells what came before it from what comes after.
    ///
    /// As long as there is one, a status event with an unknown id is no evidence for a message.
    #[must_use]
    pub fn unaccounted(&self) -> Option<i32> {
        if self.accepted().and_then(provider_number).is_some() {
            return None;
        }
        Some(match (&self.message, &self.call) {
            // Remembered when it began.
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

/// Whether a settlement took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Message, request and lane are changed.
    Applied,
    /// The lease was lost. An accepted message is lifted to SENT all the same, as evidence;
    /// nothing else is changed.
    LeaseLost,
}

/// A lane whose breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedLane {
    /// Whose lane it is.
    pub dealer_id: DealerId,
    /// What [`Settlement::account_fingerprint`] was when it was blocked.
    pub account_fingerprint: Option<String>,
}

/// The queue of messages, in one lane per dealer.
///
/// Times are the store's: copies on machines whose clocks differ agree all the same.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases at most `limit` lanes that are free, ready and have something to do, and marks the
    /// message of each as SENDING (committed). Live messages come before others, then by due time.
    async fn claim(
        &self,
        worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Leases one lane for a call that no message of the outbox stands for, if nobody holds it and
    /// its pace allows a call now. A breaker or a retry wait does not matter, a wait for evidence does.
    /// A message whose holder vanished stays there to be recovered.
    ///
    /// The call is remembered before it is made: it counts for the day, and is
    /// [unaccounted for](Settlement::unaccounted) until a settlement says what came of it.
    async fn begin_call(
        &self,
        dealer: &DealerId,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Records what came of a claim and gives the lane back. Reasons and details are kept
    /// [without numbers](crate::persons::without_numbers); the provider's answer is kept as it came, with the
    /// request alone.
    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError>;

    /// As [`settle`](Self::settle), and in the same transaction leases the lane again and begins its
    /// next message, as [`claim`](Self::claim) does: where the settlement
    /// [frees the lane](Settlement::frees_lane), took place, and something is due.
    async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
        worker: WorkerId,
        next_lease: Duration,
    ) -> Result<(Settled, Option<Claim>), StoreError>;

    /// How long until some lane has something to do; `None` when the queue is empty.
    async fn next_due(&self) -> Result<Option<Duration>, StoreError>;

    /// Ends queued messages that are [too old](crate::delivery::too_old_before), in lanes that are paused as
    /// well, as [`expired`](crate::delivery::expired) says. Returns how many.
    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError>;

    /// The lanes whose breaker is open.
    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError>;

    /// Closes a breaker as it was seen: the lane is ready at once, or when its wait for evidence is
    /// over. Returns whether there was one to close; one that was opened with another account since
    /// stays open.
    async fn unblock(&self, lane: &BlockedLane) -> Result<bool, StoreError>;

    /// Ends a rest, because the settings that caused it changed: the lane is ready at once, and its
    /// messages age from now, since nobody remembers when the old settings let them wait. A rest
    /// that begins within [`REST_DOUBT`](crate::delivery::REST_DOUBT), perhaps by a copy that remembers the
    /// old settings, lasts [`REST_LOOK`](crate::delivery::REST_LOOK) at most.
    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError>;
}
