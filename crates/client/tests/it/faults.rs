//! What is tried again, when, and what is known in the end.

use std::time::{Duration, Instant};

use customer_service_client::types::{ResendBody, TemplateBody, TestBody};
use customer_service_client::{Client, Error, IdempotencyKey, SubmitOptions};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::*;

#[tokio::test]
async fn a_submission_keeps_its_key_in_all_tries_and_waits_as_it_is_asked_to() {
    let busy = not_stored(503).insert_header("Retry-After", "1");
    let server = answers([busy, ResponseTemplate::new(502), stored()]).await;
    let began = Instant::now();
    let made = client(&server).validate_customer(&body()).await;
    let made = made.expect("it is stored");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(made.request_id, ID);
    let came = came(&server).await;
    assert_eq!(came.len(), 3);
    for request in &came {
        assert_eq!(request.url.path(), "/api/v1/customer/validate-customer");
        assert_eq!(
            header(request, "idempotency-key"),
            made.idempotency_key.as_str()
        );
        assert_eq!(
            header(request, "x-request-id"),
            header(&came[0], "x-request-id")
        );
        assert_eq!(header(request, "authorization"), "Bearer csk_hidden");
        assert_eq!(request.body, came[0].body);
    }
}

#[tokio::test]
async fn two_submissions_have_two_keys_and_a_given_key_is_used() {
    let server = answers([stored()]).await;
    let client = client(&server);
    let first = client.validate_customer(&body()).await.expect("stored");
    let second = client.validate_customer(&body()).await.expect("stored");
    assert_ne!(first.idempotency_key, second.idempotency_key);
    let key = IdempotencyKey::parse("SPK-1").expect("a key");
    let options = SubmitOptions {
        idempotency_key: Some(key.clone()),
        representation: true,
    };
    let third = client.validate_customer_with(&body(), &options).await;
    assert_eq!(third.expect("stored").idempotency_key, key);
    let came = came(&server).await;
    assert_eq!(header(&came[2], "idempotency-key"), "SPK-1");
    assert_eq!(header(&came[2], "prefer"), "return=representation");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_under_the_same_key() {
    let late = stored().set_delay(Duration::from_secs(60));
    let replayed = stored().insert_header("Idempotent-Replayed", "true");
    let server = answers([late, replayed]).await;
    let made = client(&server).validate_customer(&body()).await;
    let made = made.expect("it is stored");
    assert!(made.replayed);
    let came = came(&server).await;
    assert_eq!(came.len(), 2);
    assert_eq!(
        header(&came[0], "idempotency-key"),
        header(&came[1], "idempotency-key")
    );
}

#[tokio::test]
async fn a_submission_without_an_answer_is_unknown_and_tells_its_key() {
    let lost = stored().set_delay(Duration::from_secs(60));
    let garbled = ResponseTemplate::new(200).set_body_string("<html>");
    let progress = refused(409, "IdempotencyKeyInProgress");
    for answer in [
        lost,
        garbled,
        progress,
        not_stored(503),
        ResponseTemplate::new(500),
    ] {
        let server = answers([answer]).await;
        let client = builder(&server).deadline(Duration::from_millis(600));
        let client = client.build().expect("a client");
        let error = client
            .validate_customer(&body())
            .await
            .expect_err("no answer");
        let Error::Unknown {
            idempotency_key: Some(key),
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        for request in came(&server).await {
            assert_eq!(header(&request, "idempotency-key"), key.as_str());
        }
    }
}

#[tokio::test]
async fn what_becomes_of_an_unknown_submission_is_not_told_by_another_refusal() {
    let server = answers([ResponseTemplate::new(502), refused(401, "Unauthorized")]).await;
    let error = client(&server).validate_customer(&body()).await;
    assert!(matches!(error, Err(Error::Unknown { .. })), "{error:?}");
    // But one that breaks rules was never stored.
    let faults =
        json!({"detail": [{"type": "missing", "loc": ["body"], "msg": "m", "input": null}]});
    let invalid = ResponseTemplate::new(422).set_body_json(faults);
    let server = answers([ResponseTemplate::new(502), invalid]).await;
    let error = client(&server).validate_customer(&body()).await;
    assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let client = Client::builder(&nobody()).deadline(Duration::from_millis(600));
    let client = client.build().expect("a client");
    let error = client.validate_customer(&body()).await;
    assert!(matches!(error, Err(Error::Unavailable { .. })), "{error:?}");
    let error = client
        .resend_request_message(ID, &ResendBody::default())
        .await;
    assert!(matches!(error, Err(Error::Unavailable { .. })), "{error:?}");
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_not_repeated_where_it_may_have_been_done() {
    let lost = ResponseTemplate::new(202).set_delay(Duration::from_secs(60));
    for answer in [
        lost,
        ResponseTemplate::new(502),
        refused(503, "Unavailable"),
    ] {
        let server = answers([answer]).await;
        let error = client(&server)
            .resend_request_message(ID, &ResendBody::default())
            .await;
        let unknown = matches!(
            error,
            Err(Error::Unknown {
                idempotency_key: None,
                ..
            })
        );
        assert!(unknown, "{error:?}");
        assert_eq!(came(&server).await.len(), 1);
    }
    // A template that is saved over a version of which the tag changes with it.
    let server = answers([ResponseTemplate::new(502)]).await;
    let text = TemplateBody {
        body: "Halo".to_owned(),
    };
    let client = client(&server);
    let error = client
        .save_dealer_template("0009999", "servis", &text, Some("\"3\""))
        .await;
    assert!(matches!(error, Err(Error::Unknown { .. })), "{error:?}");
    let came = came(&server).await;
    assert_eq!(
        (came.len(), header(&came[0], "if-match").as_str()),
        (1, "\"3\"")
    );
}

#[tokio::test]
async fn what_was_certainly_not_done_is_done_again() {
    for refusal in [
        refused(429, "RateLimited"),
        refused(503, "Busy"),
        refused(408, "RequestTimeout"),
    ] {
        let answer = json!({
            "success": true, "status_code": 200, "message": "Connection test completed", "response_data": ""
        });
        let tested = ResponseTemplate::new(200).set_body_json(answer);
        let server = answers([refusal, tested]).await;
        let target = TestBody {
            target: Some("081200001234".to_owned()),
        };
        let tested = client(&server)
            .test_dealer_whatsapp("0009999", &target)
            .await;
        assert!(tested.is_ok(), "{tested:?}");
        assert_eq!(came(&server).await.len(), 2);
    }
}

#[tokio::test]
async fn a_wait_that_there_is_no_time_for_is_not_waited() {
    for (status, kind) in [(429, "RateLimited"), (503, "Busy")] {
        let answer = refused(status, kind).insert_header("Retry-After", "3600");
        let server = answers([answer]).await;
        let began = Instant::now();
        let error = client(&server).get_request(ID).await.expect_err("no time");
        assert!(began.elapsed() < Duration::from_secs(5));
        let asked = match error {
            Error::Limited { retry_after } if status == 429 => retry_after,
            Error::Unavailable { retry_after, .. } if status == 503 => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(asked, Some(Duration::from_secs(3_600)));
        assert_eq!(came(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn tries_end_with_the_deadline() {
    let server = answers([ResponseTemplate::new(500)]).await;
    let client = builder(&server).deadline(Duration::from_secs(2));
    let client = client.build().expect("a client");
    let began = Instant::now();
    let error = client.get_request(ID).await;
    assert!(matches!(error, Err(Error::Unavailable { .. })), "{error:?}");
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let tries = came(&server).await.len();
    assert!((3..=6).contains(&tries), "{tries}");
}
