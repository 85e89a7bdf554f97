use std::time::Duration;

use fonnte_simulator::{Fault, FaultBody};
use serde_json::{Value, json};
use tests_e2e::{KEY, Service, Story, eventually};

const WAIT: Duration = Duration::from_secs(10);

/// One request that meets this fault once; ends in `status` after these outcomes.
async fn meets(fault: Fault, status: &str, outcomes: &[&str]) -> (Story, Service, Value) {
    let story = Story::begin()
        .await
        .with("FONNTE_TIMEOUT", "1")
        .with("LANE_LEASE_SECONDS", "6");
    story
        .simulator
        .update(KEY, |switches| switches.faults = vec![fault.once()])
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let item = story.status(&service, &path, status).await;
    assert_eq!(story.outcomes(&path).await, outcomes);
    (story, service, item)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_failed_and_never_shown_as_sent() {
    let (story, _service, item) =
        meets(Fault::reason("target invalid"), "FAILED", &["refused"]).await;
    assert_eq!(item["request_status"], "FAILED");
    assert_eq!(item["fonnte_response"]["reason"], "target invalid");
    assert_eq!(story.simulator.message_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_reason_is_a_refusal() {
    meets(Fault::reason("the moon is full"), "FAILED", &["refused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_account_keeps_its_messages_until_it_works_again() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| switches.offline = true)
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    eventually("the breaker opens", async || {
        (story.outcomes(&path).await == ["blocked"]).then_some(())
    })
    .await;
    let item = story.status(&service, &path, "NOT_SENT").await;
    assert_eq!(item["request_status"], "PENDING");
    assert_eq!(
        item["fonnte_response"]["reason"],
        "request invalid on disconnected device"
    );

    story
        .simulator
        .update(KEY, |switches| switches.offline = false)
        .unwrap();
    story.status(&service, &path, "SENT").await;
    assert_eq!(story.outcomes(&path).await, ["blocked", "accepted"]);
    let calls = story.simulator.calls();
    let endpoints: Vec<&str> = calls.iter().map(|call| &*call.endpoint).collect();
    assert_eq!(endpoints.first(), Some(&"/send"));
    assert_eq!(endpoints.last(), Some(&"/send"));
    assert!(
        endpoints[1..endpoints.len() - 1]
            .iter()
            .all(|endpoint| *endpoint == "/device"),
        "{endpoints:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_ends_the_pause_that_the_old_one_caused() {
    let story = Story::begin().await.with("BREAKER_OPEN_SECONDS", "3600");
    story
        .simulator
        .update(KEY, |switches| switches.bad_token = true)
        .unwrap();
    story
        .simulator
        .add_device(fonnte_simulator::Device::new("story-key-2", "628000000002"))
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    eventually("the breaker opens", async || {
        (story.outcomes(&path).await == ["blocked"]).then_some(())
    })
    .await;
    story
        .execute(
            "UPDATE dealer_integration.dealers SET fonnte_api_key = 'story-key-2'",
            &[],
        )
        .await;
    story.status(&service, &path, "SENT").await;
    assert_eq!(&*story.simulator.messages()[0].device, "628000000002");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_errors_of_the_account_block_the_lane() {
    meets(
        Fault::http(403, FaultBody::Html),
        "SENT",
        &["blocked", "accepted"],
    )
    .await;
    meets(
        Fault::redirect("http://127.0.0.1:9/send"),
        "SENT",
        &["blocked", "accepted"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_certainly_not_sent_is_tried_again() {
    meets(
        Fault::too_many_requests(0),
        "SENT",
        &["not_sent", "accepted"],
    )
    .await;
    meets(
        Fault::http(503, FaultBody::Html),
        "SENT",
        &["not_sent", "accepted"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_while_nothing_listens_at_fonnte() {
    let story = Story::begin().await;
    story.simulator.stop_listening().await.unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    eventually("two tries", async || {
        (story.outcomes(&path).await.len() >= 2).then_some(())
    })
    .await;
    let item = story.status(&service, &path, "NOT_SENT").await;
    assert_eq!(
        item["fonnte_response"],
        json!({"error": "connection_error"})
    );
    story.simulator.listen_again().await.unwrap();
    story.status(&service, &path, "SENT").await;
    assert_eq!(story.simulator.message_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_repeated_once() {
    for fault in [
        Fault::Drop { queued: true },
        Fault::Truncate,
        Fault::CutJson,
        Fault::NoStatus,
        Fault::bad_gateway(),
        Fault::html(),
        Fault::empty(),
        Fault::Hang { queued: true },
    ] {
        meets(fault, "SENT", &["unknown", "accepted"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_unknown_outcome_is_left_to_a_person() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::bad_gateway().times(2)]
        })
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let item = story.status(&service, &path, "ERROR").await;
    assert_eq!(item["request_status"], "FAILED");
    assert_eq!(story.outcomes(&path).await, ["unknown", "unknown"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_hold_an_unknown_outcome_is_never_repeated() {
    let story = Story::begin().await.with("ON_UNKNOWN", "hold");
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Drop { queued: true }.once()]
        })
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let item = story.status(&service, &path, "ERROR").await;
    assert_eq!(
        item["fonnte_response"],
        json!({"error": "connection_error"})
    );
    let next = story.submit(&service, 2).await;
    story.status(&service, &next, "SENT").await;
    assert_eq!(story.simulator.message_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn lenient_answers_are_understood() {
    meets(Fault::TextStatus, "SENT", &["accepted"]).await;
    meets(Fault::CapitalStatus, "SENT", &["accepted"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_sent_in_time_expires() {
    let story = Story::begin()
        .await
        .with("MESSAGE_TTL_HOURS", "0.0005")
        .with("BREAKER_OPEN_SECONDS", "3600");
    story
        .simulator
        .update(KEY, |switches| switches.no_quota = true)
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let item = story.status(&service, &path, "FAILED").await;
    assert_eq!(item["request_status"], "FAILED");
    assert_eq!(
        story
            .count("SELECT count(*) FROM customer.message WHERE state = 'EXPIRED'")
            .await,
        1
    );
    assert_eq!(story.simulator.message_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dealer_never_delays_another() {
    let story = Story::begin().await;
    story.add_dealer("0002222", Some("other-key")).await;
    story
        .simulator
        .add_device(fonnte_simulator::Device::new("other-key", "628000000002"))
        .unwrap();
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Hang { queued: false }.until_off()]
        })
        .unwrap();
    let service = story.serve();
    let hanging = story.submit(&service, 1).await;
    story.simulator.wait_for_calls(1, WAIT).await.unwrap();
    let mut body = tests_e2e::submission(2);
    body["dealerId"] = "0002222".into();
    let reply = service
        .post("/api/v1/customer/validate-customer", &body)
        .await
        .unwrap();
    story
        .status(&service, reply.header("location").unwrap(), "SENT")
        .await;
    story.status(&service, &hanging, "NOT_SENT").await;
}
