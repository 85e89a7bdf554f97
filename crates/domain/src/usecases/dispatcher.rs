use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Policies, Ports};
use crate::{
    Account, AccountBook, AccountError, AccountPolicy, Attempt, BlockCause, BlockedLane, Claim,
    Clock, Dealer, DealerDirectory, DealerSettings, DeliveryPolicy, DeviceReport, Dice, LaneChange,
    Lease, MessageChange, Outbox, OutboxMessage, Outcome, OutcomeKind, OutgoingMessage, Phone,
    QUOTA_USED_UP, SendReport, Settled, Settlement, StoreError, Task, Tries, Whatsapp, WorkerId,
    decide, expired, is_spent, profile_again, rest_until, too_old_before,
};

/// How long a lane rests when its dealer could not be looked up.
const LOOKUP_PAUSE: Duration = Duration::from_secs(1);

/// Takes messages from the outbox to the provider, one call per lane at a time.
///
/// The steps are separate so that whoever drives them decides about concurrency and waiting:
/// [`claim`](Self::claim), then [`deliver`](Self::deliver) each claim, then
/// [`settle`](Self::settle) each delivery until it succeeds.
pub struct Dispatcher {
    outbox: Arc<dyn Outbox>,
    dealers: Arc<dyn DealerDirectory>,
    whatsapp: Arc<dyn Whatsapp>,
    book: Arc<dyn AccountBook>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
    policy: DeliveryPolicy,
    worker: WorkerId,
}

/// What came of a claim, yet to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The lease under which it was done.
    pub lease: Lease,
    /// The task of the claim.
    pub task: Task,
    /// What is to be recorded.
    pub settlement: Settlement,
}

/// A claim and the moment until which its lease is certain to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedClaim {
    /// The claim.
    pub claim: Claim,
    /// Taken before the store was asked, so that it is never later than the store's own end.
    pub lease_ends: Instant,
}

impl Dispatcher {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            outbox: ports.outbox.clone(),
            dealers: ports.dealers.clone(),
            whatsapp: ports.whatsapp.clone(),
            book: ports.accounts.clone(),
            clock: ports.clock.clone(),
            dice: ports.dice.clone(),
            accounts: policies.accounts.clone(),
            policy: policies.delivery.clone(),
            worker: policies.worker,
        }
    }

    /// Claims at most `limit` lanes with something to do.
    ///
    /// # Errors
    /// [`StoreError`]; lanes that were leased all the same are recovered when their lease is over.
    pub async fn claim(&self, limit: usize) -> Result<Vec<TimedClaim>, StoreError> {
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let claims = self.outbox.claim(self.worker, limit, self.policy.lease);
        let timed = |claim| TimedClaim { claim, lease_ends };
        Ok(claims.await?.into_iter().map(timed).collect())
    }

    /// Does what a claim asks for: sends, recovers or probes. Takes at most the policy's
    /// `send_timeout` and one look into the dealer directory.
    pub async fn deliver(&self, timed: TimedClaim) -> Delivery {
        let TimedClaim { claim, lease_ends } = timed;
        let settlement = match self.dealers.find(&claim.lease.dealer_id).await {
            Ok(dealer) => self.work(&claim, dealer.as_ref(), lease_ends).await,
            Err(_) => self.hand_back(&claim),
        };
        Delivery {
            lease: claim.lease,
            task: claim.task,
            settlement,
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

    /// Records a delivery as [`settle`](Self::settle) does, and claims what the lane has to do next,
    /// where it may go on at once.
    ///
    /// # Errors
    /// [`StoreError`]; a lane that was leased again all the same is recovered when its lease is over.
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

    /// What a delivery that was given up, because the service must stop, is recorded as: its
    /// outcome is unknown.
    pub async fn abandoned(&self, claim: Claim) -> Delivery {
        let settlement = match (&claim.task, self.dealers.find(&claim.lease.dealer_id).await) {
            (Task::Send(message) | Task::Recover(message), Ok(dealer)) => {
                let settings = dealer.map(|dealer| dealer.settings).unwrap_or_default();
                let reason = "the service stopped before the provider answered";
                self.unknown(&claim, message, &settings, reason)
            }
            // An unsettled message is recovered as unknown when the lease is over.
            (Task::Send(_) | Task::Recover(_), Err(_)) | (Task::Probe, _) => {
                self.lane_only(Duration::ZERO)
            }
        };
        Delivery {
            lease: claim.lease,
            task: claim.task,
            settlement,
        }
    }

    /// One round without concurrency: claims, delivers and settles. Returns what was done.
    ///
    /// # Errors
    /// The first [`StoreError`]; every claim was delivered all the same, and what could not be
    /// settled is recovered as unknown when its lease is over.
    pub async fn run_once(&self, limit: usize) -> Result<Vec<(Delivery, Settled)>, StoreError> {
        let mut done = Vec::new();
        for claim in self.claim(limit).await? {
            let delivery = self.deliver(claim).await;
            let settled = self.settle(&delivery).await;
            done.push(settled.map(|settled| (delivery, settled)));
        }
        done.into_iter().collect()
    }

    /// Ends messages that became too old. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn expire(&self) -> Result<u64, StoreError> {
        self.outbox.expire(self.policy.message_ttl).await
    }

    /// How long until some lane has something to do; `None` when the queue is empty.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        self.outbox.next_due().await
    }

    /// Closes the breakers of dealers whose key or address changed since they were blocked.
    /// Returns how many.
    ///
    /// # Errors
    /// The first [`StoreError`]. A row that cannot be read does not keep the others from being
    /// looked at; a store that is away ends the round.
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
        let unchanged = lane.account_print == Some(self.print(dealer.as_ref()));
        Ok(!unchanged && self.outbox.unblock(lane).await?)
    }

    async fn work(
        &self,
        claim: &Claim,
        dealer: Option<&Dealer>,
        lease_ends: Instant,
    ) -> Settlement {
        let settings = dealer
            .map(|dealer| dealer.settings.clone())
            .unwrap_or_default();
        match &claim.task {
            Task::Recover(message) => {
                let reason =
                    "the sending copy of the service stopped before it could record an answer";
                self.unknown(claim, message, &settings, reason)
            }
            Task::Send(message) if self.is_too_old(claim, message, &settings) => Settlement {
                message: Some((message.id, expired(message.unknowns))),
                ..self.lane_only(Duration::ZERO)
            },
            Task::Send(message) => match rest_until(&settings, claim.calls_today, claim.now) {
                Some(until) => Settlement {
                    message: Some((message.id, MessageChange::Requeued)),
                    lane: if is_spent(&settings, claim.calls_today) {
                        LaneChange::Spent { until }
                    } else {
                        LaneChange::Resting { until }
                    },
                    ..self.lane_only(Duration::ZERO)
                },
                None => {
                    self.send(claim, message, dealer, &settings, lease_ends)
                        .await
                }
            },
            Task::Probe => self.probe(claim, dealer, &settings).await,
        }
    }

    fn is_too_old(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        settings: &DealerSettings,
    ) -> bool {
        let oldest = too_old_before(settings.quiet_hours, self.policy.message_ttl, claim.now);
        message.overdue > (claim.now - oldest).to_std().unwrap_or_default()
    }

    fn unknown(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        settings: &DealerSettings,
        reason: &str,
    ) -> Settlement {
        let outcome = Outcome::Unknown {
            reason: reason.to_owned(),
        };
        // After a wait for evidence there is no call that would not be recorded already.
        let attempt = (!message.awaited).then(|| Attempt {
            outcome: outcome.kind(),
            detail: reason.to_owned(),
            duration: Duration::ZERO,
            answer: None,
        });
        Settlement {
            called: attempt.is_some(),
            attempt,
            ..self.decided(claim, Some(message), settings, outcome)
        }
    }

    async fn send(
        &self,
        claim: &Claim,
        message: &OutboxMessage,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
        lease_ends: Instant,
    ) -> Settlement {
        let account = match self.account(dealer) {
            Ok(account) => account,
            Err(error) => {
                return self.not_configured(claim, Some(message), dealer, settings, error);
            }
        };
        let Ok(target) = Phone::parse(&message.target) else {
            let outcome = Outcome::Refused {
                reason: "the stored phone number is not valid".to_owned(),
            };
            return self.decided(claim, Some(message), settings, outcome);
        };
        let outgoing = OutgoingMessage {
            target,
            body: message.body.clone(),
        };
        // The call must be over before the lease is, or two copies could be calling at once.
        let began = self.clock.monotonic();
        let start_by = match lease_ends.checked_sub(self.policy.send_timeout) {
            Some(start_by) if began <= start_by => start_by,
            _ => return self.hand_back(claim),
        };
        let report = self.whatsapp.send(&account, &outgoing, start_by).await;
        let attempt = attempt(&report, self.clock.monotonic() - began);
        let blocked = report.outcome.kind() == OutcomeKind::Blocked;
        Settlement {
            attempt: Some(attempt),
            called: true,
            account_print: blocked.then(|| self.print(dealer)),
            ..self.decided(claim, Some(message), settings, report.outcome)
        }
    }

    async fn probe(
        &self,
        claim: &Claim,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
    ) -> Settlement {
        let account = match self.account(dealer) {
            Ok(account) => account,
            Err(error) => return self.not_configured(claim, None, dealer, settings, error),
        };
        let report = self.whatsapp.device(&account).await;
        if let Some(profile) = report.profile() {
            let again = profile_again(self.dice.roll());
            // What is kept is for people who look; the lane does not depend on it.
            let _ = self
                .book
                .keep_profile(&claim.lease.dealer_id, &profile, again)
                .await;
        }
        let (cause, reason) = match report {
            DeviceReport::Connected { profile, .. } if profile.quota_left != Some(0) => {
                return Settlement {
                    lane: LaneChange::Probed,
                    ..self.lane_only(Duration::ZERO)
                };
            }
            DeviceReport::Connected { .. } => (BlockCause::Quota, QUOTA_USED_UP.to_owned()),
            DeviceReport::NotReady { cause, reason, .. } => (cause, reason),
            DeviceReport::Unreachable { reason } => (BlockCause::Other, reason),
        };
        Settlement {
            account_print: Some(self.print(dealer)),
            ..self.decided(claim, None, settings, Outcome::Blocked { cause, reason })
        }
    }

    fn account(&self, dealer: Option<&Dealer>) -> Result<Account, AccountError> {
        // A dealer that became inactive keeps its promise to the customer: what was acknowledged
        // is sent as long as the account works.
        dealer.ok_or(AccountError::NoKey)?.account(&self.accounts)
    }

    fn not_configured(
        &self,
        claim: &Claim,
        message: Option<&OutboxMessage>,
        dealer: Option<&Dealer>,
        settings: &DealerSettings,
        error: AccountError,
    ) -> Settlement {
        let outcome = Outcome::Blocked {
            cause: error.cause(),
            reason: error.to_string(),
        };
        Settlement {
            account_print: Some(self.print(dealer)),
            ..self.decided(claim, message, settings, outcome)
        }
    }

    /// Recognises the account with which a lane is blocked.
    fn print(&self, dealer: Option<&Dealer>) -> String {
        dealer.map_or_else(String::new, |dealer| dealer.account_print(&self.accounts))
    }

    /// What follows from an outcome, before anything is known about a call.
    fn decided(
        &self,
        claim: &Claim,
        message: Option<&OutboxMessage>,
        settings: &DealerSettings,
        outcome: Outcome,
    ) -> Settlement {
        let tries = message.map_or_else(Tries::default, |message| Tries {
            unknowns: message.unknowns,
            may_await: settings.exclusive_device && !message.awaited,
            suspected: message.suspected,
        });
        let policy = self.policy.with(settings);
        let decision = decide(outcome, tries, claim.history, &policy, self.dice.roll());
        Settlement {
            message: message.map(|message| (message.id, decision.message)),
            lane: decision.lane,
            ..self.lane_only(Duration::ZERO)
        }
    }

    /// Nothing was sent and nothing learned: everything stays as it was.
    fn hand_back(&self, claim: &Claim) -> Settlement {
        let message = match &claim.task {
            Task::Send(message) => Some((message.id, MessageChange::Requeued)),
            // It stays SENDING, to be recovered.
            Task::Recover(_) | Task::Probe => None,
        };
        Settlement {
            message,
            ..self.lane_only(LOOKUP_PAUSE)
        }
    }

    fn lane_only(&self, pause: Duration) -> Settlement {
        Settlement {
            message: None,
            lane: LaneChange::Unchanged { pause },
            attempt: None,
            called: false,
            call: None,
            account_print: None,
        }
    }
}

fn attempt(report: &SendReport, duration: Duration) -> Attempt {
    Attempt {
        outcome: report.outcome.kind(),
        detail: report.outcome.detail().to_owned(),
        duration,
        answer: Some(report.answer.clone()),
    }
}
