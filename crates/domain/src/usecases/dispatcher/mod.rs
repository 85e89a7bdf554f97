mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Policies, Ports};
use crate::delivery::DeliveryPolicy;
use crate::ports::{
    AccountBook, BlockedLane, Claim, Clock, DealerDirectory, Dice, Lease, OptOuts, Outbox, Settled,
    Settlement, StoreError, Task, Whatsapp, WorkerId, causes,
};
use crate::values::AccountPolicy;

/// How long a lane pauses when its dealer could not be looked up (chosen).
const LOOKUP_PAUSE: Duration = Duration::from_secs(1);

/// Takes messages from the outbox to the provider, one call per lane at a time.
///
/// The steps are separate so that the driving loop decides about concurrency and waiting:
/// [`claim`](Self::claim), then [`deliver`](Self::deliver) each claim, then [`settle`](Self::settle) each
/// delivery until it succeeds.
pub struct Dispatcher {
    outbox: Arc<dyn Outbox>,
    dealers: Arc<dyn DealerDirectory>,
    whatsapp: Arc<dyn Whatsapp>,
    opt_outs: Arc<dyn OptOuts>,
    book: Arc<dyn AccountBook>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
    policy: DeliveryPolicy,
    worker: WorkerId,
}

/// The result of a claim, to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The lease of the claim.
    pub lease: Lease,
    /// The task of the claim.
    pub task: Task,
    /// The settlement.
    pub settlement: Settlement,
    /// The store's error because of which nothing was tried, in words.
    pub trouble: Option<String>,
}

/// A claim and the time until which its lease certainly holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedClaim {
    /// The claim.
    pub claim: Claim,
    /// Counted from before the store was asked, so that it is never later than the store's own end.
    pub lease_ends: Instant,
}

impl Dispatcher {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            outbox: ports.outbox.clone(),
            dealers: ports.dealers.clone(),
            whatsapp: ports.whatsapp.clone(),
            opt_outs: ports.opt_outs.clone(),
            book: ports.accounts.clone(),
            clock: ports.clock.clone(),
            dice: ports.dice.clone(),
            accounts: policies.accounts.clone(),
            policy: policies.delivery.clone(),
            worker: policies.worker,
        }
    }

    /// Claims at most `limit` lanes with a task.
    ///
    /// # Errors
    /// [`StoreError`]; lanes that were leased all the same are recovered after their lease.
    pub async fn claim(&self, limit: usize) -> Result<Vec<TimedClaim>, StoreError> {
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let claims = self.outbox.claim(self.worker, limit, self.policy.lease);
        let timed = |claim| TimedClaim { claim, lease_ends };
        Ok(claims.await?.into_iter().map(timed).collect())
    }

    /// Does the task of a claim: sends, recovers or probes. Takes at most the policy's `send_timeout` and one
    /// look-up of the dealer.
    pub async fn deliver(&self, timed: TimedClaim) -> Delivery {
        let TimedClaim { claim, lease_ends } = timed;
        let worked = match self.dealers.find(&claim.lease.dealer_id).await {
            Ok(dealer) => self.work(&claim, dealer.as_ref(), lease_ends).await,
            Err(error) => Err(error),
        };
        let (settlement, trouble) = match worked {
            Ok(settlement) => (settlement, None),
            Err(error) => {
                let words = format!("{error}: {}", causes(&error));
                (self.hand_back(&claim), Some(words))
            }
        };
        Delivery {
            lease: claim.lease,
            task: claim.task,
            settlement,
            trouble,
        }
    }

    /// Records a delivery. Repeat it until it succeeds: the provider's answer exists only here.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn settle(&self, delivery: &Delivery) -> Result<Settled, StoreError> {
        self.outbox
            .settle(&delivery.lease, &delivery.settlement)
            .await
    }

    /// Settles a delivery like [`settle`](Self::settle), and claims the next task of the lane, where it may
    /// go on at once.
    ///
    /// # Errors
    /// [`StoreError`]; a lane that was leased again all the same is recovered after its lease.
    pub async fn settle_and_claim(
        &self,
        delivery: &Delivery,
    ) -> Result<(Settled, Option<TimedClaim>), StoreError> {
        let next_lease = self.policy.lease;
        let lease_ends = self.clock.monotonic() + next_lease;
        let (settled, claim) = self
            .outbox
            .settle_and_claim(
                &delivery.lease,
                &delivery.settlement,
                self.worker,
                next_lease,
            )
            .await?;
        Ok((settled, claim.map(|claim| TimedClaim { claim, lease_ends })))
    }

    /// The delivery of a claim that was aborted by a shutdown: its outcome is unknown.
    pub async fn abandoned(&self, claim: Claim) -> Delivery {
        let settlement = match (&claim.task, self.dealers.find(&claim.lease.dealer_id).await) {
            (Task::Send(message) | Task::Recover(message), Ok(dealer)) => {
                let settings = dealer.map(|dealer| dealer.settings).unwrap_or_default();
                let reason = "the service stopped before the provider answered";
                self.unknown(&claim, message, &settings, reason)
            }
            // An unsettled message is recovered as unknown after its lease.
            (Task::Send(_) | Task::Recover(_), Err(_)) | (Task::Probe, _) => {
                self.lane_only(Duration::ZERO)
            }
        };
        Delivery {
            lease: claim.lease,
            task: claim.task,
            settlement,
            trouble: None,
        }
    }

    /// One round without concurrency: claims, delivers and settles. Returns the deliveries.
    ///
    /// # Errors
    /// The first [`StoreError`]; every claim was delivered all the same, and an unsettled one is recovered as
    /// unknown after its lease.
    pub async fn run_once(&self, limit: usize) -> Result<Vec<(Delivery, Settled)>, StoreError> {
        let mut done = Vec::new();
        for claim in self.claim(limit).await? {
            let delivery = self.deliver(claim).await;
            let settled = self.settle(&delivery).await;
            done.push(settled.map(|settled| (delivery, settled)));
        }
        done.into_iter().collect()
    }

    /// Ends messages that are too old. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn expire(&self) -> Result<u64, StoreError> {
        self.outbox.expire(self.policy.message_ttl).await
    }

    /// Time until some lane has a task; `None` when the queue is empty.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        self.outbox.next_due().await
    }

    /// Closes the breakers of dealers whose key or address changed since the block. Returns how many.
    ///
    /// # Errors
    /// The first [`StoreError`]. An unreadable row does not stop the round; an unavailable store does.
    pub async fn close_healed_breakers(&self) -> Result<u64, StoreError> {
        let mut closed = Ok(0);
        for lane in self.outbox.blocked_lanes().await? {
            let healed = self.close_if_healed(&lane).await;
            if let Err(StoreError::Unavailable(_)) = healed {
                return healed.map(u64::from);
            }
            closed = closed.and_then(|closed| Ok(closed + u64::from(healed?)));
        }
        closed
    }

    async fn close_if_healed(&self, lane: &BlockedLane) -> Result<bool, StoreError> {
        let dealer = self.dealers.find(&lane.dealer_id).await?;
        let unchanged = lane.account_fingerprint == Some(self.fingerprint(dealer.as_ref()));
        Ok(!unchanged && self.outbox.unblock(lane).await?)
    }
}
