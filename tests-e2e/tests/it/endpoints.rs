//! Event webhooks, from the change of a message to the receiver.

use std::time::Duration;

use fonnte_simulator::{LifeCycle, Stage};
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{DEALER, KEY, Receiver, Reply, Service, Story, eventually};

use crate::webhooks::Reported;

/// 32 bytes that seal nothing but these stories.
const SECRETS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// An endpoint that was made.
pub(crate) struct Made {
    pub(crate) path: String,
    pub(crate) secret: String,
}

pub(crate) async fn begin() -> Story {
    Story::begin().await.with("SECRETS_KEY", SECRETS_KEY)
}

/// Makes an endpoint of the dealer.
pub(crate) async fn make(service: &Service, url: &str, events: &[&str]) -> Made {
    let path = format!("/api/v1/customer/dealer/{DEALER}/endpoints");
    let body = json!({"url": url, "events": events});
    let made = service.post(&path, &body).await.expect("an answer");
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json()["data"].clone();
    Made {
        path: format!("{path}/{}", made["id"].as_str().expect("an id")),
        secret: made["secret"].as_str().expect("a secret").to_owned(),
    }
}

pub(crate) async fn test(service: &Service, endpoint: &Made) -> Reply {
    let path = format!("{}/test", endpoint.path);
    let queued = service.send(Method::POST, &path, None, &[]).await;
    let queued = queued.expect("an answer");
    assert_eq!(queued.status, 202, "{}", queued.text);
    queued
}

/// The newest delivery of an endpoint, once its state is this.
pub(crate) async fn delivery(service: &Service, endpoint: &Made, state: &str) -> Value {
    let path = format!("{}/deliveries", endpoint.path);
    eventually(state, async || {
        let list = service.get(&path).await.ok()?.json();
        let newest = list["data"]["items"][0].clone();
        (newest["state"] == state).then_some(newest)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_told_what_becomes_of_a_message_and_can_verify_it() {
    // Whoever obeyed these would fail: there is no proxy.
    let story = begin().await;
    let story = story
        .with("HTTP_PROXY", "http://127.0.0.1:9")
        .with("ALL_PROXY", "http://127.0.0.1:9");
    let Reported { story, service, .. } = Reported::begin(story).await;
    let receiver = Receiver::start().await;
    let events = ["message.sent", "message.delivered", "message.read"];
    let endpoint = make(&service, &receiver.url("/204/in?token=1"), &events).await;
    story
        .simulator
        .update(KEY, |switches| {
            switches.life_cycle = LifeCycle::until(Stage::Read).every(400)
        })
        .expect("switched");
    let request = story.submit(&service, 1).await;
    story.status(&service, &request, "READ").await;
    let calls = eventually("three events", async || {
        let calls = receiver.calls();
        (calls.len() == 3).then_some(calls)
    })
    .await;
    let messages = service
        .get(&format!("{request}/messages"))
        .await
        .expect("an answer");
    let message = &messages.json()["data"][0];
    for (call, state) in calls.iter().zip(["SENT", "DELIVERED", "READ"]) {
        assert_eq!(call.path, "/204/in?token=1");
        assert!(call.is_signed_with(&endpoint.secret));
        assert!(!call.id().contains('.'));
        let event = call.event();
        let keys: Vec<_> = event.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["type", "timestamp", "data"]);
        assert_eq!(event["type"], format!("message.{}", state.to_lowercase()));
        let expected = json!({
            "dealer_id": DEALER,
            "request_id": request.rsplit('/').next(),
            "message_id": message["id"],
            "state": state,
            "reason": null
        });
        assert_eq!(event["data"].to_string(), expected.to_string());
    }
    // Nothing of a person.
    for word in ["Adit", "0812000", "62812", "D 123 AD", "BeAT"] {
        assert!(!calls.iter().any(|call| call.body.contains(word)), "{word}");
    }
    let delivered = delivery(&service, &endpoint, "delivered").await;
    assert_eq!(delivered["attempts"][0]["status"], 204);
    assert_eq!(delivered["webhook_id"], calls[2].id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_not_taken_comes_again_under_its_id() {
    let story = begin().await;
    let service = story.serve();
    let receiver = Receiver::start().await;
    let endpoint = make(&service, &receiver.url("/flaky"), &["message.sent"]).await;
    test(&service, &endpoint).await;
    let delivered = delivery(&service, &endpoint, "delivered").await;
    let statuses: Vec<_> = delivered["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["status"])
        .collect();
    assert_eq!(statuses, [500, 204]);
    let calls = receiver.calls();
    assert_eq!(calls[0].id(), calls[1].id());
    assert_eq!(calls[0].body, calls[1].body);
    let wait = calls[1].at - calls[0].at;
    assert!(
        wait >= Duration::from_secs(4) && wait < Duration::from_secs(8),
        "{wait:?}"
    );

    // By hand, also where it was delivered; under the same id.
    let retry = format!(
        "{}/deliveries/{}/retry",
        endpoint.path,
        delivered["id"].as_str().expect("an id")
    );
    let queued = service
        .send(Method::POST, &retry, None, &[])
        .await
        .expect("an answer");
    assert_eq!(queued.status, 202, "{}", queued.text);
    eventually("once more", async || {
        (receiver.calls().len() == 3).then_some(())
    })
    .await;
    assert_eq!(receiver.calls()[2].id(), calls[0].id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_disabled_and_others_are_told() {
    let story = begin().await;
    let service = story.serve();
    let receiver = Receiver::start().await;
    let other = make(&service, &receiver.url("/204"), &["endpoint.disabled"]).await;
    let gone = make(&service, &receiver.url("/410"), &["message.sent"]).await;
    let request = story.submit(&service, 1).await;
    story.status(&service, &request, "SENT").await;
    let told = eventually("the other is told", async || {
        receiver.calls_of("/204").pop()
    })
    .await;
    assert!(told.is_signed_with(&other.secret));
    let event = told.event();
    assert_eq!(event["type"], "endpoint.disabled");
    assert_eq!(
        event["data"]["endpoint_id"],
        gone.path.rsplit('/').next().expect("an id")
    );
    let path = format!("/api/v1/customer/dealer/{DEALER}/endpoints");
    let list = service.get(&path).await.expect("an answer").json();
    let shown = &list["data"]["items"][0];
    assert_eq!(shown["enabled"], false);
    assert!(shown["disabled_at"].is_string());
    // Nothing more is posted to it, but what is asked for by hand.
    let request = story.submit(&service, 2).await;
    story.status(&service, &request, "SENT").await;
    test(&service, &gone).await;
    eventually("the test", async || {
        (receiver.calls_of("/410").len() == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_allowed_is_an_attempt_that_failed() {
    let story = begin().await;
    let service = story.serve();
    // A name of this machine, for which https is no more public than http.
    let endpoint = make(&service, "https://localhost:9/in", &["message.sent"]).await;
    test(&service, &endpoint).await;
    let path = format!("{}/deliveries", endpoint.path);
    let attempt = eventually("an attempt", async || {
        let list = service.get(&path).await.ok()?.json();
        let attempt = list["data"]["items"][0]["attempts"][0].clone();
        attempt.is_object().then_some(attempt)
    })
    .await;
    assert_eq!(attempt["status"], Value::Null);
    assert_eq!(attempt["error"], "address_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_share_the_work_and_a_call_is_made_once() {
    let story = begin().await;
    let services = [story.serve(), story.serve()];
    let receiver = Receiver::start().await;
    let endpoint = make(&services[0], &receiver.url("/204"), &["message.sent"]).await;
    let mut sent = Vec::new();
    for n in 0..40 {
        sent.push(story.submit(&services[n as usize % 2], n).await);
    }
    for request in &sent {
        story.status(&services[0], request, "SENT").await;
    }
    eventually("all events", async || {
        (receiver.calls().len() == 40).then_some(())
    })
    .await;
    let mut ids: Vec<_> = receiver
        .calls()
        .iter()
        .map(|call| call.id().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert!(
        receiver
            .calls()
            .iter()
            .all(|call| call.is_signed_with(&endpoint.secret))
    );
}
