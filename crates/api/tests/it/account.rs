//! 1.5: testing a dealer's account. That a lane which stays busy is given up after 10 seconds is
//! tested in `src/patience.rs`, where time can be made to pass.

use std::sync::Arc;

use domain::delivery::{Outcome, Receipt};
use domain::ports::{AccountProfile, DeviceReport, MockOutbox, SendReport};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{Service, unavailable};

const PATH: &str = "/api/v1/customer/dealer/0009999/test-whatsapp";
const TARGET: &str = r#"{"target":"+62 812-0000-1234"}"#;

fn passed(response_data: &str) -> String {
    let response_data = serde_json::Value::from(response_data);
    format!(
        r#"{{"success":true,"status_code":200,"message":"Connection test completed","response_data":{response_data}}}"#
    )
}

fn bad_target(kind: &str, msg: &str, input: &str) -> String {
    format!(r#"{{"type":"{kind}","loc":["body","target"],"msg":"{msg}","input":{input}}}"#)
}

async fn test_device(service: &Service) -> Reply {
    service.send(Call::new("POST", PATH)).await
}

async fn send_test(service: &Service) -> Reply {
    service.send(Call::post(PATH, TARGET)).await
}

#[tokio::test]
async fn without_a_target_the_device_is_asked_for_and_nothing_is_sent() {
    let service = Service::start();
    let device = passed(r#"{"device_status":"connect","status":true}"#);
    test_device(&service).await.is(200, &device);
    let slash = Call::new("POST", &format!("{PATH}/"));
    service.send(slash).await.is(200, &device);
    for body in ["", "null", "{}", r#"{"other":1}"#, r#"{"target":null}"#] {
        service.send(Call::post(PATH, body)).await.is(200, &device);
    }
    assert_eq!(service.world.whatsapp.probes(), 7);
    assert!(service.world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn the_first_200_characters_of_the_answer_are_shown() {
    let service = Service::start();
    service.world.whatsapp.device_will(DeviceReport::Connected {
        text: "é\u{1f600}".repeat(150),
        profile: AccountProfile::default(),
    });
    test_device(&service)
        .await
        .is(200, &passed(&"é\u{1f600}".repeat(100)));
}

#[tokio::test]
async fn with_a_target_one_message_is_sent_to_it() {
    let service = Service::start();
    send_test(&service).await.is(200, &passed(sample::ANSWER));
    let sent = service.world.whatsapp.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].message.target.national(), "081200001234");
    assert!(sent[0].used_key(sample::API_KEY));
    assert_eq!(service.world.whatsapp.probes(), 0);
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn a_target_keeps_the_phone_rule_and_no_other() {
    let service = Service::start();
    let msg = "Value error, Invalid Indonesian phone number format";
    for target in [
        "",
        " ",
        "123",
        "0712345678",
        "08abcdefghij",
        "021 1234 5678",
        "+62 0821 4852 3421",
    ] {
        let input = serde_json::Value::from(target).to_string();
        let reply = service
            .send(Call::post(PATH, format!(r#"{{"target":{input}}}"#)))
            .await;
        reply.is_invalid(&[&bad_target("value_error", msg, &input)]);
    }
    for input in ["81200001234", "[\"0812\"]", "true"] {
        let reply = service
            .send(Call::post(PATH, format!(r#"{{"target":{input}}}"#)))
            .await;
        let msg = "Input should be a valid string";
        reply.is_invalid(&[&bad_target("string_type", msg, input)]);
    }
    assert!(service.world.whatsapp.sent().is_empty());
    let spaced = r#"{"target":"( +62 )  812 - 0000 - 1234"}"#;
    service
        .send(Call::post(PATH, spaced))
        .await
        .is(200, &passed(sample::ANSWER));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_a_422() {
    let service = Service::start();
    for (body, kind) in [
        ("{", "json_invalid"),
        ("[]", "model_attributes_type"),
        ("\"0812\"", "model_attributes_type"),
    ] {
        let reply = service.send(Call::post(PATH, body)).await;
        assert_eq!(
            (reply.status, &reply.json()["detail"][0]["type"]),
            (422, &kind.into())
        );
    }
    let form = Call::new("POST", PATH)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("target=081200001234");
    let reply = service.send(form).await;
    assert_eq!(reply.json()["detail"][0]["type"], "model_attributes_type");
    // The faults of the body come before the dealer.
    let unknown = "/api/v1/customer/dealer/0000001/test-whatsapp";
    assert_eq!(service.send(Call::post(unknown, "[]")).await.status, 422);
}

#[tokio::test]
async fn a_dealer_that_is_unknown_or_inactive_is_a_400() {
    let service = Service::start();
    for dealer in ["0000001", "1", "%00%00%00%00", "%FF%FF%FF%FF"] {
        for body in ["", TARGET] {
            let path = format!("/api/v1/customer/dealer/{dealer}/test-whatsapp");
            let reply = service.send(Call::post(&path, body)).await;
            reply.is_error(400, "DealerNotFound", "Dealer not found or inactive");
        }
    }
    service.put_dealer(|dealer| dealer.active = false);
    let reply = test_device(&service).await;
    reply.is_error(400, "DealerNotFound", "Dealer not found or inactive");
}

#[tokio::test]
async fn a_dealer_without_a_usable_account_is_a_400() {
    let service = Service::start();
    let sentence = "No Fonnte configuration found for dealer 0009999";
    for key in [None, Some(""), Some("  ")] {
        service.put_dealer(|dealer| dealer.api_key = key.map(Into::into));
        test_device(&service)
            .await
            .is_error(400, "NoFonnteConfiguration", sentence);
        send_test(&service)
            .await
            .is_error(400, "NoFonnteConfiguration", sentence);
    }
    service.put_dealer(|dealer| dealer.api_url = Some("https://evil.example/send".to_owned()));
    test_device(&service)
        .await
        .is_error(400, "NoFonnteConfiguration", sentence);
}

#[tokio::test]
async fn what_fonnte_says_is_passed_on() {
    let service = Service::start();
    for report in [
        DeviceReport::NotReady {
            cause: domain::delivery::BlockCause::Token,
            reason: "invalid token".to_owned(),
            profile: AccountProfile::default(),
        },
        DeviceReport::Unreachable {
            reason: "invalid token".to_owned(),
        },
    ] {
        service.world.whatsapp.device_will(report);
        let reply = test_device(&service).await;
        reply.is_error(400, "ConnectionTestFailed", "invalid token");
    }
}

#[tokio::test]
async fn why_a_test_message_was_not_accepted_is_passed_on() {
    let reason = "device \"disconnected\"".to_owned();
    for outcome in [
        Outcome::Refused {
            reason: reason.clone(),
        },
        Outcome::Blocked {
            cause: domain::delivery::BlockCause::Device,
            reason: reason.clone(),
        },
        Outcome::NotSent {
            reason: reason.clone(),
            retry_after: None,
        },
        Outcome::Unknown {
            reason: reason.clone(),
        },
    ] {
        let service = Service::start();
        service.world.whatsapp.will(outcome);
        let reply = send_test(&service).await;
        reply.is_error(400, "ConnectionTestFailed", &reason);
    }
}

#[tokio::test]
async fn a_long_answer_to_a_test_message_is_shortened_too() {
    let service = Service::start();
    service.world.whatsapp.will_report(SendReport {
        outcome: Outcome::Accepted(Receipt::default()),
        answer: "{}".to_owned(),
        text: "x".repeat(5_000),
    });
    send_test(&service).await.is(200, &passed(&"x".repeat(200)));
}

#[tokio::test]
async fn a_queue_that_is_away_is_a_503() {
    let mut outbox = MockOutbox::new();
    outbox
        .expect_begin_call()
        .returning(|_, _, _| Err(unavailable()));
    let service = Service::with(|ports| ports.outbox = Arc::new(outbox));
    let reply = send_test(&service).await;
    reply.is_error(503, "Unavailable", "The service cannot answer now");
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert!(service.world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn while_one_test_waits_for_fonnte_others_are_answered() {
    let service = Service::start();
    service.world.whatsapp.hold();
    let waiting = tokio::join!(test_device(&service), async {
        service.world.whatsapp.until_waiting(1).await;
        assert_eq!(service.get("/api/v1/health").await.status, 200);
        service.world.whatsapp.release();
    });
    assert_eq!(waiting.0.status, 200);
}
