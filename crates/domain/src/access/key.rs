use std::fmt;

use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::requests::Fault;
use crate::values::{holds_phone, is_blank, mask_phones};

/// The prefix of every key, by which secret scanners find leaked keys.
pub const API_KEY_PREFIX: &str = "csk_";

/// Bytes of an id, of a secret and of a checksum; each byte is two hexadecimal digits.
const ID: usize = 8;
const SECRET: usize = 32;
const CHECK: usize = 4;

/// Characters of a key: `csk_`, the id, `_`, the secret and its checksum.
const LENGTH: usize = API_KEY_PREFIX.len() + 2 * ID + 1 + 2 * (SECRET + CHECK);

/// The public part of a key: keys are found, listed, logged and revoked by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId([u8; ID]);

impl ApiKeyId {
    /// An id of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; ID]) -> Self {
        Self(bytes)
    }

    /// Reads 16 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`ApiKeyError`] for anything else.
    pub fn parse(raw: &str) -> Result<Self, ApiKeyError> {
        from_hex(raw.as_bytes()).map(Self).ok_or(ApiKeyError)
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyId({self})")
    }
}

/// A whole key: `csk_<id>_<secret and checksum>`, in lower-case hexadecimal. `Debug` hides its secret.
#[derive(Debug)]
pub struct ApiKey {
    id: ApiKeyId,
    secret: SecretBox<[u8; SECRET]>,
}

/// The text is neither a key nor a key's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct ApiKeyError;

impl ApiKey {
    /// A key with this secret, which must be random.
    #[must_use]
    pub fn new(id: ApiKeyId, secret: [u8; SECRET]) -> Self {
        let secret = SecretBox::new(Box::new(secret));
        Self { id, secret }
    }

    /// Reads a key. The checksum only spares a look-up for mistyped keys; it proves nothing.
    ///
    /// # Errors
    /// [`ApiKeyError`] for anything that [`reveal`](Self::reveal) does not write.
    pub fn parse(raw: &str) -> Result<Self, ApiKeyError> {
        let digits = raw
            .strip_prefix(API_KEY_PREFIX)
            .filter(|_| raw.len() == LENGTH)
            .ok_or(ApiKeyError)?
            .as_bytes();
        let (id, rest) = digits.split_at_checked(2 * ID).ok_or(ApiKeyError)?;
        let (secret, check) = rest
            .strip_prefix(b"_")
            .and_then(|rest| rest.split_at_checked(2 * SECRET))
            .ok_or(ApiKeyError)?;
        let id = from_hex(id).map(ApiKeyId).ok_or(ApiKeyError)?;
        let key = Self::new(id, from_hex(secret).ok_or(ApiKeyError)?);
        if from_hex(check) == Some(key.checksum()) {
            Ok(key)
        } else {
            Err(ApiKeyError)
        }
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The whole key, shown to its holder once.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        let secret = hex::encode(self.secret.expose_secret());
        let check = hex::encode(self.checksum());
        format!("{API_KEY_PREFIX}{}_{secret}{check}", self.id).into()
    }

    /// The fingerprint, which is what the store keeps.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint(self.digest(b"customer-service api key print"))
    }

    fn checksum(&self) -> [u8; CHECK] {
        let digest = self.digest(b"customer-service api key checksum");
        let mut check = [0; CHECK];
        check.copy_from_slice(&digest[..CHECK]);
        check
    }

    /// Each purpose has its own digest, so that the checksum reveals nothing of the fingerprint.
    fn digest(&self, purpose: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(purpose);
        digest.update(self.id.0);
        digest.update(self.secret.expose_secret());
        digest.finalize().into()
    }
}

/// The SHA-256 of a key, stored in its place. The secret has 256 random bits, so a slow hash, as for
/// passwords, would add nothing. Fingerprints are compared in constant time.
#[derive(Clone, Copy)]
pub struct KeyFingerprint([u8; 32]);

impl KeyFingerprint {
    /// A stored fingerprint.
    #[must_use]
    pub const fn stored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for KeyFingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyFingerprint {}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFingerprint(…)")
    }
}

/// The display name of a key: 1 to 100 characters, no control characters, not blank.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The most characters of a name.
    pub const MAX: usize = 100;

    /// Parses a name.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        match raw.chars().count() {
            0 => return Err(Fault::TooShort { min: 1 }),
            length if length > Self::MAX => return Err(Fault::TooLong { max: Self::MAX }),
            _ => {}
        }
        if raw.chars().any(char::is_control) {
            return Err(Fault::ControlCharacter);
        }
        if is_blank(raw) {
            return Err(Fault::Blank);
        }
        Ok(Self(raw.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyName {
    /// The name for logs and the audit, with phones masked.
    #[must_use]
    pub fn masked(&self) -> String {
        if holds_phone(&self.0) {
            mask_phones(&self.0)
        } else {
            self.0.clone()
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Exactly two lower-case digits for each byte.
fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !digits.iter().any(u8::is_ascii_uppercase);
    (is_lower && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: [u8; ID], secret: [u8; SECRET]) -> ApiKey {
        ApiKey::new(ApiKeyId::new(id), secret)
    }

    #[test]
    fn a_key_has_one_form_that_scanners_can_look_for() {
        let key = key([0xab; ID], [0x5c; SECRET]);
        let shown = key.reveal();
        let shown = shown.expose_secret();
        assert_eq!(shown.len(), LENGTH);
        assert!(shown.starts_with("csk_abababababababab_5c5c5c"), "{shown}");
        let digits = shown["csk_abababababababab_".len()..].chars();
        assert_eq!(digits.clone().count(), 72);
        assert!(digits.clone().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
    }

    #[test]
    fn a_key_never_prints_its_secret() {
        let key = key([1; ID], [0x5c; SECRET]);
        let printed = format!("{key:?} {:?}", key.fingerprint());
        assert!(
            !printed.contains("5c5c") && !printed.contains("92"),
            "{printed}"
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let shown = key([1; ID], [2; SECRET]).reveal();
        let shown = shown.expose_secret();
        let upper = shown.to_uppercase();
        let longer = format!("{shown}0");
        let wide = format!("csk_{}", "é".repeat(LENGTH / 2));
        for raw in [
            "",
            "csk_",
            &upper,
            &longer,
            &shown[1..],
            &shown[..LENGTH - 1],
            &wide,
        ] {
            assert!(ApiKey::parse(raw).is_err(), "{raw}");
        }
        assert!(ApiKeyId::parse("01").is_err());
        assert!(ApiKeyId::parse("ABABABABABABABAB").is_err());
    }

    #[test]
    fn names_are_short_lines() {
        assert_eq!(KeyName::parse("Bengkel 1").unwrap().as_str(), "Bengkel 1");
        assert_eq!(KeyName::parse(""), Err(Fault::TooShort { min: 1 }));
        assert_eq!(KeyName::parse(" \u{a0}\u{200b}"), Err(Fault::Blank));
        assert_eq!(KeyName::parse("a\nb"), Err(Fault::ControlCharacter));
        assert!(KeyName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(
            KeyName::parse(&"é".repeat(101)),
            Err(Fault::TooLong { max: 100 })
        );
    }

    #[test]
    fn logs_and_audit_name_a_key_without_a_phone() {
        let masked = |name| KeyName::parse(name).unwrap().masked();
        assert_eq!(
            masked("HP 0821-4852-3421 (Adit)"),
            "HP 0821-****-*421 (Adit)"
        );
        assert_eq!(masked("Laporan 20261130"), "Laporan 20261130");
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(id: [u8; ID], secret: [u8; SECRET]) {
            let made = key(id, secret);
            let read = ApiKey::parse(made.reveal().expose_secret()).unwrap();
            prop_assert_eq!(read.id(), made.id());
            prop_assert_eq!(read.fingerprint(), made.fingerprint());
            prop_assert_eq!(ApiKeyId::parse(&made.id().to_string()), Ok(made.id()));
        }

        #[test]
        fn one_wrong_digit_makes_it_no_key(id: [u8; ID], secret: [u8; SECRET], at in 0..LENGTH, to in "[ -~]") {
            let shown = key(id, secret).reveal();
            let mut wrong = shown.expose_secret().to_owned();
            prop_assume!(wrong[at..=at] != to);
            wrong.replace_range(at..=at, &to);
            prop_assert!(ApiKey::parse(&wrong).is_err());
        }

        #[test]
        fn garbage_is_never_a_key(garbage in "(csk_)?[0-9a-f]{0,20}_?\\PC{0,90}") {
            prop_assert!(ApiKey::parse(&garbage).is_err());
        }

        #[test]
        fn prints_differ_where_keys_do(id: [u8; ID], one: [u8; SECRET], other: [u8; SECRET]) {
            prop_assert_eq!(key(id, one).fingerprint() == key(id, other).fingerprint(), one == other);
        }
    }
}
