//! Encryption of secrets at rest.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::ports::{SEALED, SecretPurpose, Vault, VaultError};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

/// The version of the sealed form, after [`SEALED`].
const VERSION: &str = "v1:";

/// How many bytes a key has.
const KEY_BYTES: usize = 32;

/// Bytes of a key's digest that make its id. Of two keys with the same id both are tried.
const ID_BYTES: usize = 4;

/// How many random bytes a webhook token has.
const TOKEN_BYTES: usize = 32;

/// The keys of `SECRETS_KEY`: the first seals, all open. `Debug` prints only their number.
///
/// ChaCha20-Poly1305 with a random nonce; holder and purpose are authenticated, so that a value opens for no
/// other. A key may seal 2^32 values (limit of random nonces), far more than dealers have secrets.
pub struct SecretsKeys(Vec<Key>);

impl std::fmt::Debug for SecretsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretsKeys({})", self.0.len())
    }
}

struct Key {
    id: String,
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

/// Why a list of keys is refused. Holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsKeysError {
    /// One is not 32 bytes in base64.
    #[error("key number {0} is not 32 bytes in base64; `openssl rand -base64 32` makes one")]
    NotAKey(usize),
    /// A key is listed twice.
    #[error("key number {0} stands there twice")]
    Twice(usize),
}

impl SecretsKeys {
    /// No keys: nothing can be sealed or opened.
    #[must_use]
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a comma-separated list of base64 keys, with or without padding, in either alphabet.
    ///
    /// # Errors
    /// [`SecretsKeysError`] for the first invalid key.
    pub fn parse(list: &str) -> Result<Self, SecretsKeysError> {
        let mut seen = HashSet::new();
        let mut keys = Vec::new();
        for (n, encoded) in list.split(',').enumerate() {
            let key = Key::parse(encoded).ok_or(SecretsKeysError::NotAKey(n + 1))?;
            if !seen.insert(key.id.clone()) {
                return Err(SecretsKeysError::Twice(n + 1));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// Keys for the prints of phones, one of each key and in their order; none of them tells its own.
    pub(crate) fn print_keys(&self) -> Vec<Vec<u8>> {
        let derived = |key: &Key| {
            let mut named = b"customer-service phone print\0".to_vec();
            named.extend(key.bytes.expose_secret());
            digest(&SHA256, &named).as_ref().to_vec()
        };
        self.0.iter().map(derived).collect()
    }
}

impl Key {
    fn parse(encoded: &str) -> Option<Self> {
        let plain = encoded.trim().trim_end_matches('=');
        let plain = plain.replace('+', "-").replace('/', "_");
        let decoded = SecretBox::new(Box::new(URL_SAFE_NO_PAD.decode(plain).ok()?));
        let bytes: [u8; KEY_BYTES] = decoded.expose_secret().as_slice().try_into().ok()?;
        let mut named = b"customer-service key id\0".to_vec();
        named.extend(bytes);
        let id = digest(&SHA256, &named).as_ref()[..ID_BYTES].iter().fold(
            String::new(),
            |mut id, byte| {
                let _ = write!(id, "{byte:02x}");
                id
            },
        );
        Some(Self {
            id,
            bytes: SecretBox::new(Box::new(bytes)),
        })
    }

    /// Made anew for every use: ring does not wipe a key of its own form when that is dropped.
    fn cipher(&self) -> Option<LessSafeKey> {
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, self.bytes.expose_secret()).ok()?;
        Some(LessSafeKey::new(unbound))
    }
}

/// The authenticated data: holder and purpose, separated by NUL, which neither can hold.
fn belongs_to(holder: &str, purpose: SecretPurpose) -> Aad<Vec<u8>> {
    Aad::from(format!("customer-service\0{}\0{holder}", purpose.as_str()).into_bytes())
}

/// The key id of a sealed value, and the rest.
fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed
        .strip_prefix(SEALED)?
        .strip_prefix(VERSION)?
        .split_once(':')
}

impl Vault for SecretsKeys {
    fn can_seal(&self) -> bool {
        !self.0.is_empty()
    }

    fn seal(
        &self,
        holder: &str,
        purpose: SecretPurpose,
        secret: &SecretString,
    ) -> Result<String, VaultError> {
        let key = self.0.first().ok_or(VaultError::NoKey)?;
        let cipher = key.cipher().ok_or(VaultError::NoKey)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| VaultError::NoRandomness)?;
        let mut value = secret.expose_secret().as_bytes().to_vec();
        cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                belongs_to(holder, purpose),
                &mut value,
            )
            .map_err(|_| VaultError::NoKey)?;
        let bytes = [nonce.as_slice(), &value].concat();
        let encoded = STANDARD.encode(bytes);
        Ok(format!("{SEALED}{VERSION}{}:{encoded}", key.id))
    }

    fn open(
        &self,
        holder: &str,
        purpose: SecretPurpose,
        sealed: &str,
    ) -> Result<SecretString, VaultError> {
        let (id, encoded) = parts(sealed).ok_or(VaultError::Damaged)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| VaultError::Damaged)?;
        let (nonce, value) = bytes
            .split_at_checked(NONCE_LEN)
            .ok_or(VaultError::Damaged)?;
        let mut outcome = Err(VaultError::UnknownKey);
        for cipher in self.0.iter().filter(|key| key.id == id).map(Key::cipher) {
            outcome = Err(VaultError::Damaged);
            let (Some(cipher), Ok(nonce)) = (cipher, Nonce::try_assume_unique_for_key(nonce))
            else {
                continue;
            };
            let mut value = value.to_vec();
            let Ok(opened) = cipher.open_in_place(nonce, belongs_to(holder, purpose), &mut value)
            else {
                continue;
            };
            if let Ok(text) = std::str::from_utf8(opened) {
                outcome = Ok(SecretString::from(text));
                break;
            }
        }
        outcome
    }

    fn is_current(&self, sealed: &str) -> bool {
        let id = parts(sealed).map(|(id, _)| id);
        id.is_some() && id == self.0.first().map(|key| key.id.as_str())
    }
}

/// A new webhook token: 32 random bytes in base64url.
pub(crate) fn new_token() -> Result<SecretString, VaultError> {
    let mut bytes = [0; TOKEN_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| VaultError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 32 times the same byte, in base64.
    fn key(byte: u8) -> String {
        STANDARD.encode([byte; KEY_BYTES])
    }

    fn keys(list: &[u8]) -> SecretsKeys {
        let list: Vec<String> = list.iter().map(|byte| key(*byte)).collect();
        SecretsKeys::parse(&list.join(", ")).unwrap()
    }

    const PURPOSES: [SecretPurpose; 4] = SecretPurpose::ALL;

    #[test]
    fn keys_are_32_bytes_in_base64() {
        assert!(SecretsKeys::parse(&key(1)).is_ok());
        assert!(SecretsKeys::parse(&key(255).replace('/', "_").replace('=', "")).is_ok());
        for (list, error) in [
            ("", SecretsKeysError::NotAKey(1)),
            ("secret", SecretsKeysError::NotAKey(1)),
            (&STANDARD.encode([1; 31]), SecretsKeysError::NotAKey(1)),
            (&STANDARD.encode([1; 33]), SecretsKeysError::NotAKey(1)),
            (&format!("{},", key(1)), SecretsKeysError::NotAKey(2)),
            (
                &format!("{},{},{}", key(1), key(2), key(1)),
                SecretsKeysError::Twice(3),
            ),
        ] {
            assert_eq!(SecretsKeys::parse(list).unwrap_err(), error);
        }
    }

    #[test]
    fn keys_do_not_print_themselves() {
        assert_eq!(format!("{:?}", keys(&[1, 2])), "SecretsKeys(2)");
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (id, purpose) = ("0009999", SecretPurpose::ApiKey);
        let old = keys(&[1]);
        let sealed = old.seal(id, purpose, &"rahasia".into()).unwrap();
        let both = keys(&[2, 1]);
        let opened = both.open(id, purpose, &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "rahasia");
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        let again = both.seal(id, purpose, &opened).unwrap();
        assert!(both.is_current(&again) && keys(&[2]).open(id, purpose, &again).is_ok());
        let error = old.open(id, purpose, &again).unwrap_err();
        assert_eq!(error, VaultError::UnknownKey);
        assert_ne!(again, both.seal(id, purpose, &opened).unwrap());
    }

    #[test]
    fn without_a_key_nothing_is_sealed_or_opened() {
        let (id, purpose) = ("0009999", SecretPurpose::ApiKey);
        let none = SecretsKeys::none();
        assert!(!none.can_seal());
        let sealed = keys(&[1]).seal(id, purpose, &"rahasia".into()).unwrap();
        assert_eq!(
            none.seal(id, purpose, &"rahasia".into()),
            Err(VaultError::NoKey)
        );
        let error = none.open(id, purpose, &sealed).unwrap_err();
        assert_eq!(error, VaultError::UnknownKey);
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let token = new_token().unwrap();
        assert_eq!(token.expose_secret().len(), 43);
        assert_ne!(token.expose_secret(), new_token().unwrap().expose_secret());
    }

    proptest! {
        #[test]
        fn a_value_opens_for_its_own_dealer_purpose_and_key_alone(
            secret in "\\PC{0,255}", a in "[0-9a-z]{4,10}", b in "[0-9a-z]{4,10}",
            seals in 0..4_usize, opens in 0..4_usize, first in any::<u8>(), second in any::<u8>(),
        ) {
            let (seals, opens) = (PURPOSES[seals], PURPOSES[opens]);
            let sealed = keys(&[first]).seal(&a, seals, &secret.clone().into()).unwrap();
            prop_assert!(sealed.starts_with("sealed:v1:"));
            prop_assert!(secret.len() < 4 || !sealed.contains(&secret));
            let opened = keys(&[second]).open(&b, opens, &sealed);
            if (&a, seals, first) == (&b, opens, second) {
                let opened = opened.unwrap();
                prop_assert_eq!(opened.expose_secret(), secret.as_str());
            } else {
                prop_assert!(opened.is_err());
            }
        }

        #[test]
        fn an_altered_value_does_not_open(secret in "[!-~]{1,60}", at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let (id, purpose) = ("0009999", SecretPurpose::ApiKey);
            let keys = keys(&[7]);
            let sealed = keys.seal(id, purpose, &secret.into()).unwrap();
            let (head, encoded) = sealed.rsplit_once(':').unwrap();
            let mut bytes = STANDARD.decode(encoded).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let altered = format!("{head}:{}", STANDARD.encode(&bytes));
            prop_assert!(keys.open(id, purpose, &altered).is_err());
            bytes.truncate(at);
            let cut = format!("{head}:{}", STANDARD.encode(&bytes));
            prop_assert!(keys.open(id, purpose, &cut).is_err());
        }

        #[test]
        fn garbage_is_an_error(text in "\\PC*", id in "[0-9a-f]{8}", rest in "[A-Za-z0-9+/=:]{0,80}") {
            let keys = keys(&[7]);
            let (dealer, purpose) = ("0009999", SecretPurpose::ApiKey);
            let own = keys.0[0].id.clone();
            for value in [text.clone(), format!("sealed:{text}"), format!("sealed:v1:{id}:{rest}"),
                format!("sealed:v1:{own}:{rest}")] {
                prop_assert!(keys.open(dealer, purpose, &value).is_err());
                let _ = keys.is_current(&value);
            }
        }
    }
}
