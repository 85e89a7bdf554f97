use proptest::prelude::*;
use standardwebhooks::Webhook;

use super::*;

// The vector of the specification's own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn secret() -> Secret {
    Secret::parse(SECRET).expect("a secret")
}

fn headers<'a>(timestamp: &'a str, signatures: &'a str) -> Headers<'a> {
    Headers {
        id: Some(ID),
        timestamp: Some(timestamp),
        signatures: Some(signatures),
    }
}

#[test]
fn the_vector_of_the_specification_is_signed_and_verified() {
    assert_eq!(secret().sign(ID, AT, BODY), SIGNATURE);
    let at = AT.to_string();
    assert_eq!(secret().verify(&headers(&at, SIGNATURE), BODY, AT), Ok(()));
}

#[test]
fn of_several_signatures_one_is_enough() {
    let at = AT.to_string();
    for several in [
        format!("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,xyz {SIGNATURE}"),
        format!(
            "{SIGNATURE} v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
        ),
    ] {
        assert_eq!(
            secret().verify(&headers(&at, &several), BODY, AT),
            Ok(()),
            "{several}"
        );
    }
}

#[test]
fn whatever_differs_is_refused() {
    let at = AT.to_string();
    let refused = |headers: Headers<'_>, body: &[u8], now| secret().verify(&headers, body, now);
    let right = headers(&at, SIGNATURE);
    assert_eq!(
        refused(right, br#"{"test": 2432232315}"#, AT),
        Err(Unverified::Signature)
    );
    let later = (AT + 1).to_string();
    assert_eq!(
        refused(headers(&later, SIGNATURE), BODY, AT),
        Err(Unverified::Signature)
    );
    let other = Headers {
        id: Some("msg_1"),
        ..right
    };
    assert_eq!(refused(other, BODY, AT), Err(Unverified::Signature));
    for unknown in [
        "",
        "v1",
        "v1,",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
    ] {
        let signed = headers(&at, unknown);
        assert_eq!(
            refused(signed, BODY, AT),
            Err(Unverified::Signature),
            "{unknown}"
        );
    }
}

#[test]
fn a_call_of_another_time_is_refused() {
    let at = AT.to_string();
    let right = headers(&at, SIGNATURE);
    for (away, wanted) in [
        (0, Ok(())),
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(Unverified::Time)),
        (-301, Err(Unverified::Time)),
        (i64::MAX - AT, Err(Unverified::Time)),
    ] {
        assert_eq!(secret().verify(&right, BODY, AT + away), wanted, "{away}");
    }
    assert_eq!(
        secret().verify(&right, BODY, i64::MIN),
        Err(Unverified::Time)
    );
}

#[test]
fn a_call_without_its_headers_is_refused() {
    let at = AT.to_string();
    let right = headers(&at, SIGNATURE);
    for (given, absent) in [
        (Headers { id: None, ..right }, ID_HEADER),
        (
            Headers {
                id: Some(""),
                ..right
            },
            ID_HEADER,
        ),
        (
            Headers {
                timestamp: None,
                ..right
            },
            TIMESTAMP_HEADER,
        ),
        (
            Headers {
                timestamp: Some("soon"),
                ..right
            },
            TIMESTAMP_HEADER,
        ),
        (
            Headers {
                timestamp: Some("1614265330.5"),
                ..right
            },
            TIMESTAMP_HEADER,
        ),
        (
            Headers {
                signatures: None,
                ..right
            },
            SIGNATURE_HEADER,
        ),
    ] {
        let wanted = Err(Unverified::Header(absent));
        assert_eq!(secret().verify(&given, BODY, AT), wanted, "{given:?}");
    }
}

#[test]
fn secrets_are_read_as_they_are_written_and_shown_nowhere() {
    for length in [24, 32, 64] {
        let bytes = vec![7; length];
        let read = Secret::parse(&written(&bytes)).expect("a secret");
        let again = Secret::from_bytes(&bytes).expect("a secret");
        assert_eq!(read.sign("a", 1, b""), again.sign("a", 1, b""));
        assert_eq!(format!("{read:?}"), "Secret(..)");
    }
    for wrong in [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La",
        &written(&[7; 65]),
    ] {
        assert_eq!(Secret::parse(wrong).err(), Some(NotASecret), "{wrong}");
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the independent library looks at the real clock"
)]
fn an_independent_library_verifies_what_is_signed() {
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time after 1970");
    let now = i64::try_from(now.as_secs()).expect("a time of this era");
    let mut headers = http::HeaderMap::new();
    headers.insert(ID_HEADER, ID.parse().expect("a header"));
    headers.insert(TIMESTAMP_HEADER, now.into());
    let signature = secret().sign(ID, now, BODY);
    headers.insert(SIGNATURE_HEADER, signature.parse().expect("a header"));
    let theirs = Webhook::new(SECRET).expect("their secret");
    assert!(theirs.verify(BODY, &headers).is_ok());
    assert!(theirs.verify(b"{}", &headers).is_err());
}

proptest! {
    #[test]
    fn an_independent_library_signs_the_same(
        bytes in prop::collection::vec(any::<u8>(), 24..=64),
        id in "[!-~&&[^.]]{1,40}",
        body in "\\PC{0,200}",
    ) {
        let ours = Secret::parse(&written(&bytes)).expect("a secret");
        let theirs = Webhook::new(&written(&bytes)).expect("their secret");
        prop_assert_eq!(
            ours.sign(&id, AT, body.as_bytes()),
            theirs.sign(&id, AT, body.as_bytes()).expect("signed")
        );
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(
        id in "\\PC{0,20}", timestamp in "\\PC{0,20}", signatures in "\\PC{0,80}", body in any::<Vec<u8>>(), now in any::<i64>(),
    ) {
        let headers = Headers { id: Some(&id), timestamp: Some(&timestamp), signatures: Some(&signatures) };
        prop_assert!(secret().verify(&headers, &body, now).is_err());
    }
}
