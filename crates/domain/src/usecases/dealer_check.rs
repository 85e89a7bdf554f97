use std::sync::Arc;
use std::time::Duration;

use crate::{
    Account, AccountError, AccountPolicy, AccountStanding, Clock, Dealer, DealerDirectory,
    DealerId, DeliveryPolicy, DeviceReport, Dice, LaneChange, Outbox, Outcome, OutgoingMessage,
    Phone, Settlement, StoreError, Whatsapp, WorkerId, jakarta_time,
};

/// How long a test message waits for its turn in the dealer's lane.
pub const TEST_WAIT: Duration = Duration::from_secs(10);

/// Checks whether a dealer's account can send.
pub struct DealerCheck {
    dealers: Arc<dyn DealerDirectory>,
    whatsapp: Arc<dyn Whatsapp>,
    outbox: Arc<dyn Outbox>,
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
}

/// The account does not work, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No dealer has that number, or it is not active.
    #[error("the dealer is not known or not active")]
    UnknownDealer,
    /// The dealer's key or address cannot be used.
    #[error("the dealer's account cannot be used")]
    NoAccount(#[source] AccountError),
    /// The provider said no, or could not be reached; a sentence for a person.
    #[error("the provider did not confirm: {reason}")]
    Failed {
        /// What the provider said or what went wrong.
        reason: String,
    },
    /// The lane is in use; ask again for up to [`TEST_WAIT`].
    #[error("the dealer's lane is busy")]
    LaneBusy,
    /// The store could not answer.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl DealerCheck {
    /// A use case over these ports; `worker` is this copy of the service.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a port or a policy of its own"
    )]
    pub fn new(
        dealers: Arc<dyn DealerDirectory>,
        whatsapp: Arc<dyn Whatsapp>,
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
        accounts: AccountPolicy,
        policy: DeliveryPolicy,
        worker: WorkerId,
    ) -> Self {
        Self {
            dealers,
            whatsapp,
            outbox,
            clock,
            dice,
            accounts,
            policy,
            worker,
        }
    }

    /// Asks the provider for the device's profile; sends no message.
    ///
    /// # Errors
    /// [`CheckError`], never [`LaneBusy`](CheckError::LaneBusy).
    pub async fn device(&self, dealer: &DealerId) -> Result<CheckPassed, CheckError> {
        let (_, account) = self.account(dealer).await?;
        match self.whatsapp.device(&account).await {
            DeviceReport::Connected { text, .. } => Ok(CheckPassed { text }),
            DeviceReport::NotReady { reason } | DeviceReport::Unreachable { reason } => {
                Err(CheckError::Failed { reason })
            }
        }
    }

    /// Asks the provider how a dealer's account stands; sends no message.
    ///
    /// # Errors
    /// [`AccountError`] when the account cannot be used; nobody is asked then.
    pub async fn standing(&self, dealer: &Dealer) -> Result<AccountStanding, AccountError> {
        let account = dealer.account(&self.accounts)?;
        let report = self.whatsapp.device(&account).await;
        let today = jakarta_time(self.clock.now()).date();
        Ok(AccountStanding::of(report, today))
    }

    /// Sends one real test message, in the dealer's lane, whatever its breaker says: this is how
    /// an operator finds out whether the account works again.
    ///
    /// # Errors
    /// [`CheckError`]
    pub async fn send_test(
        &self,
        dealer: &DealerId,
        target: Phone,
    ) -> Result<CheckPassed, CheckError> {
        let (dealer, account) = self.account(dealer).await?;
        let lease_ends = self.clock.monotonic() + self.policy.lease;
        let (lease, _) = self
            .outbox
            .lease_lane(&dealer.id, self.worker, self.policy.lease)
            .await?
            .ok_or(CheckError::LaneBusy)?;
        let message = OutgoingMessage {
            target,
            body: format!(
                "Pesan uji dari {}: koneksi WhatsApp berfungsi.",
                dealer.name
            ),
        };
        let start_by = lease_ends
            .checked_sub(self.policy.send_timeout)
            .unwrap_or(lease_ends);
        let report = self.whatsapp.send(&account, &message, start_by).await;
        let accepted_id = match &report.outcome {
            Outcome::Accepted(receipt) => receipt.message_id.clone(),
            _ => None,
        };
        let result = match &report.outcome {
            Outcome::Accepted(_) => Ok(CheckPassed { text: report.text }),
            other => Err(CheckError::Failed {
                reason: other.detail().to_owned(),
            }),
        };
        let policy = self.policy.with(&dealer.settings);
        let pause = policy.pace(self.dice.roll());
        let settlement = Settlement {
            message: None,
            // A test that goes well closes the breaker; one that does not proves nothing about the
            // customers' messages, whose pauses it must not lengthen.
            lane: match report.outcome {
                Outcome::Accepted(_) => LaneChange::Ready { pause },
                _ => LaneChange::Unchanged { pause },
            },
            attempt: None,
            called: true,
            accepted_id,
            account_print: None,
        };
        // The answer to the operator does not depend on this: an unsettled lane frees itself when
        // its lease is over.
        let _ = self.outbox.settle(&lease, &settlement).await;
        result
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
