use std::fmt;

use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest, Sha256};

/// Bytes of a token; two hexadecimal digits each.
const TOKEN: usize = 32;

/// What the browser of somebody who logged in holds. Prints without its secret.
#[derive(Debug)]
pub struct SessionToken(SecretBox<[u8; TOKEN]>);

/// The text is no token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session")]
pub struct SessionTokenError;

impl SessionToken {
    /// A token of bytes that nobody can guess.
    #[must_use]
    pub fn new(bytes: [u8; TOKEN]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`SessionTokenError`] for anything that [`reveal`](Self::reveal) does not write.
    pub fn parse(raw: &str) -> Result<Self, SessionTokenError> {
        let mut bytes = [0; TOKEN];
        let is_lower = !raw.bytes().any(|byte| byte.is_ascii_uppercase());
        match is_lower && hex::decode_to_slice(raw, &mut bytes).is_ok() {
            true => Ok(Self::new(bytes)),
            false => Err(SessionTokenError),
        }
    }

    /// The whole token, for its holder.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        hex::encode(self.0.expose_secret()).into()
    }

    /// What is kept of it.
    #[must_use]
    pub fn print(&self) -> SessionPrint {
        let mut digest = Sha256::new();
        digest.update(b"customer-service session print");
        digest.update(self.0.expose_secret());
        SessionPrint(digest.finalize().into())
    }
}

/// Finds a session without keeping its token: a SHA-256. It may be looked up and compared in any time, because
/// whoever could choose its bits would have to find the token behind them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionPrint(pub [u8; 32]);

impl fmt::Debug for SessionPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionPrint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(bytes: [u8; TOKEN]) {
            let token = SessionToken::new(bytes);
            let read = SessionToken::parse(token.reveal().expose_secret()).unwrap();
            prop_assert_eq!(read.print(), token.print());
        }

        #[test]
        fn garbage_is_no_token(garbage in "[0-9a-fA-F]{60,66}|\\PC{0,70}") {
            let is_token = garbage.len() == 64
                && garbage.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            prop_assert_eq!(SessionToken::parse(&garbage).is_ok(), is_token);
        }
    }

    #[test]
    fn a_token_never_prints_its_secret() {
        let token = SessionToken::new([0x5c; TOKEN]);
        let printed = format!("{token:?} {:?}", token.print());
        assert!(
            !printed.contains("5c") && !printed.contains("92"),
            "{printed}"
        );
    }
}
