//! Dealers, as another service stores them.

use std::time::Duration;

use chrono::NaiveDateTime;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::delivery::OnUnknown;
use crate::ports::SecretPurpose;
use crate::template::Templates;
use crate::values::{Account, AccountError, AccountPolicy, DealerId, QuietHours};

/// A dealer's delivery settings. An absent one means the service's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealerSettings {
    /// The least time between two calls.
    pub min_interval: Option<Duration>,
    /// The longest random addition to it.
    pub jitter: Option<Duration>,
    /// The most calls for sending on one day of Asia/Jakarta.
    pub daily_limit: Option<u32>,
    /// Hours in which messages wait.
    pub quiet_hours: Option<QuietHours>,
    /// What to do with a message whose outcome is unknown.
    pub on_unknown: Option<OnUnknown>,
    /// Whether only this service sends through the device, so that a status event of an unknown message
    /// belongs to the message with the unknown outcome.
    pub exclusive_device: bool,
    /// The template of messages without a named one.
    pub default_template: Option<String>,
    /// Whether whoever opts out or in by a reply gets a confirmation; absent means yes.
    pub opt_out_reply: Option<bool>,
    /// Below how many messages left the account's quota is low; absent means [`LOW_QUOTA`](super::LOW_QUOTA).
    pub quota_low_at: Option<u32>,
}

impl DealerSettings {
    /// Whether whoever opts out or in by a reply gets a confirmation.
    #[must_use]
    pub fn confirms_opt_outs(&self) -> bool {
        self.opt_out_reply.unwrap_or(true)
    }

    /// Below how many messages left the account's quota is low.
    #[must_use]
    pub fn low_quota(&self) -> u64 {
        self.quota_low_at.map_or(super::LOW_QUOTA, u64::from)
    }
}

/// A dealer.
#[derive(Debug, Clone)]
pub struct Dealer {
    /// The dealer's number.
    pub id: DealerId,
    /// The dealer's name, as messages show it.
    pub name: String,
    /// Whether the dealer may use the service.
    pub active: bool,
    /// The key of the dealer's account at the provider, unchecked.
    pub api_key: Option<SecretString>,
    /// The address of the provider, unchecked; absent means the default one.
    pub api_url: Option<String>,
    /// The secret that the provider's reports about the dealer must carry, if any.
    pub webhook_secret: Option<SecretString>,
    /// Sealed secrets that cannot be opened. They are never replaced: without its key a dealer has no
    /// account.
    pub sealed_shut: Vec<SecretPurpose>,
    /// How the dealer wants its messages delivered.
    pub settings: DealerSettings,
    /// The templates of its messages, as they are in force.
    pub templates: Templates,
    /// Since when the dealer is known; local time as stored.
    pub created_at: Option<NaiveDateTime>,
    /// When the dealer was last changed; local time as stored.
    pub updated_at: Option<NaiveDateTime>,
}

impl Dealer {
    /// The dealer's account, checked.
    ///
    /// # Errors
    /// [`AccountError`] when the key or the address cannot be used.
    pub fn account(&self, policy: &AccountPolicy) -> Result<Account, AccountError> {
        if self.sealed_shut.contains(&SecretPurpose::ApiKey) {
            return Err(AccountError::SealedShut);
        }
        policy.account(self.api_key.as_ref(), self.api_url.as_deref())
    }

    /// The name of the default template, where no template of that name is in force: messages for which none
    /// is named are made from `validation` then.
    #[must_use]
    pub fn missing_default_template(&self) -> Option<&str> {
        let default = self.settings.default_template.as_deref()?;
        let found = self.templates.named(default);
        found.is_none().then_some(default)
    }

    /// Recognises the account without telling it: a digest of key and address. It changes when
    /// either does, and when the policy makes something else of them.
    #[must_use]
    pub fn account_fingerprint(&self, policy: &AccountPolicy) -> String {
        let key = self.api_key.as_ref().map_or("", |key| key.expose_secret());
        let mut digest = Sha256::new();
        digest.update(self.id.as_str());
        digest.update([0]);
        digest.update(key);
        digest.update([0]);
        digest.update(self.api_url.as_deref().unwrap_or_default());
        digest.update([0]);
        match self.account(policy) {
            Ok(account) => digest.update(account.address.send().as_str()),
            Err(error) => digest.update(error.to_string()),
        }
        hex::encode(&digest.finalize()[..8])
    }
}
