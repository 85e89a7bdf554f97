//! Lanes whose account seems not to send: what it costs, and whom.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{DEALER, KEY, Service, Story, eventually, submission, submission_of};

const POST: &str = "/api/v1/customer/validate-customer";
const WAIT: Duration = Duration::from_secs(10);

/// Stores a submission whose text a firewall does not like.
async fn submit_poison(service: &Service, n: u32) -> String {
    let mut body = submission(n);
    body["namaPembawa"] = "Racun".into();
    let reply = service.post(POST, &body).await.unwrap();
    reply.header("location").unwrap().to_owned()
}

/// Whoever refuses messages by their text does so for ever; the device is well all the time.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_a_firewall_refuses_fail_and_stop_nobody() {
    for status in [400, 403, 406, 413, 451, 302] {
        let story = Story::begin().await;
        story
            .simulator
            .update(KEY, |switches| {
                switches.forbidden_text = Some("Racun".to_owned());
                switches.forbidden_status = status;
            })
            .unwrap();
        let service = story.serve();
        let first = submit_poison(&service, 1).await;
        let second = submit_poison(&service, 2).await;
        let mut behind = Vec::new();
        for n in 3..6 {
            behind.push(story.submit(&service, n).await);
        }
        for path in [&first, &second] {
            let item = story.status(&service, path, "FAILED").await;
            assert_eq!(item["request_status"], "FAILED");
            assert_eq!(story.outcomes(path).await, ["blocked", "blocked"]);
        }
        for path in &behind {
            story.status(&service, path, "SENT").await;
            assert_eq!(story.outcomes(path).await, ["accepted"]);
        }
        let messages = format!("{first}/messages");
        let reply = service.get(&messages).await.unwrap();
        let told = reply.json()["data"][0]["reason"].clone();
        assert_eq!(told, format!("HTTP {status}"), "{}", reply.text);
    }
}

/// Nothing could have been sent meanwhile, whatever else holds up the lane.
#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_do_not_make_messages_of_a_blocked_lane_older() {
    let story = Story::begin()
        .await
        .with("MESSAGE_TTL_HOURS", "0.001")
        .with("BREAKER_OPEN_SECONDS", "3600");
    let other = story.add_dealers(1).await.remove(0);
    let offline = |key: &str| {
        story
            .simulator
            .update(key, |switches| switches.offline = true)
            .unwrap();
    };
    offline(KEY);
    offline(&tests_e2e::key_of(&other));
    let service = story.serve();
    let quiet = story.submit(&service, 1).await;
    eventually("the breaker opens", async || {
        (story.outcomes(&quiet).await == ["blocked"]).then_some(())
    })
    .await;
    let hour = |from_now: i64| {
        let at = chrono::Utc::now() + chrono::TimeDelta::hours(7 + from_now);
        at.format("%H:%M").to_string()
    };
    let hours = json!({"quiet_hours": {"from": hour(-2), "to": hour(2)}});
    let settings = format!("/api/v1/admin/dealers/{DEALER}/settings");
    let change = async |change: Value| {
        let client = service.client();
        let reply = client.send(Method::PATCH, &settings, Some(&change), &[]);
        assert_eq!(reply.await.unwrap().status, 200);
    };
    change(hours).await;

    // What came later in a lane without quiet hours has become too old.
    let body = submission_of(&other, 2);
    let reply = service.post(POST, &body).await.unwrap();
    let loud = reply.header("location").unwrap().to_owned();
    story.status(&service, &loud, "FAILED").await;
    story.status(&service, &quiet, "NOT_SENT").await;

    // Settings that no longer forbid sending do not make up for it.
    change(json!({"quiet_hours": null})).await;
    story
        .simulator
        .update(KEY, |switches| switches.offline = false)
        .unwrap();
    story
        .execute("UPDATE customer.lane SET ready_at = now()", &[])
        .await;
    story.status(&service, &quiet, "SENT").await;
    story.simulator.wait_for_messages(1, WAIT).await.unwrap();
}
