//! 2.2: why messages wait, and a dealer's queue.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::Outcome;
use domain::ports::MockMessages;
use domain::values::QuietHours;
use serde_json::Value;

use crate::client::Call;
use crate::service::{Service, body, fields_with, unavailable};

const QUEUE: &str = "/api/v1/customer/dealer/0009999/queue";

/// Stores the sample submission and returns the path of its messages.
async fn stored(service: &Service) -> String {
    let reply = service.submit(body()).await;
    format!("{}/messages", reply.header("location").expect("a location"))
}

/// Why the newest message waits.
async fn waiting(service: &Service, messages: &str) -> Value {
    let reply = service.get(messages).await.json();
    let newest = reply["data"].as_array().unwrap().last().unwrap();
    let last_key = newest.as_object().unwrap().keys().next_back();
    assert_eq!(last_key.map(String::as_str), Some("waiting"));
    newest["waiting"].clone()
}

async fn queue(service: &Service) -> Value {
    service.get(QUEUE).await.json()["data"].clone()
}

#[tokio::test]
async fn a_queue_is_shown_with_its_keys_in_order() {
    let service = Service::start();
    stored(&service).await;
    let second = stored(&service).await;
    service
        .submit_fields(&fields_with("sendAt", "2026-01-06T08:00:00+07:00"))
        .await;
    service.get(&format!("{QUEUE}/")).await.is(
        200,
        concat!(
            r#"{"success":true,"message":"Dealer queue retrieved","data":{"waiting":2,"scheduled":1,"#,
            r#""sending":0,"oldest_due_at":"2026-01-05T01:00:00.000000Z","paused":null,"#,
            r#""per_hour":360000,"done_at":"2026-01-05T01:00:00.010000Z"}}"#
        ),
    );
    let text = service.get(&second).await.body;
    let expected = concat!(
        r#""reason":null,"waiting":{"for":"turn","until":"2026-01-05T01:00:00.010000Z","#,
        r#""detail":"1 message is before it"}}"#
    );
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn a_queue_without_messages_is_zeros() {
    let service = Service::start();
    service.get(QUEUE).await.is(
        200,
        concat!(
            r#"{"success":true,"message":"Dealer queue retrieved","data":{"waiting":0,"scheduled":0,"#,
            r#""sending":0,"oldest_due_at":null,"paused":null,"per_hour":360000,"done_at":null}}"#
        ),
    );
}

#[tokio::test]
async fn a_scheduled_message_says_until_when() {
    let service = Service::start();
    let fields = fields_with("sendAt", "2026-01-06T08:00:00+07:00");
    let reply = service.submit_fields(&fields).await;
    let path = reply.header("location").unwrap().to_owned();
    let shown = waiting(&service, &format!("{path}/messages")).await;
    assert_eq!(shown["for"], "schedule");
    assert_eq!(shown["until"], "2026-01-06T01:00:00.000000Z");
    assert_eq!(queue(&service).await["done_at"], Value::Null);
    // It waits for nothing any more.
    let cancelled = service
        .send(Call::new("POST", &format!("{path}/cancel")))
        .await
        .json();
    assert_eq!(cancelled["data"]["waiting"], Value::Null);
}

#[tokio::test]
async fn a_blocked_account_says_why_in_every_answer_without_the_phone() {
    let service = Service::start();
    let messages = stored(&service).await;
    let dispatcher = service.world.services().dispatcher;
    dispatcher.run_once(10).await.unwrap();
    assert_eq!(waiting(&service, &messages).await, Value::Null);
    stored(&service).await;
    service.world.pass(Duration::from_secs(1));
    service.world.whatsapp.will(Outcome::Blocked {
        cause: domain::delivery::BlockCause::Device,
        reason: "device 6282148523421 is disconnected".to_owned(),
    });
    dispatcher.run_once(10).await.unwrap();
    let resend = messages.replace("/messages", "/resend");
    let resent = service.send(Call::new("POST", &resend)).await.json();
    let shown = waiting(&service, &messages).await;
    let queue = queue(&service).await;
    for shown in [&resent["data"]["waiting"], &shown, &queue["paused"]] {
        assert_eq!(shown["for"], "account", "{shown}");
        assert_eq!(shown["until"], Value::Null);
        assert_eq!(shown["detail"], "device [nomor] is disconnected");
    }
    assert_eq!(
        (&queue["waiting"], &queue["done_at"]),
        (&2.into(), &Value::Null)
    );
}

#[tokio::test]
async fn quiet_hours_put_off_the_queue_and_say_until_when() {
    let service = Service::start();
    // It is 08:00 in Jakarta.
    service.put_dealer(|dealer| {
        dealer.settings.quiet_hours = QuietHours::parse("07:30", "09:15").ok();
    });
    let messages = stored(&service).await;
    let end = "2026-01-05T02:15:00.000000Z";
    let shown = waiting(&service, &messages).await;
    assert_eq!(
        (&shown["for"], &shown["until"]),
        (&"quiet_hours".into(), &end.into())
    );
    let queue = queue(&service).await;
    assert_eq!(queue["paused"], shown);
    assert_eq!(queue["done_at"], end);
}

#[tokio::test]
async fn the_queue_of_an_unknown_or_inactive_dealer_is_a_404() {
    let service = Service::start();
    for path in ["0000001", "1", "%00"] {
        let reply = service
            .get(&format!("/api/v1/customer/dealer/{path}/queue"))
            .await;
        reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    }
    service.put_dealer(|dealer| dealer.active = false);
    let reply = service.get(QUEUE).await;
    reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503() {
    let mut messages = MockMessages::new();
    messages.expect_queue().returning(|_| Err(unavailable()));
    let service = Service::with(|ports| ports.messages = Arc::new(messages));
    let reply = service.get(QUEUE).await;
    reply.is_error(503, "Unavailable", "The service cannot answer now");
}
