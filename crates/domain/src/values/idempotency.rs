use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How long a key is valid (documented in the API).
pub const KEY_LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// An idempotency key of one dealer: 1 to 255 visible ASCII characters. A submission repeated under its key
/// gets the first answer again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The text is not 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 255 visible ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The most characters.
    pub const MAX: usize = 255;

    /// Parses a key.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`] when it is empty, too long, or has other characters.
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        let visible = raw.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=Self::MAX).contains(&raw.len()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fingerprint of a body: a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyFingerprint([u8; 32]);

impl BodyFingerprint {
    /// The fingerprint of a body in its canonical form.
    #[must_use]
    pub fn of(canonical: &str) -> Self {
        Self(Sha256::digest(canonical).into())
    }

    /// The digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for BodyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyFingerprint({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The idempotency of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's key.
    pub key: IdempotencyKey,
    /// The fingerprint of the body.
    pub body: BodyFingerprint,
    /// What the same says in another form, where there is one: a row of a table is stored under the print of
    /// its values, a single submission under that of its JSON, and each may be repeated as the other.
    pub alike: Option<BodyFingerprint>,
}

impl Once {
    /// Whether what was stored under this print is the same.
    #[must_use]
    pub fn is_of(&self, stored: &BodyFingerprint) -> bool {
        self.body == *stored || self.alike.as_ref() == Some(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        for key in [
            "1",
            "4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e",
            "!~",
            &"k".repeat(255),
        ] {
            assert_eq!(IdempotencyKey::parse(key).unwrap().as_str(), key);
        }
        for key in ["", " ", "a b", "a\t", "é", "\u{7f}", &"k".repeat(256)] {
            assert_eq!(
                IdempotencyKey::parse(key),
                Err(IdempotencyKeyError),
                "{key:?}"
            );
        }
    }

    #[test]
    fn prints_differ_where_bodies_do() {
        assert_eq!(BodyFingerprint::of("{}"), BodyFingerprint::of("{}"));
        assert_ne!(BodyFingerprint::of("{}"), BodyFingerprint::of("[]"));
    }
}
