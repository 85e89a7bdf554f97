//! What operators see of it all: `/metrics` and the log.

use fonnte_simulator::Fault;
use reqwest::Method;
use serde_json::Value;
use tests_e2e::{KEY, Service, Story, eventually, key_of, submission, submission_of};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// The value of a series, written as Prometheus text has it.
async fn metric(service: &Service, series: &str) -> Option<f64> {
    let text = service.get("/metrics").await.ok()?.text;
    let line = text
        .lines()
        .find(|line| line.rsplit_once(' ').map(|(found, _)| found) == Some(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until a series has this value.
async fn shows(service: &Service, series: &str, value: f64) {
    eventually(&format!("{series} is {value}"), async || {
        let found = metric(service, series).await?;
        ((found - value).abs() < 0.001).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_what_became_of_everything() {
    let story = Story::begin()
        .await
        .with("BREAKER_OPEN_SECONDS", "3600")
        .with("ON_UNKNOWN", "hold");
    let blocked = story.add_dealers(1).await.remove(0);
    story
        .simulator
        .update(&key_of(&blocked), |switches| switches.bad_token = true)
        .unwrap();
    let service = story.serve();
    shows(&service, "customer_service_database_up", 1.0).await;

    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    for (n, fault, status) in [
        (2, Fault::reason("target invalid"), "FAILED"),
        (3, Fault::bad_gateway(), "ERROR"),
    ] {
        story
            .simulator
            .update(KEY, |switches| switches.faults = vec![fault.once()])
            .unwrap();
        let path = story.submit(&service, n).await;
        story.status(&service, &path, status).await;
    }
    let reply = service.post(SUBMIT, &submission_of(&blocked, 4)).await;
    assert_eq!(reply.unwrap().json()["status"], 1);
    let reply = service.post(SUBMIT, &submission_of("nobody", 5)).await;
    assert_eq!(reply.unwrap().json()["status"], 0);
    let webhook = "/api/v1/webhooks/fonnte/nobody-has-this-token-0000/status";
    service.post(webhook, &Value::Null).await.unwrap();

    for (series, value) in [
        ("customer_service_submissions_total{result=\"stored\"}", 4.0),
        (
            "customer_service_submissions_total{result=\"unknown_dealer\"}",
            1.0,
        ),
        (
            "customer_service_http_requests_total{method=\"POST\",route=\"/api/v1/customer/validate-customer\",status=\"200\"}",
            5.0,
        ),
        (
            "customer_service_webhook_reports_total{result=\"unknown_address\",topic=\"status\"}",
            1.0,
        ),
        (
            "customer_service_send_outcomes_total{outcome=\"accepted\"}",
            1.0,
        ),
        (
            "customer_service_send_outcomes_total{outcome=\"refused\"}",
            1.0,
        ),
        (
            "customer_service_send_outcomes_total{outcome=\"unknown\"}",
            1.0,
        ),
        (
            "customer_service_send_outcomes_total{outcome=\"blocked\"}",
            1.0,
        ),
        (
            "customer_service_messages_settled_total{change=\"unknown\"}",
            1.0,
        ),
        ("customer_service_lane_blocks_total{cause=\"token\"}", 1.0),
        ("customer_service_send_duration_seconds_count", 4.0),
        ("customer_service_lanes_blocked", 1.0),
        ("customer_service_messages{state=\"QUEUED\"}", 1.0),
        ("customer_service_messages{state=\"UNKNOWN\"}", 1.0),
        ("customer_service_messages_past_due", 1.0),
    ] {
        shows(&service, series, value).await;
    }
    assert!(metric(&service, "customer_service_oldest_block_seconds").await > Some(0.0));
    // What is blocked has an excuse.
    let unhindered = "customer_service_oldest_unhindered_seconds";
    assert_eq!(metric(&service, unhindered).await, Some(0.0));

    let text = service.get("/metrics").await.unwrap().text;
    let key = key_of(&blocked);
    for told in [
        "0009999", &blocked, KEY, &key, "0812", "62812", "Adit", "nobody",
    ] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    let headers = [("X-Forwarded-For", "10.0.0.1")];
    let proxied = service.client();
    let reply = proxied.send(Method::GET, "/metrics", None, &headers).await;
    assert_eq!(reply.unwrap().status, 403);
}

/// The lines of the log about a call.
fn lines_about(service: &Service, request_id: &str) -> Vec<Value> {
    service
        .log()
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["span"]["http.request_id"] == request_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_leads_from_the_post_to_fonntes_answer() {
    let story = Story::begin().await;
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    let headers = [("X-Request-Id", "story-of-a-call")];
    let client = service.client();
    let body = submission(1);
    let reply = client.send(Method::POST, SUBMIT, Some(&body), &headers);
    let path = reply.await.unwrap().header("location").unwrap().to_owned();
    story.status(&service, &path, "SENT").await;
    let lines = eventually("the delivery is logged", async || {
        let lines = lines_about(&service, "story-of-a-call");
        (lines.len() >= 3).then_some(lines)
    })
    .await;
    let told: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    for message in ["request stored", "answered", "delivery settled"] {
        assert!(told.contains(&&Value::from(message)), "{told:?}");
    }
    let delivery = lines
        .iter()
        .find(|line| line["message"] == "delivery settled");
    let delivery = delivery.expect("it is there");
    assert_eq!(delivery["send.outcome"], "accepted");
    assert!(path.ends_with(delivery["request.id"].as_str().unwrap()));

    let headers = [("X-Request-Id", "story-of-another-call")];
    let resend = format!("{path}/resend");
    let reply = client.send(Method::POST, &resend, None, &headers).await;
    assert_eq!(reply.unwrap().status, 202);
    eventually("the second delivery is logged", async || {
        lines_about(&service, "story-of-another-call")
            .iter()
            .any(|line| line["message"] == "delivery settled")
            .then_some(())
    })
    .await;
}
