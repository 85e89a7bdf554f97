//! What the service refuses, and what is told of it.

use std::time::Duration;

use customer_service_client::types::{OptOutBody, ResendBody, StatusReportBody, TemplateBody};
use customer_service_client::{Client, Error};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::*;

#[tokio::test]
async fn every_refusal_is_a_decision_and_is_not_repeated() {
    for (answer, wanted) in [
        (refused(400, "BadRequest"), "Refused"),
        (refused(401, "Unauthorized"), "Unauthorized"),
        (refused(403, "ScopeMissing"), "Refused"),
        (refused(404, "RequestNotFound"), "NotFound"),
        (refused(409, "MessagePending"), "Conflict"),
        (refused(412, "PreconditionFailed"), "Conflict"),
        (refused(413, "PayloadTooLarge"), "Refused"),
        (refused(422, "IdempotencyKeyReused"), "Refused"),
        (not_stored(500), "Refused"),
    ] {
        let server = answers([answer]).await;
        let error = client(&server)
            .resend_request_message(ID, &ResendBody::default())
            .await;
        let error = error.expect_err("it is refused");
        assert!(format!("{error:?}").starts_with(wanted), "{error:?}");
        assert_eq!(came(&server).await.len(), 1, "{wanted}");
    }
}

#[tokio::test]
async fn a_dealer_that_cannot_send_is_a_refusal() {
    let server = answers([not_stored(200)]).await;
    let error = client(&server).validate_customer(&body()).await;
    let Err(Error::Refused(told)) = error else {
        panic!("{error:?}");
    };
    assert_eq!((told.status, &*told.kind), (200, "NotStored"));
    assert_eq!(told.message, "Dealer tidak ditemukan atau tidak aktif");
}

#[tokio::test]
async fn faults_name_the_fields_and_show_nothing_that_was_sent() {
    let answer = ResponseTemplate::new(422).set_body_json(json!({"detail": [{
        "type": "value_error", "loc": ["body", "phone"], "msg": "Value error, Invalid Indonesian phone number format",
        "input": "081200001234"
    }]}));
    let server = answers([answer]).await;
    let opt_out = OptOutBody {
        phone: "081200001234".to_owned(),
        note: None,
    };
    let error = client(&server).opt_out_phone("0009999", &opt_out).await;
    let error = error.expect_err("it is refused");
    let Error::Invalid(faults) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (&*faults[0].kind, faults[0].input.as_str()),
        ("value_error", Some("081200001234"))
    );
    let shown = shown(&error);
    assert!(
        shown.contains("body.phone") && !shown.contains("081200001234"),
        "{shown}"
    );
}

#[tokio::test]
async fn no_error_shows_a_phone_a_token_or_a_key() {
    let dead = Client::builder(&nobody()).api_key("csk_hidden");
    let dead = dead
        .deadline(Duration::from_millis(100))
        .build()
        .expect("a client");
    let told = json!({"error": {"code": 400, "message": "081200001234 invalid", "type": "ConnectionTestFailed"}});
    let server = answers([ResponseTemplate::new(400).set_body_json(told)]).await;
    let alive = client(&server);
    for client in [&dead, &alive] {
        let errors = [
            client
                .opt_in_phone("0009999", "081200001234")
                .await
                .expect_err("refused"),
            client
                .report_message_status("token-00000001", &StatusReportBody::default())
                .await
                .expect_err("refused"),
        ];
        for error in errors {
            let shown = shown(&error);
            for secret in ["081200001234", "token-00000001", "csk_hidden"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn names_stay_within_their_place_of_the_path() {
    let server = answers([refused(404, "TemplateNotFound")]).await;
    let client = client(&server);
    let text = TemplateBody {
        body: "Halo".to_owned(),
    };
    for name in ["", ".", ".."] {
        let error = client
            .save_dealer_template("0009999", name, &text, None)
            .await;
        assert!(matches!(error, Err(Error::NotFound(_))), "{error:?}");
    }
    assert_eq!(came(&server).await.len(), 0);
    for (name, path) in [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
    ] {
        let error = client.get_shared_template(name).await;
        assert!(matches!(error, Err(Error::NotFound(_))), "{error:?}");
        let came = came(&server).await;
        let last = came.last().expect("a call");
        assert_eq!(last.url.path(), format!("/api/v1/admin/templates/{path}"));
    }
}

#[tokio::test]
async fn a_path_before_the_service_is_kept() {
    let server = answers([refused(404, "RequestNotFound")]).await;
    let client = Client::builder(&format!("{}/gateway/api/v1/", server.uri()));
    let client = client.build().expect("a client");
    assert!(client.get_request(ID).await.is_err());
    let path = format!("/gateway/api/v1/customer/request/{ID}");
    assert_eq!(came(&server).await[0].url.path(), path);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = answers([stored()]).await;
    let redirect = ResponseTemplate::new(307).insert_header("Location", elsewhere.uri());
    let server = answers([redirect]).await;
    let error = client(&server).validate_customer(&body()).await;
    assert!(matches!(error, Err(Error::Refused(_))), "{error:?}");
    assert_eq!(came(&elsewhere).await.len(), 0);
}

#[tokio::test]
async fn bad_health_is_an_answer() {
    let health = json!({
        "status": "unhealthy", "service": "customer-service", "version": "0.1.0",
        "checks": { "database": "unhealthy" }
    });
    let server = answers([ResponseTemplate::new(503).set_body_json(health)]).await;
    let client = client(&server);
    assert_eq!(
        client.get_readiness().await.expect("an answer").status,
        "unhealthy"
    );
    assert_eq!(came(&server).await.len(), 1);
}
