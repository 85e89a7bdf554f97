//! A message that waits says why and until when, and a dealer's queue when it will be empty.

use chrono::{DateTime, TimeDelta, Utc};
use fonnte_simulator::{Fault, FaultBody};
use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{Service, Story, eventually, key_of, submission_of};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// Posts the submission number `n` of a dealer with these further fields, and returns the path of its
/// messages.
async fn submit(service: &Service, dealer: &str, n: u32, more: Value) -> String {
    let mut body = submission_of(dealer, n);
    let more = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().expect("it is an object").extend(more);
    let reply = service.post(SUBMIT, &body).await.expect("an answer");
    assert_eq!(reply.json()["status"], 1, "{}", reply.text);
    let path = reply.header("location").expect("it says where");
    format!("{path}/messages")
}

async fn change(service: &Service, dealer: &str, settings: Value) {
    let path = format!("/api/v1/admin/dealers/{dealer}/settings");
    let reply = service.send(Method::PATCH, &path, Some(&settings), &[]);
    let reply = reply.await.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Waits until the only message of a request is in this state.
async fn is_in(service: &Service, messages: &str, state: &str) {
    eventually(&format!("{messages} is {state}"), async || {
        let message = &service.get(messages).await.ok()?.json()["data"][0];
        (message["state"] == state).then_some(())
    })
    .await;
}

/// Waits until the only message of a request waits for this, and returns how it says so.
async fn waits_for(service: &Service, messages: &str, reason: &str) -> Value {
    eventually(&format!("{messages} waits for {reason}"), async || {
        let message = &service.get(messages).await.ok()?.json()["data"][0];
        let waiting = message["waiting"].clone();
        (waiting["for"] == reason).then_some(waiting)
    })
    .await
}

async fn queue(service: &Service, dealer: &str) -> Value {
    let path = format!("/api/v1/customer/dealer/{dealer}/queue");
    service.get(&path).await.expect("an answer").json()["data"].clone()
}

/// How many minutes from now a moment is.
fn minutes(until: &Value) -> i64 {
    let until = until.as_str().expect("somebody knows until when");
    let until = DateTime::parse_from_rfc3339(until).expect("a moment");
    (until.to_utc() - Utc::now()).num_minutes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_message_says_why_and_until_when() {
    let story = Story::begin()
        .await
        .with("RETRY_BASE_SECONDS", "1200")
        .with("UNKNOWN_WAIT_SECONDS", "3600");
    let dealers = story.add_dealers(6).await;
    let [scheduled, paced, blocked, quiet, limited, unlucky] = &dealers[..] else {
        panic!("there are as many as wanted: {dealers:?}")
    };
    let service = story.serve();
    eventually("the service is ready", async || {
        let reply = service.get("/api/v1/health/ready").await.ok()?;
        (reply.status == 200).then_some(())
    })
    .await;
    let empty = queue(&service, scheduled).await;
    for count in ["waiting", "scheduled", "sending"] {
        assert_eq!(empty[count], 0, "{empty}");
    }
    assert_eq!(empty["done_at"], Value::Null);

    let tomorrow = Utc::now() + TimeDelta::days(1);
    let send_at = json!({"sendAt": tomorrow.to_rfc3339()});
    let message = submit(&service, scheduled, 1, send_at).await;
    let waiting = waits_for(&service, &message, "schedule").await;
    assert!(
        (1_435..=1_440).contains(&minutes(&waiting["until"])),
        "{waiting}"
    );
    assert_eq!(queue(&service, scheduled).await["scheduled"], 1);

    let hourly = json!({"min_interval_ms": 3_600_000, "jitter_ms": 0});
    change(&service, paced, hourly).await;
    let first = submit(&service, paced, 2, json!({})).await;
    is_in(&service, &first, "SENT").await;
    let second = submit(&service, paced, 3, json!({})).await;
    let third = submit(&service, paced, 4, json!({})).await;
    let waiting = waits_for(&service, &second, "pace").await;
    assert!((55..=60).contains(&minutes(&waiting["until"])), "{waiting}");
    let waiting = waits_for(&service, &third, "turn").await;
    assert!(
        (115..=120).contains(&minutes(&waiting["until"])),
        "{waiting}"
    );
    assert_eq!(waiting["detail"], "1 message is before it");
    let behind = queue(&service, paced).await;
    assert_eq!(
        (&behind["waiting"], &behind["per_hour"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        (&behind["paused"], &behind["done_at"]),
        (&Value::Null, &waiting["until"])
    );

    let update = |dealer: &str, faults: Vec<fonnte_simulator::FaultSwitch>, offline| {
        let updated = story.simulator.update(&key_of(dealer), |switches| {
            switches.faults = faults;
            switches.offline = offline;
        });
        updated.expect("it is a device");
    };
    update(blocked, vec![], true);
    let message = submit(&service, blocked, 5, json!({})).await;
    let waiting = waits_for(&service, &message, "account").await;
    assert_eq!(waiting["until"], Value::Null);
    assert_eq!(waiting["detail"], "request invalid on disconnected device");
    let stuck = queue(&service, blocked).await;
    assert_eq!(
        (&stuck["paused"], &stuck["done_at"]),
        (&waiting, &Value::Null)
    );

    let local = Utc::now() + TimeDelta::hours(7);
    let time = |hours| {
        (local + TimeDelta::hours(hours))
            .format("%H:%M")
            .to_string()
    };
    let hours = json!({"quiet_hours": {"from": time(-2), "to": time(2)}});
    change(&service, quiet, hours).await;
    let message = submit(&service, quiet, 6, json!({})).await;
    let waiting = waits_for(&service, &message, "quiet_hours").await;
    assert!(
        (118..=120).contains(&minutes(&waiting["until"])),
        "{waiting}"
    );
    // A change of settings counts within 5 seconds; until then the queue may be told with the old ones.
    eventually("the queue knows the quiet hours", async || {
        (queue(&service, quiet).await["done_at"] == waiting["until"]).then_some(())
    })
    .await;

    change(&service, limited, json!({"daily_limit": 0})).await;
    let message = submit(&service, limited, 7, json!({})).await;
    let waiting = waits_for(&service, &message, "daily_limit").await;
    assert_eq!(waiting["until"], Value::Null);

    update(
        unlucky,
        vec![Fault::http(503, FaultBody::Html).once()],
        false,
    );
    let message = submit(&service, unlucky, 8, json!({})).await;
    let waiting = waits_for(&service, &message, "retry").await;
    assert!((15..=24).contains(&minutes(&waiting["until"])), "{waiting}");
    assert!(waiting["detail"].is_string(), "{waiting}");
    assert_eq!(queue(&service, unlucky).await["paused"]["for"], "retry");

    // The dealer of the story: an outcome that only a report can tell.
    let dealer = tests_e2e::DEALER;
    change(&service, dealer, json!({"exclusive_device": true})).await;
    let dropped = vec![Fault::Drop { queued: true }.once()];
    let updated = story
        .simulator
        .update(tests_e2e::KEY, |switches| switches.faults = dropped);
    updated.expect("it is a device");
    let message = submit(&service, dealer, 9, json!({})).await;
    let waiting = waits_for(&service, &message, "evidence").await;
    assert!((55..=60).contains(&minutes(&waiting["until"])), "{waiting}");
    let next = submit(&service, dealer, 10, json!({})).await;
    waits_for(&service, &next, "turn").await;
    let shown = queue(&service, dealer).await;
    assert_eq!(
        (&shown["sending"], &shown["waiting"]),
        (&1.into(), &1.into())
    );
    assert_eq!(shown["paused"]["for"], "evidence");
}
