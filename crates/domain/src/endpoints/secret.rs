use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

/// What the text of a secret begins with, as Standard Webhooks says.
pub const ENDPOINT_SECRET_PREFIX: &str = "whsec_";

/// The length in bytes (chosen; Standard Webhooks asks for 24 to 64).
const LENGTH: usize = 32;

/// The secret with which events to one endpoint are signed. `Debug` hides it.
pub struct EndpointSecret(SecretBox<[u8; LENGTH]>);

/// The text is no secret of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret of an endpoint")]
pub struct EndpointSecretError;

impl EndpointSecret {
    /// A secret of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; LENGTH]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Parses the text of a secret.
    ///
    /// # Errors
    /// [`EndpointSecretError`]
    pub fn parse(raw: &str) -> Result<Self, EndpointSecretError> {
        let bytes = raw.strip_prefix(ENDPOINT_SECRET_PREFIX);
        let bytes = bytes.and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::new).ok_or(EndpointSecretError)
    }

    /// The text, shown to the owner once: `whsec_` and the bytes in base64.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        let bytes = STANDARD.encode(self.0.expose_secret());
        format!("{ENDPOINT_SECRET_PREFIX}{bytes}").into()
    }

    /// The key to sign with.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl Clone for EndpointSecret {
    fn clone(&self) -> Self {
        Self::new(*self.0.expose_secret())
    }
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_not_printed() {
        let secret = EndpointSecret::new([7; LENGTH]);
        let text = secret.reveal();
        let text = text.expose_secret();
        assert_eq!(text, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(EndpointSecret::parse(text).unwrap().key(), [7; LENGTH]);
        assert_eq!(format!("{secret:?}"), "EndpointSecret(…)");
        for raw in [
            "",
            "whsec_",
            "BwcHBw==",
            "whsec_BwcH",
            &text.replace('B', " "),
        ] {
            assert_eq!(EndpointSecret::parse(raw).unwrap_err(), EndpointSecretError);
        }
    }
}
