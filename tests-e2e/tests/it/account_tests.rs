//! Test messages: whatever becomes of whoever asked for one, or of the service, the call is accounted
//! for, or remembered as one that is not.

use std::net::SocketAddr;
use std::time::Duration;

use fonnte_simulator::{Fault, Stage};
use serde_json::json;
use tests_e2e::{DEALER, KEY, Service, Story, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::webhooks::Reported;

const WAIT: Duration = Duration::from_secs(10);
const PATH: &str = "/api/v1/customer/dealer/0009999/test-whatsapp";

/// A dealer whose device nobody else uses, so that status events can tell unknown outcomes.
async fn exclusive(wait_seconds: &str) -> Story {
    let story = Story::begin()
        .await
        .with("FONNTE_TIMEOUT", "2")
        .with("LANE_LEASE_SECONDS", "7")
        .with("ON_UNKNOWN", "hold")
        .with("UNKNOWN_WAIT_SECONDS", wait_seconds);
    story
        .execute(
            "INSERT INTO customer.dealer_settings (dealer_id, exclusive_device) VALUES ($1, true)",
            &[&DEALER],
        )
        .await;
    story
}

fn meets(story: &Story, fault: Fault) {
    let switch = |switches: &mut fonnte_simulator::Switches| switches.faults = vec![fault.once()];
    story.simulator.update(KEY, switch).unwrap();
}

/// Asks for a test message and resets the connection once Fonnte has taken the message.
async fn ask_and_reset(story: &Story, service: &Service) {
    let address = SocketAddr::from(([127, 0, 0, 1], service.port()));
    let mut caller = TcpStream::connect(address).await.unwrap();
    let body = r#"{"target":"081299990000"}"#;
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    caller.write_all(request.as_bytes()).await.unwrap();
    story.simulator.wait_for_messages(1, WAIT).await.unwrap();
    // Dropped, it is reset at once.
    caller.set_zero_linger().unwrap();
}

/// Waits until an event of the provider was looked at and matches nothing.
async fn looked_at_in_vain(story: &Story) {
    eventually("the event was looked at", async || {
        let looked_at = "SELECT count(*) FROM customer.webhook_event
            WHERE message_id IS NULL AND next_look_at >= received_at + INTERVAL '1 second'";
        (story.count(looked_at).await > 0).then_some(())
    })
    .await;
}

/// A message that never reaches Fonnte, and whose outcome is unknown.
async fn lost_message(story: &Story, service: &Service, n: u32) -> String {
    meets(story, Fault::Drop { queued: false });
    let path = story.submit(service, n).await;
    eventually("the outcome is unknown", async || {
        (story.outcomes(&path).await == ["unknown"]).then_some(())
    })
    .await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_whose_caller_resets_its_connection_is_accounted_for() {
    let story = exclusive("3600").await;
    let Reported { story, service, .. } = Reported::begin(story).await;
    meets(&story, Fault::Slow { ms: 500 });
    ask_and_reset(&story, &service).await;
    let id = story.simulator.messages()[0].id;
    eventually("the call is accounted for, and counted", async || {
        let lanes = format!(
            "SELECT count(*) FROM customer.lane
            WHERE lease_until IS NULL AND calls = 1 AND last_provider_id = {id}"
        );
        (story.count(&lanes).await == 1).then_some(())
    })
    .await;
    // The report about the test says nothing about a message that Fonnte never got.
    let lost = lost_message(&story, &service, 1).await;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    looked_at_in_vain(&story).await;
    story.status(&service, &lost, "NOT_SENT").await;
    assert_eq!(story.simulator.message_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_counts_for_the_day_whatever_becomes_of_its_caller() {
    let story = exclusive("3600").await;
    story
        .execute("UPDATE customer.dealer_settings SET daily_limit = 1", &[])
        .await;
    let Reported { story, service, .. } = Reported::begin(story).await;
    meets(&story, Fault::Slow { ms: 500 });
    ask_and_reset(&story, &service).await;
    let path = story.submit(&service, 1).await;
    eventually("the lane rests until tomorrow", async || {
        let resting = "SELECT count(*) FROM customer.lane WHERE rest_until > now()";
        (story.count(resting).await == 1).then_some(())
    })
    .await;
    story.status(&service, &path, "NOT_SENT").await;
    assert_eq!(story.simulator.message_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_dies_with_the_service_is_evidence_for_nobody() {
    let story = exclusive("2").await;
    meets(&story, Fault::Hang { queued: true });
    let service = story.serve_faulty("KILL", "send-during", 1);
    let asked = service.post(PATH, &json!({"target": "081299990000"})).await;
    assert!(asked.is_err(), "the service is dead");
    let id = story.simulator.messages()[0].id;

    let Reported { story, service, .. } = Reported::begin(story).await;
    let lost = lost_message(&story, &service, 1).await;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    let item = story.status(&service, &lost, "ERROR").await;
    assert_eq!(item["request_status"], "FAILED");
    assert_eq!(
        story.count("SELECT calls::bigint FROM customer.lane").await,
        2,
        "both calls count for the day"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_without_a_known_outcome_is_evidence_for_nobody() {
    let story = exclusive("2").await;
    let Reported { story, service, .. } = Reported::begin(story).await;
    meets(&story, Fault::Drop { queued: true });
    let reply = service
        .post(PATH, &json!({"target": "081299990000"}))
        .await
        .unwrap();
    assert_eq!(reply.status, 400, "{}", reply.text);
    let id = story.simulator.messages()[0].id;
    let lost = lost_message(&story, &service, 1).await;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    story.status(&service, &lost, "ERROR").await;

    // Nor is the report about a message that was given up evidence for the next one.
    meets(&story, Fault::Drop { queued: true });
    let given_up = story.submit(&service, 2).await;
    story.status(&service, &given_up, "ERROR").await;
    let id = story.simulator.messages()[1].id;
    let lost = lost_message(&story, &service, 3).await;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    story.status(&service, &lost, "ERROR").await;

    // A message whose id is known is later than all of these: evidence counts again.
    let known = story.submit(&service, 4).await;
    story.status(&service, &known, "SENT").await;
    meets(&story, Fault::Drop { queued: true });
    let told = story.submit(&service, 5).await;
    eventually("the outcome is unknown", async || {
        (story.outcomes(&told).await == ["unknown"]).then_some(())
    })
    .await;
    let id = story.simulator.messages()[3].id;
    story.simulator.advance(id, Stage::Delivered).await.unwrap();
    story.status(&service, &told, "DELIVERED").await;
}
