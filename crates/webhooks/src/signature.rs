//! Signatures as the Standard Webhooks specification says, version 1: HMAC-SHA256.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// The prefix of a secret in its written form; the rest is base64.
const PREFIX: &str = "whsec_";

/// The header `webhook-signature` of an attempt; `None` where the secret is not base64. `timestamp` is in
/// seconds since 1970.
pub(crate) fn signature(
    secret: &SecretString,
    webhook_id: &str,
    timestamp: i64,
    body: &str,
) -> Option<String> {
    let secret = secret.expose_secret();
    let secret = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let key = BASE64_STANDARD.decode(secret).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut signed = hmac::Context::with_key(&key);
    signed.update(format!("{webhook_id}.{timestamp}.").as_bytes());
    signed.update(body.as_bytes());
    let signature = BASE64_STANDARD.encode(signed.sign());
    Some(format!("v1,{signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example that the specification's own libraries are tested with.
    #[test]
    fn the_example_of_the_specification_is_signed_alike() {
        let signed = signature(
            &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.as_deref(), Some(expected));
    }

    #[test]
    fn a_secret_may_lack_its_prefix() {
        let signed = |secret: &str| signature(&secret.into(), "id", 1, "{}");
        assert_eq!(
            signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            signed("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        );
        assert_eq!(signed("whsec_no base64!"), None);
    }

    proptest! {
        /// The specification's own library for Rust makes the same signature.
        #[test]
        fn the_specifications_library_signs_alike(
            key in prop::collection::vec(any::<u8>(), 24..65),
            id in "[A-Za-z0-9_-]{1,64}",
            timestamp in 0..4_000_000_000_i64,
            body in "\\PC{0,300}",
        ) {
            let secret = format!("whsec_{}", BASE64_STANDARD.encode(&key));
            let other = standardwebhooks::Webhook::new(&secret).unwrap();
            let expected = other.sign(&id, timestamp, body.as_bytes()).unwrap();
            prop_assert_eq!(signature(&secret.into(), &id, timestamp, &body), Some(expected));
        }
    }
}
