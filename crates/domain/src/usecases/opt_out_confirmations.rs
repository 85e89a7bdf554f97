use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Policies, Ports};
use crate::dealers::Dealer;
use crate::delivery::{DeliveryPolicy, Outcome, OutcomeKind, is_spent, rest_until, too_old_before};
use crate::ports::{
    CallEnd, Clock, Confirmations, DealerDirectory, Dice, Lease, OptOuts, Outbox, OutgoingMessage,
    Settled, Settlement, StoreError, Whatsapp, WorkerId,
};
use crate::replies::{Confirmation, Wish};
use crate::values::{Account, AccountPolicy};

/// How long a confirmation waits for a lane that is busy (chosen).
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// The shortest and the longest wait for an account that cannot be used, and after a call that was not sent
/// (chosen).
const SHORTEST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Confirms opting out and in, through the dealers' lanes. A confirmation is no message of a request: it counts
/// for the daily limit, rests with its lane, and is given up when it is as old as a message may be.
pub struct OptOutConfirmations {
    confirmations: Arc<dyn Confirmations>,
    opt_outs: Arc<dyn OptOuts>,
    dealers: Arc<dyn DealerDirectory>,
    outbox: Arc<dyn Outbox>,
    whatsapp: Arc<dyn Whatsapp>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
    policy: DeliveryPolicy,
    worker: WorkerId,
}

/// What becomes of a due confirmation.
#[derive(Debug, Clone)]
pub enum ConfirmationTurn {
    /// Its turn has come.
    Call(Box<ConfirmationCall>),
    /// It waits.
    Later,
    /// It will never be sent, and why.
    Dropped(&'static str),
}

/// A confirmation whose turn has come: it is marked, its lane is leased, and its call is recorded.
#[derive(Debug, Clone)]
pub struct ConfirmationCall {
    confirmation: Confirmation,
    lease: Lease,
    account: Account,
    message: OutgoingMessage,
    start_by: Instant,
    pause: Duration,
}

/// The result of a confirmation, to be settled.
#[derive(Debug, Clone)]
pub struct ConfirmationEnd {
    /// The lease of the call.
    pub lease: Lease,
    /// The outcome of the call, where one was made.
    pub outcome: Option<OutcomeKind>,
    id: i64,
    settlement: Settlement,
    /// The wait before it is tried again, where it certainly was not sent.
    again: Option<Duration>,
}

impl ConfirmationCall {
    fn made(&self, outcome: &Outcome, again: Option<Duration>) -> ConfirmationEnd {
        // A provider that asks for patience asks for that of the whole lane.
        let asked = asked_for(outcome).unwrap_or_default();
        ConfirmationEnd {
            outcome: Some(outcome.kind()),
            ..self.end(outcome.into(), self.pause.max(asked), again)
        }
    }

    /// No call is made.
    fn unmade(&self, again: Option<Duration>) -> ConfirmationEnd {
        self.end(CallEnd::NotAccepted, Duration::ZERO, again)
    }

    fn end(&self, call: CallEnd, pause: Duration, again: Option<Duration>) -> ConfirmationEnd {
        ConfirmationEnd {
            lease: self.lease.clone(),
            outcome: None,
            id: self.confirmation.id,
            settlement: Settlement::of_call(call, pause),
            again,
        }
    }
}

impl OptOutConfirmations {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            confirmations: ports.confirmations.clone(),
            opt_outs: ports.opt_outs.clone(),
            dealers: ports.dealers.clone(),
            outbox: ports.outbox.clone(),
            whatsapp: ports.whatsapp.clone(),
            clock: ports.clock.clone(),
            dice: ports.dice.clone(),
            accounts: policies.accounts.clone(),
            policy: policies.delivery.clone(),
            worker: policies.worker,
        }
    }

    /// What is to be sent, at most one confirmation of each dealer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError> {
        self.confirmations.due(limit).await
    }

    /// Leases the lane of a confirmation, and marks it as being called. One that is marked and not called after
    /// all, because the process ends, is not sent again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin(&self, confirmation: &Confirmation) -> Result<ConfirmationTurn, StoreError> {
        let dealer = self.dealers.find(&confirmation.dealer).await?;
        let wanted = dealer.filter(|dealer| dealer.settings.confirms_opt_outs());
        let Some(dealer) = wanted else {
            return self.dropped(confirmation, "its dealer wants none").await;
        };
        if self.is_too_old(confirmation, &dealer) {
            return self.dropped(confirmation, "it became too old").await;
        }
        let Ok(account) = dealer.account(&self.accounts) else {
            return self
                .later(confirmation, back_off(confirmation), false)
                .await;
        };
        if let Some((wait, ages_after)) = wait(confirmation, &dealer) {
            return self.later(confirmation, wait, ages_after).await;
        }
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let lease = self
            .outbox
            .begin_call(&dealer.id, self.worker, self.policy.lease)
            .await?;
        let Some(lease) = lease else {
            return self.later(confirmation, BUSY_WAIT, false).await;
        };
        let policy = self.policy.with(&dealer.settings);
        let call = ConfirmationCall {
            lease,
            account,
            message: OutgoingMessage {
                target: confirmation.phone.clone(),
                body: confirmation.text(&dealer.name),
            },
            start_by: lease_ends
                .checked_sub(self.policy.send_timeout)
                .unwrap_or(lease_ends),
            pause: policy.pace(self.dice.roll()),
            confirmation: confirmation.clone(),
        };
        let taken = self
            .confirmations
            .take(confirmation, call.lease.epoch)
            .await;
        if matches!(taken, Ok(true)) {
            return Ok(ConfirmationTurn::Call(Box::new(call)));
        }
        // Another copy has it, or nobody knows: where it was marked after all, the mark is taken off.
        let end = call.unmade(Some(BUSY_WAIT));
        self.settle(&end).await?;
        taken.map(|_| ConfirmationTurn::Later)
    }

    /// Makes the call.
    pub async fn call(&self, call: &ConfirmationCall) -> ConfirmationEnd {
        let it = &call.confirmation;
        if it.wish == Wish::OptIn {
            // As late as possible: an opt-out holds from the moment it is stored.
            match self.opt_outs.is_opted_out(&it.dealer, &it.phone).await {
                Ok(false) => {}
                Ok(true) => return call.unmade(None),
                Err(_) => return call.unmade(Some(BUSY_WAIT)),
            }
        }
        let report = self
            .whatsapp
            .send(&call.account, &call.message, call.start_by)
            .await;
        let again = match report.outcome.kind() {
            OutcomeKind::NotSent | OutcomeKind::Blocked => {
                let asked = asked_for(&report.outcome).unwrap_or_default();
                Some(back_off(it).max(asked))
            }
            OutcomeKind::Accepted | OutcomeKind::Refused | OutcomeKind::Unknown => None,
        };
        call.made(&report.outcome, again)
    }

    /// The result of a call that was aborted by a shutdown.
    #[must_use]
    pub fn abandoned(&self, call: &ConfirmationCall) -> ConfirmationEnd {
        let reason = "the service stopped before the provider answered".to_owned();
        call.made(&Outcome::Unknown { reason }, None)
    }

    /// Settles a call. Repeat it until it succeeds.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn settle(&self, end: &ConfirmationEnd) -> Result<Settled, StoreError> {
        match end.again {
            Some(wait) => {
                let epoch = end.lease.epoch;
                self.confirmations.put_back(end.id, epoch, wait).await?;
            }
            None => self.confirmations.remove(end.id).await?,
        }
        self.outbox.settle(&end.lease, &end.settlement).await
    }

    async fn dropped(
        &self,
        it: &Confirmation,
        why: &'static str,
    ) -> Result<ConfirmationTurn, StoreError> {
        self.confirmations.remove(it.id).await?;
        Ok(ConfirmationTurn::Dropped(why))
    }

    async fn later(
        &self,
        it: &Confirmation,
        wait: Duration,
        ages_after: bool,
    ) -> Result<ConfirmationTurn, StoreError> {
        self.confirmations.put_off(it.id, wait, ages_after).await?;
        Ok(ConfirmationTurn::Later)
    }

    fn is_too_old(&self, it: &Confirmation, dealer: &Dealer) -> bool {
        let quiet = dealer.settings.quiet_hours;
        it.due_at < too_old_before(quiet, self.policy.message_ttl, it.lane.now)
    }
}

/// How long the dealer's lane makes no call, if at all, and whether the confirmation ages from then, as messages do
/// when the daily limit is reached.
fn wait(it: &Confirmation, dealer: &Dealer) -> Option<(Duration, bool)> {
    let lane = &it.lane;
    if lane.leased {
        return Some((BUSY_WAIT, false));
    }
    let rest = rest_until(&dealer.settings, lane.calls_today, lane.now);
    let until = rest.max(lane.ready_at);
    let wait = until.map(|until| (until - lane.now).to_std().unwrap_or_default());
    let wait = match lane.history.blocks {
        0 => wait?,
        _ => wait.unwrap_or_default().max(back_off(it)),
    };
    Some((wait, is_spent(&dealer.settings, lane.calls_today)))
}

/// It waits as long as it has waited so far.
fn back_off(it: &Confirmation) -> Duration {
    let age = (it.lane.now - it.due_at).to_std().unwrap_or_default();
    age.clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// The patience that the provider asked for, up to the longest wait.
fn asked_for(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::NotSent { retry_after, .. } => retry_after.map(|asked| asked.min(LONGEST_WAIT)),
        _ => None,
    }
}
