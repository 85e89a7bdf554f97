//! 2.2: the messages of a request: shown, repeated, stopped.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::MockMessages;
use domain::requests::{MessageState, RequestId};
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{Service, body, fields_with, unavailable};

const UNKNOWN: &str = "/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22";

/// Stores the sample submission and returns the path of its request.
async fn stored(service: &Service) -> String {
    let reply = service.submit(body()).await;
    reply.header("location").expect("a location").to_owned()
}

async fn post(service: &Service, path: &str, verb: &str) -> Reply {
    service
        .send(Call::new("POST", &format!("{path}/{verb}")))
        .await
}

fn request_of(path: &str) -> RequestId {
    RequestId(path.rsplit('/').next().unwrap().parse().unwrap())
}

/// Sends what is queued.
async fn deliver(service: &Service) {
    let dispatcher = service.world.services().dispatcher;
    for claim in dispatcher.claim(10).await.unwrap() {
        let delivery = dispatcher.deliver(claim).await;
        dispatcher.settle(&delivery).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_shown_with_its_keys_in_order() {
    let service = Service::start();
    let path = stored(&service).await;
    let reply = service.get(&format!("{path}/messages")).await;
    let id = reply.json()["data"][0]["id"].clone();
    let text = reply.json()["data"][0]["body"].clone();
    assert!(text.as_str().unwrap().starts_with("Halo Adit,\n"));
    reply.is(
        200,
        &format!(
            concat!(
                r#"{{"success":true,"message":"Found 1 message","data":[{{"id":{},"kind":"live","#,
                r#""state":"QUEUED","template":"validation","template_version":null,"body":{},"#,
                r#""target":"082148523421","scheduled_at":"2026-01-05T01:00:00.000000Z","#,
                r#""created_at":"2026-01-05T01:00:00.000000Z","sent_at":null,"#,
                r#""delivered_at":null,"read_at":null,"failed_at":null,"attempts":[],"#,
                r#""fonnte_id":null,"reason":null,"waiting":null}}]}}"#
            ),
            id, text
        ),
    );
}

#[tokio::test]
async fn attempts_are_shown_oldest_first() {
    let service = Service::start();
    let path = stored(&service).await;
    service.world.pass(Duration::from_millis(1_500));
    deliver(&service).await;
    let reply = service.get(&format!("{path}/messages")).await.json();
    let message = &reply["data"][0];
    assert_eq!(message["state"], "SENT");
    assert_eq!(message["sent_at"], "2026-01-05T01:00:01.500000Z");
    assert_eq!(message["attempts"][0]["outcome"], "accepted");
    assert_eq!(message["attempts"][0]["at"], "2026-01-05T01:00:01.500000Z");
    let keys: Vec<_> = message["attempts"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["at", "outcome", "detail", "duration_ms"]);
}

#[tokio::test]
async fn a_message_is_resent_once_it_is_over() {
    let service = Service::start();
    let path = stored(&service).await;
    post(&service, &path, "resend").await.is_error(
        409,
        "MessagePending",
        "A message of this request is still queued or being sent",
    );
    deliver(&service).await;
    let rings = service.world.bell.rings();
    let reply = post(&service, &path, "resend/").await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.json()["message"], "Message queued");
    assert_eq!(reply.json()["data"]["state"], "QUEUED");
    assert_eq!(service.world.bell.rings(), rings + 1);
    let item = service.get(&path).await.json()["data"].clone();
    assert_eq!(item["whatsapp_status"], "NOT_SENT");
    let timeline = service.get(&format!("{path}/messages")).await.json();
    assert_eq!(timeline["message"], "Found 2 messages");
    assert_eq!(timeline["data"][1]["id"], reply.json()["data"]["id"]);
    assert_eq!(timeline["data"][1]["body"], timeline["data"][0]["body"]);
    service.world.pass(Duration::from_secs(60));
    deliver(&service).await;
    assert_eq!(service.world.whatsapp.sent().len(), 2);
}

#[tokio::test]
async fn a_queued_message_is_cancelled_once() {
    let service = Service::start();
    let reply = service
        .submit_fields(&fields_with("sendAt", "2026-01-06T08:00:00+07:00"))
        .await;
    let path = reply.header("location").unwrap();
    let reply = post(&service, path, "cancel/").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["message"], "Message cancelled");
    assert_eq!(answer["data"]["state"], "CANCELLED");
    assert_eq!(
        answer["data"]["scheduled_at"],
        "2026-01-06T01:00:00.000000Z"
    );
    assert_eq!(answer["data"]["reason"], "cancelled before it was sent");
    let item = service.get(path).await.json()["data"].clone();
    assert_eq!(item["request_status"], "FAILED");
    assert_eq!(item["whatsapp_status"], "FAILED");
    post(&service, path, "cancel").await.is_error(
        409,
        "MessageNotCancellable",
        "No message of this request is queued",
    );
    service.world.pass(Duration::from_secs(48 * 3_600));
    deliver(&service).await;
    assert!(service.world.whatsapp.sent().is_empty());
    let state = service.world.store.message_state(request_of(path));
    assert_eq!(state, Some(MessageState::Cancelled));
}

#[tokio::test]
async fn a_row_of_an_older_service_gets_a_message_made_from_it() {
    let service = Service::start();
    let row = OldRow::sample(&sample::dealer_id(), 1).with_statuses("FAILED", "FAILED");
    service.world.store.insert_old_row(&row).await;
    let path = format!("/api/v1/customer/request/{}", row.id);
    let empty = service.get(&format!("{path}/messages")).await;
    empty.is(
        200,
        r#"{"success":true,"message":"Found 0 messages","data":[]}"#,
    );
    let reply = post(&service, &path, "resend").await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let message = reply.json()["data"].clone();
    assert_eq!(message["target"], "082148523421");
    let text = message["body"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Halo Budi,\n"), "{text}");
    assert!(text.ends_with("Dealer Demo"), "{text}");
}

#[tokio::test]
async fn a_row_without_a_phone_or_a_dealer_cannot_be_sent() {
    let service = Service::start();
    let mut land_line = OldRow::sample(&sample::dealer_id(), 1);
    land_line.phone = "021 555".to_owned();
    let nobody = OldRow::sample(&sample::dealer_id_numbered(7), 2);
    for row in [land_line, nobody] {
        service.world.store.insert_old_row(&row).await;
        let path = format!("/api/v1/customer/request/{}", row.id);
        let reply = post(&service, &path, "resend").await;
        assert_eq!(reply.status, 409);
        assert_eq!(reply.json()["error"]["type"], "MessageNotSendable");
    }
    assert_eq!(service.world.store.message_count(), 0);
}

#[tokio::test]
async fn an_unknown_request_is_a_404() {
    let service = Service::start();
    for path in [UNKNOWN, "/api/v1/customer/request/17"] {
        let replies = [
            service.get(&format!("{path}/messages")).await,
            post(&service, path, "resend").await,
            post(&service, path, "cancel").await,
        ];
        for reply in replies {
            reply.is_error(404, "RequestNotFound", "Request not found");
        }
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503() {
    let mut messages = MockMessages::new();
    messages
        .expect_timeline()
        .returning(|_, _| Err(unavailable()));
    messages
        .expect_cancel()
        .returning(|_, _, _| Err(unavailable()));
    let service = Service::with(|ports| ports.messages = Arc::new(messages));
    let path = stored(&service).await;
    let replies = [
        service.get(&format!("{path}/messages")).await,
        post(&service, &path, "resend").await,
        post(&service, &path, "cancel").await,
    ];
    for reply in replies {
        reply.is_error(503, "Unavailable", "The service cannot answer now");
    }
}
