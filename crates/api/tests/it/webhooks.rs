//! 2.3: what Fonnte reports by itself.

use std::sync::Arc;

use domain::dealers::Dealer;
use domain::events::{EventContent, ProviderEvent};
use domain::ports::MockEventStore;
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{Service, unavailable};

const RECEIVED: &str = r#"{"success":true,"message":"Report received","data":null}"#;

fn path(n: u32, topic: &str) -> String {
    let token = sample::webhook_token(n);
    format!("/api/v1/webhooks/fonnte/{}/{topic}", token.as_str())
}

async fn report(service: &Service, topic: &str, body: impl Into<Vec<u8>>) -> Reply {
    service.send(Call::post(&path(1, topic), body)).await
}

#[tokio::test]
async fn a_report_is_stored_and_answered_at_once() {
    let service = Service::start();
    for topic in ["status", "device"] {
        let rings = service.world.bell.rings();
        report(&service, topic, "{}").await.is(200, RECEIVED);
        assert_eq!(service.world.bell.rings(), rings + 1);
    }
    let slash = format!("{}/", path(1, "status"));
    service
        .send(Call::post(&slash, "{}"))
        .await
        .is(200, RECEIVED);
}

#[tokio::test]
async fn the_content_type_does_not_matter() {
    let service = Service::start();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "x"] {
        let call = Call::new("POST", &path(1, "status"))
            .header("Content-Type", kind)
            .body("{}");
        service.send(call).await.is(200, RECEIVED);
    }
}

#[tokio::test]
async fn a_wrong_token_is_an_unknown_path() {
    let service = Service::start();
    for path in [
        path(2, "status"),
        path(2, "device"),
        "/api/v1/webhooks/fonnte/x/status".to_owned(),
        "/api/v1/webhooks/fonnte/%00%ff/status".to_owned(),
        path(1, "other"),
    ] {
        let reply = service.send(Call::post(&path, "{}")).await;
        reply.is_error(404, "NotFound", "Not Found");
    }
}

#[tokio::test]
async fn what_is_not_json_or_too_large_is_refused() {
    let service = Service::start();
    let rings = service.world.bell.rings();
    for body in ["", "id=1", "nope"] {
        let reply = report(&service, "status", body).await;
        reply.is_error(400, "NotJson", "The body is not JSON");
    }
    let large = format!(r#"{{"id":"{}"}}"#, "1".repeat(64 * 1024));
    let reply = report(&service, "status", large).await;
    assert_eq!(reply.status, 413);
    assert_eq!(service.world.bell.rings(), rings, "nothing was stored");
}

#[tokio::test]
async fn a_report_without_the_secret_gets_the_same_answer() {
    let service = Service::start();
    service.put_dealer(|dealer: &mut Dealer| dealer.webhook_secret = Some("hush".into()));
    let rings = service.world.bell.rings();
    report(&service, "status", "{}").await.is(200, RECEIVED);
    assert_eq!(service.world.bell.rings(), rings, "nothing was stored");
    service.world.whatsapp.will_read(ProviderEvent {
        secrets: vec!["hush".into()],
        ..sample::event(EventContent::Nothing)
    });
    report(&service, "status", "{}").await.is(200, RECEIVED);
    assert_eq!(service.world.bell.rings(), rings + 1);
}

#[tokio::test]
async fn fonnte_is_told_to_come_again_when_the_report_cannot_be_stored() {
    let mut events = MockEventStore::new();
    events
        .expect_owner()
        .returning(|_| Ok(Some(sample::dealer_id())));
    events.expect_keep().returning(|_, _| Err(unavailable()));
    let service = Service::with(|ports| ports.events = Arc::new(events));
    let reply = report(&service, "status", "{}").await;
    reply.is_error(503, "Unavailable", "The service cannot answer now");
}
