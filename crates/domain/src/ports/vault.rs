use secrecy::SecretString;

use crate::values::DealerId;

/// How a sealed value begins; a value that does not is plain.
pub const SEALED: &str = "sealed:";

/// What a secret is for. A value that was sealed for one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPurpose {
    /// The key of a dealer's account at the provider.
    ApiKey,
    /// What the provider's reports about the dealer must carry.
    WebhookSecret,
    /// The unguessable part of the addresses for those reports.
    WebhookToken,
}

impl SecretPurpose {
    /// The name under which it is sealed, and that people know it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "fonnte_api_key",
            Self::WebhookSecret => "webhook_secret",
            Self::WebhookToken => "webhook_token",
        }
    }
}

/// Why a secret was not sealed or opened. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no key to seal with.
    #[error("there is no key to seal with")]
    NoKey,
    /// None of the keys is the one it was sealed with.
    #[error("it was sealed with a key that SECRETS_KEY does not have")]
    UnknownKey,
    /// It is no sealed value, was altered, or was sealed for another dealer or purpose.
    #[error("it is damaged, or was sealed for another dealer or purpose")]
    Damaged,
    /// The machine gave no randomness.
    #[error("the machine gives no random numbers")]
    NoRandomness,
}

/// Seals secrets, so that who reads the database has none of them. What is sealed for one dealer
/// and purpose opens for no other.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Vault: Send + Sync {
    /// Whether there is a key to seal with.
    fn can_seal(&self) -> bool;

    /// Seals a secret with the first key; the text begins with [`SEALED`].
    fn seal(
        &self,
        dealer: &DealerId,
        purpose: SecretPurpose,
        secret: &SecretString,
    ) -> Result<String, VaultError>;

    /// Opens what any of the keys has sealed.
    fn open(
        &self,
        dealer: &DealerId,
        purpose: SecretPurpose,
        sealed: &str,
    ) -> Result<SecretString, VaultError>;

    /// Whether a value was sealed with the first key.
    fn is_current(&self, sealed: &str) -> bool;
}
