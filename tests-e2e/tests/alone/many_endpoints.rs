//! One endpoint never delays another, nor any message.

use std::time::Duration;

use chrono::DateTime;
use serde_json::json;
use tests_e2e::{ReceivedCall, Receiver, Service, Story, eventually, submission_of};
use tokio::task::JoinSet;

use crate::TURN;

/// 32 bytes.
const SECRETS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Dealers, each with as many endpoints as it may have: 1,000.
const DEALERS: u32 = 200;
const EACH: usize = 5;

/// Messages of each dealer, and the pause between two messages: 40 messages and 200 events a second, more than a
/// thousand workshops have.
const MESSAGES: u32 = 2;
const PACE: Duration = Duration::from_millis(25);

/// Of ten endpoints one never answers, and one answers 500.
fn behaviour(n: usize) -> &'static str {
    match n % 10 {
        3 => "hang",
        7 => "500",
        _ => "204",
    }
}

/// How long after its event a call came.
fn delay(call: &ReceivedCall) -> Duration {
    let event = call.event();
    let at = event["timestamp"].as_str().expect("a time");
    let at = DateTime::parse_from_rfc3339(at).expect("a time");
    let at = u64::try_from(at.timestamp_micros()).expect("a time");
    call.at.saturating_sub(Duration::from_micros(at))
}

async fn make_endpoints(service: &Service, receiver: &Receiver, dealers: &[String]) {
    let mut making = JoinSet::new();
    for (n, dealer) in dealers.iter().enumerate() {
        let path = format!("/api/v1/customer/dealer/{dealer}/endpoints");
        let urls: Vec<_> = (n * EACH..(n + 1) * EACH)
            .map(|n| receiver.url(&format!("/{}/{n}", behaviour(n))))
            .collect();
        let client = service.client();
        making.spawn(async move {
            for url in urls {
                let body = json!({"url": url, "events": ["message.sent"]});
                let made = client.post(&path, &body).await.expect("an answer");
                assert_eq!(made.status, 201, "{}", made.text);
            }
        });
    }
    making.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_hang_or_fail_do_not_delay_the_others() {
    let _turn = TURN.lock().await;
    let story = Story::begin().await.with("SECRETS_KEY", SECRETS_KEY);
    let dealers = story.add_dealers(DEALERS).await;
    let service = story.serve();
    let receiver = Receiver::start().await;
    make_endpoints(&service, &receiver, &dealers).await;
    let mut pace = tokio::time::interval(PACE);
    for n in 0..MESSAGES {
        for dealer in &dealers {
            pace.tick().await;
            let path = "/api/v1/customer/validate-customer";
            let stored = service.post(path, &submission_of(dealer, n)).await;
            let stored = stored.expect("an answer");
            assert_eq!(stored.json()["status"], 1, "{}", stored.text);
        }
    }
    let all = DEALERS as usize * EACH;
    let well = (0..all).filter(|n| behaviour(*n) == "204").count() * MESSAGES as usize;
    let calls = eventually("all deliveries to those that answer", async || {
        let mut calls = receiver.calls();
        calls.retain(|call| call.path.starts_with("/204/"));
        (calls.len() >= well).then_some(calls)
    })
    .await;
    let mut delays: Vec<_> = calls.iter().map(delay).collect();
    delays.sort();
    let p99 = delays[delays.len() * 99 / 100];
    let median = delays[delays.len() / 2];
    println!("{} deliveries: p50 {median:?}, p99 {p99:?}", delays.len());
    assert!(p99 < Duration::from_secs(1), "p50 {median:?}, p99 {p99:?}");
    // The others were called, too: those that fail as often as their schedule says.
    let hanging = receiver
        .calls()
        .iter()
        .filter(|call| call.path.starts_with("/hang/"))
        .count();
    assert!(hanging >= all / 10, "{hanging}");
}
