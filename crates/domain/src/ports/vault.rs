use secrecy::SecretString;

/// The prefix of a sealed value; a value without it is plain.
pub const SEALED: &str = "sealed:";

named! {
    /// The purpose of a secret. A value sealed for one purpose opens for no other.
    pub enum SecretPurpose {
        /// The key of a dealer's account at the provider.
        ApiKey = "fonnte_api_key",
        /// The secret that the provider's reports about the dealer must carry.
        WebhookSecret = "webhook_secret",
        /// The unguessable part of the webhook addresses.
        WebhookToken = "webhook_token",
        /// The secret with which events to an endpoint are signed.
        EndpointSecret = "endpoint_secret",
    }
}

/// Why a secret could not be sealed or opened. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no key to seal with.
    #[error("there is no key to seal with")]
    NoKey,
    /// No key has the id of the one that sealed it.
    #[error("it was sealed with a key that SECRETS_KEY does not have")]
    UnknownKey,
    /// The value is malformed, altered, or sealed for another holder or purpose.
    #[error("it is damaged, or was sealed for another dealer, endpoint or purpose")]
    Damaged,
    /// The machine's random generator failed.
    #[error("the machine gives no random numbers")]
    NoRandomness,
}

/// Encrypts secrets at rest, so that the database alone reveals none. A value sealed for one holder (a dealer's
/// number, an endpoint's id) and purpose opens for no other.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Vault: Send + Sync {
    /// Whether there is a key to seal with.
    fn can_seal(&self) -> bool;

    /// Seals a secret with the first key; the text begins with [`SEALED`].
    fn seal(
        &self,
        holder: &str,
        purpose: SecretPurpose,
        secret: &SecretString,
    ) -> Result<String, VaultError>;

    /// Opens a value sealed by any of the keys.
    fn open(
        &self,
        holder: &str,
        purpose: SecretPurpose,
        sealed: &str,
    ) -> Result<SecretString, VaultError>;

    /// Whether a value was sealed with the first key.
    fn is_current(&self, sealed: &str) -> bool;
}
