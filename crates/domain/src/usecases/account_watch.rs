use std::sync::Arc;
use std::time::Duration;

use super::{Policies, Ports};
use crate::delivery::profile_again;
use crate::ports::{AccountBook, AccountProfile, DealerDirectory, Dice, StoreError, Whatsapp};
use crate::values::{AccountPolicy, DealerId};

/// Only dealers that sent something within this time have their profile read (chosen).
const ACTIVE: Duration = Duration::from_secs(24 * 3_600);

/// Lease of a dealer whose profile is being read; then it is due again (chosen).
const LEASE: Duration = Duration::from_secs(600);

/// Back-off of an account without a usable answer (chosen).
const UNANSWERED: Duration = Duration::from_secs(3_600);

/// Reads the profiles of accounts in use once a day: accepted messages tell the quota left, but only the
/// profile tells when a package ends.
pub struct AccountWatch {
    book: Arc<dyn AccountBook>,
    dealers: Arc<dyn DealerDirectory>,
    whatsapp: Arc<dyn Whatsapp>,
    dice: Arc<dyn Dice>,
    accounts: AccountPolicy,
}

impl AccountWatch {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            book: ports.accounts.clone(),
            dealers: ports.dealers.clone(),
            whatsapp: ports.whatsapp.clone(),
            dice: ports.dice.clone(),
            accounts: policies.accounts.clone(),
        }
    }

    /// Leases at most `limit` dealers whose profile is due, each to one copy only; [ask](Self::ask) for each.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn take_due(&self, limit: usize) -> Result<Vec<DealerId>, StoreError> {
        self.book.take_due(limit, ACTIVE, LEASE).await
    }

    /// Reads a dealer's profile, stores and returns it; `None` without a usable account or answer.
    ///
    /// # Errors
    /// [`StoreError`]; the dealer is due again after its lease.
    pub async fn ask(&self, dealer: &DealerId) -> Result<Option<AccountProfile>, StoreError> {
        let found = self.dealers.find(dealer).await?;
        let account = found.and_then(|dealer| dealer.account(&self.accounts).ok());
        let (profile, again) = match account {
            None => (None, profile_again(self.dice.roll())),
            Some(account) => match self.whatsapp.device(&account).await.profile() {
                Some(profile) => (Some(profile), profile_again(self.dice.roll())),
                None => (None, UNANSWERED),
            },
        };
        let kept = profile.unwrap_or_default();
        self.book.keep_profile(dealer, &kept, again).await?;
        Ok(profile)
    }
}
