//! 2.1: a submission that is repeated under its `Idempotency-Key`.

use std::sync::Arc;

use domain::ports::{Accepted, MockRequestStore};
use serde_json::Value;

use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body, fields_with};

const HEADER: &str = "Idempotency-Key";

async fn submit(service: &Service, key: &str, body: impl Into<Vec<u8>>) -> Reply {
    service
        .send(Call::post(SUBMIT, body).header(HEADER, key))
        .await
}

#[tokio::test]
async fn the_same_key_and_body_get_the_same_answer() {
    let service = Service::start();
    let first = submit(&service, "a-key", body()).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = submit(&service, "a-key", body()).await;
    again.is(200, &first.body);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(service.world.store.request_count(), 1);
    assert_eq!(service.world.store.message_count(), 1);
    assert_eq!(service.world.bell.rings(), 1);
}

#[tokio::test]
async fn order_white_space_and_preference_may_differ() {
    let service = Service::start();
    let first = submit(&service, "a-key", body()).await;
    let Value::Object(fields) = serde_json::from_str(&body()).unwrap() else {
        panic!("an object")
    };
    let backwards: serde_json::Map<_, _> = fields.into_iter().rev().collect();
    let text = serde_json::to_string_pretty(&backwards).unwrap();
    let call = Call::post(SUBMIT, text)
        .header(HEADER, "a-key")
        .header("Prefer", "return=representation");
    let again = service.send(call).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(
        again.header("preference-applied"),
        Some("return=representation")
    );
    let found = service.get(first.header("location").unwrap()).await;
    assert_eq!(again.json()["data"], found.json()["data"]);
}

#[tokio::test]
async fn another_body_is_refused() {
    let service = Service::start();
    submit(&service, "a-key", body()).await;
    for (name, value) in [("namaPembawa", "Budi"), ("unknown", "field")] {
        let other = Value::from(fields_with(name, value)).to_string();
        let reply = submit(&service, "a-key", other).await;
        reply.is_error(
            422,
            "IdempotencyKeyReused",
            "This Idempotency-Key was used for another body",
        );
        assert_eq!(reply.header("location"), None);
    }
    assert_eq!(service.world.store.request_count(), 1);
}

/// The sample submission with an unknown field of this JSON.
fn with_extra(json: &str) -> String {
    format!(r#"{{"extra":{json},{}"#, &body()[1..])
}

#[tokio::test]
async fn numbers_are_compared_digit_by_digit() {
    let service = Service::start();
    for (n, (first, same, others)) in [
        (
            "18446744073709551616",
            "18446744073709551616.0",
            &[
                "18446744073709551617",
                "18446744073709551615",
                "-18446744073709551616",
            ][..],
        ),
        (
            "9007199254740993.0",
            "9007199254740993",
            &["9007199254740992.0"],
        ),
        ("1e2", "100", &["100.00000000000000001", "1e3"]),
        ("[0.1]", "[1E-1]", &["[0.10000000000000000001]"]),
        ("-0", "0.0e9", &["1e-400"]),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("key-{n}");
        assert_eq!(submit(&service, &key, with_extra(first)).await.status, 200);
        let again = submit(&service, &key, with_extra(same)).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{same}");
        for other in others {
            let reply = submit(&service, &key, with_extra(other)).await;
            assert_eq!(reply.status, 422, "{first} {other}");
            assert!(reply.body.contains("IdempotencyKeyReused"), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn a_malformed_key_is_a_fault_before_those_of_the_body() {
    let service = Service::start();
    let long = "k".repeat(256);
    for key in ["", "two words", "k\u{e9}y", &long] {
        let reply = submit(&service, key, body()).await;
        let fault = format!(
            r#"{{"type":"value_error","loc":["header","Idempotency-Key"],"msg":"Value error, Expected 1 to 255 visible ASCII characters","input":{}}}"#,
            Value::from(key)
        );
        reply.is_invalid(&[&fault]);
    }
    let wrong = Value::from(fields_with("noTelp", "123")).to_string();
    let faults = submit(&service, "two words", wrong).await.json();
    assert_eq!(faults["detail"][0]["loc"][0], "header");
    assert_eq!(faults["detail"][1]["loc"][1], "noTelp");
    let faults = submit(&service, "two words", "{").await.json();
    assert_eq!(faults["detail"][1]["type"], "json_invalid");
    let call = Call::post(SUBMIT, body())
        .header(HEADER, "a")
        .header(HEADER, "b");
    assert_eq!(service.send(call).await.status, 422);
    assert_eq!(service.world.store.request_count(), 0);
    assert_eq!(submit(&service, &"k".repeat(255), body()).await.status, 200);
}

#[tokio::test]
async fn faults_and_the_dealer_come_first_and_spend_no_key() {
    let service = Service::start();
    service.put_dealer(|dealer| dealer.active = false);
    let refused = submit(&service, "a-key", body()).await;
    assert_eq!(refused.json()["status"], 0);
    service.put_dealer(|_| {});
    let stored = submit(&service, "a-key", body()).await;
    assert_eq!(stored.json()["status"], 1);
    assert_eq!(stored.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn a_stored_answer_is_given_again_whatever_became_of_the_dealer() {
    let service = Service::start();
    let first = submit(&service, "a-key", body()).await;
    let other = Value::from(fields_with("namaPembawa", "Budi")).to_string();
    for change in [
        (|dealer| dealer.active = false) as fn(&mut domain::dealers::Dealer),
        |dealer| dealer.api_key = None,
        |dealer| dealer.api_url = Some("https://evil.example/send".to_owned()),
    ] {
        service.put_dealer(change);
        let again = submit(&service, "a-key", body()).await;
        again.is(200, &first.body);
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let call = Call::post(SUBMIT, body())
            .header(HEADER, "a-key")
            .header("Prefer", "return=representation");
        let shown = service.send(call).await.json();
        let found = service.get(first.header("location").unwrap()).await;
        assert_eq!(shown["data"], found.json()["data"]);
        submit(&service, "a-key", other.clone()).await.is_error(
            422,
            "IdempotencyKeyReused",
            "This Idempotency-Key was used for another body",
        );
        let unused = submit(&service, "another-key", body()).await;
        assert_eq!(unused.json()["status"], 0);
    }
    assert_eq!(service.world.store.request_count(), 1);
}

#[tokio::test]
async fn a_first_submission_in_progress_is_a_409_that_says_when_to_come_back() {
    let mut requests = MockRequestStore::new();
    requests
        .expect_accept()
        .returning(|_| Ok(Accepted::KeyInProgress));
    let service = Service::with(|ports| ports.requests = Arc::new(requests));
    let reply = submit(&service, "a-key", body()).await;
    reply.is_error(
        409,
        "IdempotencyKeyInProgress",
        "The first request with this Idempotency-Key is still in progress",
    );
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_eq!(reply.header("location"), None);
}
