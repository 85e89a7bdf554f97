use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Policies, Ports};
use crate::dealers::Dealer;
use crate::delivery::{DeliveryPolicy, LaneChange, Outcome, rest_until, too_old_before};
use crate::ports::{
    CallEnd, Clock, Confirmations, DealerDirectory, Dice, Lease, Messages, OptOuts, Outbox,
    OutgoingMessage, Settled, Settlement, StoreError, Whatsapp, WorkerId,
};
use crate::replies::{Confirmation, Wish};
use crate::values::{Account, AccountPolicy};

/// How long a confirmation waits for a lane that is busy (chosen).
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// How long it waits for an account that cannot be used, and after a call that was not sent (chosen).
const TROUBLE_WAIT: Duration = Duration::from_secs(60);

/// Confirms opting out and in, through the dealers' lanes. A confirmation is no message of a request: it counts
/// for the daily limit, rests with its lane, and is given up when it is as old as a message may be.
pub struct OptOutConfirmations {
    confirmations: Arc<dyn Confirmations>,
    opt_outs: Arc<dyn OptOuts>,
    dealers: Arc<dyn DealerDirectory>,
    messages: Arc<dyn Messages>,
    outbox: Arc<dyn Outbox>,
    whatsapp: Arc<dyn Whatsapp>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
    policy: DeliveryPolicy,
    worker: WorkerId,
}

/// A confirmation whose turn has come: it is taken, its lane is leased, and its call is recorded.
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
    confirmation: Confirmation,
    /// The lease of the call.
    pub lease: Lease,
    settlement: Settlement,
    /// Whether it certainly was not sent, and is tried again.
    again: bool,
}

impl ConfirmationCall {
    fn end(&self, call: CallEnd, again: bool) -> ConfirmationEnd {
        let pause = self.pause;
        ConfirmationEnd {
            confirmation: self.confirmation.clone(),
            lease: self.lease.clone(),
            settlement: Settlement {
                message: None,
                lane: match call {
                    CallEnd::Accepted(_) => LaneChange::Ready { pause },
                    CallEnd::NotAccepted | CallEnd::Unknown => LaneChange::Unchanged { pause },
                },
                attempt: None,
                called: false,
                call: Some(call),
                account_fingerprint: None,
            },
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
            messages: ports.messages.clone(),
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

    /// Takes a confirmation and leases its lane; `None` where it is not its turn, or it will never be sent. What
    /// is taken and not called after all, because the process ends, is not sent again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin(
        &self,
        confirmation: &Confirmation,
    ) -> Result<Option<ConfirmationCall>, StoreError> {
        let id = confirmation.id;
        let dealer = self.dealers.find(&confirmation.dealer).await?;
        let wanted = dealer.filter(|dealer| dealer.settings.confirms_opt_outs());
        let Some(dealer) = wanted else {
            self.confirmations.take(id).await?;
            return Ok(None);
        };
        if self.is_over(confirmation, &dealer).await? {
            self.confirmations.take(id).await?;
            return Ok(None);
        }
        let Ok(account) = dealer.account(&self.accounts) else {
            self.confirmations.put_off(id, TROUBLE_WAIT).await?;
            return Ok(None);
        };
        if let Some(wait) = self.wait(&dealer).await? {
            self.confirmations.put_off(id, wait).await?;
            return Ok(None);
        }
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let lease = self
            .outbox
            .begin_call(&dealer.id, self.worker, self.policy.lease)
            .await?;
        let Some(lease) = lease else {
            self.confirmations.put_off(id, BUSY_WAIT).await?;
            return Ok(None);
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
        let taken = self.confirmations.take(id).await;
        if matches!(taken, Ok(true)) {
            return Ok(Some(call));
        }
        // Another copy has it, or nobody knows.
        let end = call.end(CallEnd::NotAccepted, false);
        self.outbox.settle(&end.lease, &end.settlement).await?;
        taken.map(|_| None)
    }

    /// Makes the call.
    pub async fn call(&self, call: &ConfirmationCall) -> ConfirmationEnd {
        let report = self
            .whatsapp
            .send(&call.account, &call.message, call.start_by)
            .await;
        let again = matches!(
            report.outcome,
            Outcome::NotSent { .. } | Outcome::Blocked { .. }
        );
        call.end((&report.outcome).into(), again)
    }

    /// The result of a call that was aborted by a shutdown.
    #[must_use]
    pub fn abandoned(&self, call: &ConfirmationCall) -> ConfirmationEnd {
        call.end(CallEnd::Unknown, false)
    }

    /// Settles a call. Repeat it until it succeeds.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn settle(&self, end: &ConfirmationEnd) -> Result<Settled, StoreError> {
        if end.again {
            let putting = self.confirmations.put_back(&end.confirmation, TROUBLE_WAIT);
            putting.await?;
        }
        self.outbox.settle(&end.lease, &end.settlement).await
    }

    /// Whether a confirmation is too old, or was overtaken: whoever opted out again gets nothing but the
    /// confirmation of that.
    async fn is_over(&self, it: &Confirmation, dealer: &Dealer) -> Result<bool, StoreError> {
        let quiet = dealer.settings.quiet_hours;
        if it.due_at < too_old_before(quiet, self.policy.message_ttl, it.now) {
            return Ok(true);
        }
        match it.wish {
            Wish::OptOut => Ok(false),
            Wish::OptIn => self.opt_outs.is_opted_out(&it.dealer, &it.phone).await,
        }
    }

    /// How long the dealer's lane makes no call, if at all.
    async fn wait(&self, dealer: &Dealer) -> Result<Option<Duration>, StoreError> {
        let lane = self.messages.queue(&dealer.id).await?.lane;
        let rest = rest_until(&dealer.settings, lane.calls_today, lane.now);
        let until = rest.max(lane.ready_at);
        let wait = until.map(|until| (until - lane.now).to_std().unwrap_or_default());
        Ok(match lane.history.blocks {
            0 => wait,
            _ => Some(wait.unwrap_or_default().max(TROUBLE_WAIT)),
        })
    }
}
