use std::sync::Arc;
use std::time::Duration;

use super::{Policies, Ports};
use crate::delivery::profile_again;
use crate::ports::{AccountBook, AccountProfile, DealerDirectory, Dice, StoreError, Whatsapp};
use crate::values::{AccountPolicy, DealerId};

/// Whose profile is asked for: a dealer that sent something within this time.
const ACTIVE: Duration = Duration::from_secs(24 * 3_600);

/// How long whoever took a dealer may take to ask; then it is due again.
const LEASE: Duration = Duration::from_secs(600);

/// How soon an account is asked for again whose provider gave no usable answer.
const UNANSWERED: Duration = Duration::from_secs(3_600);

/// Asks once a day for the profiles of accounts that are in use: accepted messages tell what is left of a
/// quota, but nothing else tells when a package ends.
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

    /// Takes at most `limit` dealers whose profile is due; [ask](Self::ask) for each. Of all copies one
    /// gets each dealer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn take_due(&self, limit: usize) -> Result<Vec<DealerId>, StoreError> {
        self.book.take_due(limit, ACTIVE, LEASE).await
    }

    /// Asks for a dealer's profile and keeps it. Returns it; `None` when there is no usable account, or
    /// no usable answer.
    ///
    /// # Errors
    /// [`StoreError`]; the dealer is due again when its lease is over.
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
