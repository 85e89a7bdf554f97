use std::fmt;

use sha2::{Digest, Sha256};

/// The unguessable part of a dealer's webhook addresses: 16 to 128 characters of base64url. It is a
/// credential for reports about that dealer; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebhookToken(String);

/// The text is not 16 to 128 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 16 to 128 characters of base64url")]
pub struct WebhookTokenError;

impl WebhookToken {
    /// Parses a token.
    ///
    /// # Errors
    /// [`WebhookTokenError`] when it is too short, too long, or has other characters.
    pub fn parse(raw: &str) -> Result<Self, WebhookTokenError> {
        let fits = raw
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits && (16..=128).contains(&raw.len()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(WebhookTokenError)
        }
    }

    /// The token, for building the address only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 by which the token is looked up, so that the time taken reveals nothing of the token.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Self::fingerprint_of(&self.0)
    }

    /// The fingerprint of a token that is about to be stored.
    #[must_use]
    pub fn fingerprint_of(token: &str) -> [u8; 32] {
        Sha256::digest(token).into()
    }
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_16_to_128_characters_of_base64url() {
        for token in ["0123456789abcdef", "A-_zA-_zA-_zA-_z", &"k".repeat(128)] {
            assert_eq!(WebhookToken::parse(token).unwrap().as_str(), token);
        }
        for token in [
            "",
            "0123456789abcde",
            "0123456789abcde=",
            "0123456789abcde/",
            "0123456789abcdeé",
            "0123456789abcd\u{0}e",
            &"k".repeat(129),
        ] {
            assert_eq!(WebhookToken::parse(token), Err(WebhookTokenError));
        }
    }

    #[test]
    fn a_token_prints_without_itself() {
        let token = WebhookToken::parse("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "WebhookToken(…)");
    }
}
