use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Policies, Ports};
use crate::dealers::{AccountStanding, Dealer};
use crate::delivery::{DeliveryPolicy, LaneChange, Outcome, profile_again};
use crate::ports::{
    AccountBook, AccountProfile, CallEnd, Clock, DealerDirectory, DeviceReport, Dice, Lease,
    OptOuts, Outbox, OutgoingMessage, Settled, Settlement, StoreError, Whatsapp, WorkerId,
};
use crate::values::{Account, AccountError, AccountPolicy, DealerId, Phone, jakarta_time};

/// How long a test message waits for its turn in the dealer's lane (chosen).
pub const TEST_WAIT: Duration = Duration::from_secs(10);

/// Checks whether a dealer's account can send.
pub struct DealerCheck {
    dealers: Arc<dyn DealerDirectory>,
    whatsapp: Arc<dyn Whatsapp>,
    opt_outs: Arc<dyn OptOuts>,
    outbox: Arc<dyn Outbox>,
    book: Arc<dyn AccountBook>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
    policy: DeliveryPolicy,
    worker: WorkerId,
}

/// The account works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPassed {
    /// The provider's answer as it came, without the account's key.
    pub text: String,
    /// The provider's profile of the account.
    pub profile: AccountProfile,
}

/// A test message whose turn has come: its lane is leased, and its call is recorded.
#[derive(Debug, Clone)]
pub struct TestCall {
    lease: Lease,
    account: Account,
    message: OutgoingMessage,
    start_by: Instant,
    pause: Duration,
}

/// The result of a test, to be settled.
#[derive(Debug)]
pub struct TestEnd {
    /// The answer to the caller.
    pub answer: Result<CheckPassed, CheckError>,
    /// The lease of the test.
    pub lease: Lease,
    /// The settlement.
    pub settlement: Settlement,
}

impl TestCall {
    fn end(&self, answer: Result<CheckPassed, CheckError>, call: CallEnd) -> TestEnd {
        let pause = self.pause;
        TestEnd {
            answer,
            lease: self.lease.clone(),
            settlement: Settlement {
                message: None,
                // A successful test closes the breaker. A failed one proves nothing about customers'
                // messages, and must not lengthen their pauses.
                lane: match call {
                    CallEnd::Accepted(_) => LaneChange::Ready { pause },
                    CallEnd::NotAccepted | CallEnd::Unknown => LaneChange::Unchanged { pause },
                },
                attempt: None,
                called: false,
                call: Some(call),
                account_fingerprint: None,
            },
        }
    }
}

/// The account does not work, or its state is unknown.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No dealer has that number, or it is not active.
    #[error("the dealer is not known or not active")]
    UnknownDealer,
    /// The dealer's key or address cannot be used.
    #[error("the dealer's account cannot be used")]
    NoAccount(#[source] AccountError),
    /// The provider refused, or could not be reached; a sentence for a person.
    #[error("the provider did not confirm: {reason}")]
    Failed {
        /// The provider's text, or the error.
        reason: String,
    },
    /// The lane is busy; ask again for up to [`TEST_WAIT`].
    #[error("the dealer's lane is busy")]
    LaneBusy,
    /// The recipient opted out of the dealer's messages.
    #[error("the recipient opted out")]
    RecipientOptedOut,
    /// The store could not answer.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl DealerCheck {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            whatsapp: ports.whatsapp.clone(),
            opt_outs: ports.opt_outs.clone(),
            outbox: ports.outbox.clone(),
            book: ports.accounts.clone(),
            clock: ports.clock.clone(),
            dice: ports.dice.clone(),
            accounts: policies.accounts.clone(),
            policy: policies.delivery.clone(),
            worker: policies.worker,
        }
    }

    /// Reads the device's profile from the provider, and stores it; sends no message.
    ///
    /// # Errors
    /// [`CheckError`], never [`LaneBusy`](CheckError::LaneBusy).
    pub async fn device(&self, dealer: &DealerId) -> Result<CheckPassed, CheckError> {
        let (_, account) = self.account(dealer).await?;
        let report = self.whatsapp.device(&account).await;
        if let Some(profile) = report.profile() {
            let again = profile_again(self.dice.roll());
            // Storing is best effort.
            let _ = self.book.keep_profile(dealer, &profile, again).await;
        }
        match report {
            DeviceReport::Connected { text, profile } => Ok(CheckPassed { text, profile }),
            DeviceReport::NotReady { reason, .. } | DeviceReport::Unreachable { reason } => {
                Err(CheckError::Failed { reason })
            }
        }
    }

    /// Reads the standing of a dealer's account from the provider; sends no message.
    ///
    /// # Errors
    /// [`AccountError`] when the account cannot be used; the provider is not asked then.
    pub async fn standing(&self, dealer: &Dealer) -> Result<AccountStanding, AccountError> {
        let account = dealer.account(&self.accounts)?;
        let report = self.whatsapp.device(&account).await;
        let today = jakarta_time(self.clock.now()).date();
        let low_quota = dealer.settings.low_quota();
        Ok(AccountStanding::of(report, low_quota, today))
    }

    /// Leases the dealer's lane for one real test message, even with an open breaker: that is how an operator
    /// tries the account. The call is now recorded: make it, and settle its result.
    ///
    /// # Errors
    /// [`CheckError`], never [`Failed`](CheckError::Failed).
    pub async fn begin_test(
        &self,
        dealer: &DealerId,
        target: Phone,
    ) -> Result<TestCall, CheckError> {
        let (dealer, account) = self.account(dealer).await?;
        if self.opt_outs.is_opted_out(&dealer.id, &target).await? {
            return Err(CheckError::RecipientOptedOut);
        }
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let lease = self
            .outbox
            .begin_call(&dealer.id, self.worker, self.policy.lease)
            .await?
            .ok_or(CheckError::LaneBusy)?;
        let body = format!(
            "Pesan uji dari {}: koneksi WhatsApp berfungsi.",
            dealer.name
        );
        let policy = self.policy.with(&dealer.settings);
        Ok(TestCall {
            lease,
            account,
            message: OutgoingMessage { target, body },
            start_by: lease_ends
                .checked_sub(self.policy.send_timeout)
                .unwrap_or(lease_ends),
            pause: policy.pace(self.dice.roll()),
        })
    }

    /// Makes the call.
    pub async fn call(&self, test: &TestCall) -> TestEnd {
        let (dealer, target) = (&test.lease.dealer_id, &test.message.target);
        // As late as possible: an opt-out holds from the moment it is stored.
        match self.opt_outs.is_opted_out(dealer, target).await {
            Ok(false) => {}
            Ok(true) => return test.end(Err(CheckError::RecipientOptedOut), CallEnd::NotAccepted),
            Err(error) => return test.end(Err(error.into()), CallEnd::NotAccepted),
        }
        let report = self
            .whatsapp
            .send(&test.account, &test.message, test.start_by)
            .await;
        let answer = match &report.outcome {
            Outcome::Accepted(receipt) => Ok(CheckPassed {
                text: report.text,
                profile: AccountProfile {
                    quota_left: receipt.quota_left,
                    ..AccountProfile::default()
                },
            }),
            other => Err(CheckError::Failed {
                reason: other.detail().to_owned(),
            }),
        };
        test.end(answer, (&report.outcome).into())
    }

    /// The result of a test whose call was aborted by a shutdown.
    #[must_use]
    pub fn abandoned(&self, test: &TestCall) -> TestEnd {
        let reason = "the service stopped before the provider answered".to_owned();
        test.end(Err(CheckError::Failed { reason }), CallEnd::Unknown)
    }

    /// Settles a test. Repeat it until it succeeds: otherwise the lane is held until its lease ends, and the
    /// call is never accounted for.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn settle(
        &self,
        lease: &Lease,
        settlement: &Settlement,
    ) -> Result<Settled, StoreError> {
        self.outbox.settle(lease, settlement).await
    }

    async fn account(&self, id: &DealerId) -> Result<(Dealer, Account), CheckError> {
        let dealer = self
            .dealers
            .find(id)
            .await?
            .filter(|dealer| dealer.active)
            .ok_or(CheckError::UnknownDealer)?;
        let account = dealer
            .account(&self.accounts)
            .map_err(CheckError::NoAccount)?;
        Ok((dealer, account))
    }
}
