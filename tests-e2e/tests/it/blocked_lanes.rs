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

/// The message tries again only when there is quota.
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_costs_one_try() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| switches.no_quota = true)
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let calls = |endpoint: &str| {
        let calls = story.simulator.calls();
        calls
            .iter()
            .filter(|call| call.endpoint == endpoint)
            .count()
    };
    eventually("three probes", async || {
        (calls("/device") >= 3).then_some(())
    })
    .await;
    assert_eq!(calls("/send"), 1);
    let lane = shown(&service).await["lane"].clone();
    assert_eq!(lane["quota_remaining"], 0, "{lane}");
    story
        .simulator
        .update(KEY, |switches| {
            switches.no_quota = false;
            switches.quota = 500;
        })
        .unwrap();
    story.status(&service, &path, "SENT").await;
    assert_eq!(calls("/send"), 2);
    let lane = shown(&service).await["lane"].clone();
    assert_eq!(lane["quota_remaining"], 499, "{lane}");
    assert_eq!(lane["account_expires_on"], "2099-12-31", "{lane}");
}

/// Of all copies one asks, and nobody again for most of a day.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_package_is_asked_for_where_something_was_sent() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| switches.quota = 42)
        .unwrap();
    let copies = [story.serve(), story.serve()];
    let lane = shown(&copies[0]).await["lane"].clone();
    assert_eq!(lane["account_expires_on"], Value::Null, "{lane}");
    let path = story.submit(&copies[0], 1).await;
    story.status(&copies[1], &path, "SENT").await;
    let lane = eventually("the profile is known", async || {
        let lane = shown(&copies[1]).await["lane"].clone();
        lane["account_expires_on"].is_string().then_some(lane)
    })
    .await;
    assert_eq!(lane["account_expires_on"], "2099-12-31", "{lane}");
    assert_eq!(lane["quota_remaining"], 41, "{lane}");
    let asked = story.simulator.calls();
    let asked = asked.iter().filter(|call| call.endpoint == "/device");
    assert_eq!(asked.count(), 1);
    let next = "SELECT count(*) FROM customer.lane
        WHERE profile_due_at BETWEEN now() + INTERVAL '17 hours' AND now() + INTERVAL '24 hours'";
    assert_eq!(story.count(next).await, 1);
    for metric in [
        "customer_service_lowest_quota 41",
        "customer_service_accounts_low_on_quota 1",
        "customer_service_accounts_expiring 0",
    ] {
        eventually(metric, async || {
            let metrics = copies[0].get("/metrics").await.ok()?.text;
            metrics.lines().any(|line| line == metric).then_some(())
        })
        .await;
    }
}

async fn shown(service: &Service) -> Value {
    let path = format!("/api/v1/admin/dealers/{DEALER}");
    service.get(&path).await.unwrap().json()["data"].clone()
}

/// Nothing could have been sent meanwhile, whatever else holds up the lane.
#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_do_not_make_messages_of_a_blocked_lane_older() {
    let story = Story::begin()
        .await
        // 11 seconds: a busy machine needs a few for what comes before the quiet hours.
        .with("MESSAGE_TTL_HOURS", "0.003")
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
