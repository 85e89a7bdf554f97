#![doc = include_str!("../README.md")]

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The header with the id of the event: the same at every endpoint and attempt.
pub const ID_HEADER: &str = "webhook-id";

/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far the time of an attempt may be from the receiver's clock, in seconds (the specification's choice).
pub const TOLERANCE_SECONDS: i64 = 5 * 60;

/// The least and the most bytes of a secret (the specification's).
pub const SECRET_BYTES: (usize, usize) = (24, 64);

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";

/// The text is not `whsec_` and 24 to 64 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not whsec_ and 24 to 64 bytes in base64")]
pub struct NotASecret;

/// Why a call is not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// A header is absent or not readable.
    #[error("the header {0} is absent or not readable")]
    Header(&'static str),
    /// The attempt is older, or newer, than 5 minutes: it may be a call that somebody repeats.
    #[error("the time of the call is more than 5 minutes from this clock")]
    Time,
    /// No signature is that of this body under this secret.
    #[error("no signature fits")]
    Signature,
}

/// The headers of a call that tell about its signature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// [`ID_HEADER`].
    pub id: Option<&'a str>,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: Option<&'a str>,
    /// [`SIGNATURE_HEADER`].
    pub signatures: Option<&'a str>,
}

/// The secret of an endpoint.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Parses `whsec_` and base64.
    ///
    /// # Errors
    /// [`NotASecret`].
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let text = text.trim().strip_prefix(PREFIX).ok_or(NotASecret)?;
        let bytes = STANDARD.decode(text).map_err(|_| NotASecret)?;
        Self::from_bytes(&bytes)
    }

    /// The secret of these bytes.
    ///
    /// # Errors
    /// [`NotASecret`] when they are fewer than 24 or more than 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotASecret> {
        let (least, most) = SECRET_BYTES;
        if !(least..=most).contains(&bytes.len()) {
            return Err(NotASecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The signature of a call: the value of [`SIGNATURE_HEADER`]. `id` must not contain a full stop.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let tag = hmac::sign(&self.0, &signed(id, timestamp, body));
        format!("{VERSION},{}", STANDARD.encode(tag))
    }

    /// Checks a call; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Unverified`]: then nothing of the body can be believed.
    pub fn verify(&self, headers: &Headers<'_>, body: &[u8], now: i64) -> Result<(), Unverified> {
        let id = headers.id.filter(|id| !id.is_empty());
        let id = id.ok_or(Unverified::Header(ID_HEADER))?;
        let timestamp = headers.timestamp.and_then(|text| text.parse().ok());
        let timestamp: i64 = timestamp.ok_or(Unverified::Header(TIMESTAMP_HEADER))?;
        let signatures = headers
            .signatures
            .ok_or(Unverified::Header(SIGNATURE_HEADER))?;
        if now.abs_diff(timestamp) > TOLERANCE_SECONDS.unsigned_abs() {
            return Err(Unverified::Time);
        }
        let signed = signed(id, timestamp, body);
        let right = |signature: &str| {
            let tag = signature.strip_prefix(VERSION)?.strip_prefix(',')?;
            let tag = STANDARD.decode(tag).ok()?;
            hmac::verify(&self.0, &signed, &tag).ok()
        };
        match signatures.split(' ').find_map(right) {
            Some(()) => Ok(()),
            None => Err(Unverified::Signature),
        }
    }
}

/// How a secret of these bytes is written.
#[must_use]
pub fn written(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// What is signed.
fn signed(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    signed
}

#[cfg(test)]
mod tests;
