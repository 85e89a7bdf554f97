use std::time::{Duration, Instant};

use fonnte_simulator::Fault;
use local_postgres::{LocalPostgres, Options};
use tests_e2e::{KEY, Story, eventually, submission};

const WAIT: Duration = Duration::from_secs(10);
const PATH: &str = "/api/v1/customer/validate-customer";

/// Settings under which a dead copy is noticed soon.
fn hasty(story: Story) -> Story {
    story
        .with("FONNTE_TIMEOUT", "1")
        .with("LANE_LEASE_SECONDS", "6")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_kill_is_sent_after_the_restart() {
    // The kill may come in the middle of a call in vain, whose lease has to end.
    let story = hasty(Story::begin().await);
    // Nothing is sent before the kill.
    story.simulator.stop_listening().await.unwrap();
    let service = story.serve();
    let mut paths = Vec::new();
    for n in 1..=10 {
        paths.push(story.submit(&service, n).await);
    }
    service.kill();
    story.simulator.listen_again().await.unwrap();
    let story = story.with("RETRY_BASE_SECONDS", "0.01");
    let service = story.serve();
    for path in &paths {
        story.status(&service, path, "SENT").await;
    }
    assert_eq!(story.simulator.message_count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_send_is_an_unknown_outcome_and_repeated_once() {
    let story = hasty(Story::begin().await);
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Hang { queued: true }.once()]
        })
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.simulator.wait_for_messages(1, WAIT).await.unwrap();
    service.kill();

    let service = story.serve();
    story.status(&service, &path, "SENT").await;
    assert_eq!(story.outcomes(&path).await, ["unknown", "accepted"]);
    assert_eq!(story.simulator.message_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_hold_a_kill_in_the_middle_of_a_send_is_left_to_a_person() {
    let story = hasty(Story::begin().await).with("ON_UNKNOWN", "hold");
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Hang { queued: true }.once()]
        })
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.simulator.wait_for_messages(1, WAIT).await.unwrap();
    service.kill();

    let service = story.serve();
    story.status(&service, &path, "ERROR").await;
    assert_eq!(story.simulator.message_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_loses_nothing_and_the_service_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let story = Story::begin_at(&server.url("customer_service")).await;
    let service = story.serve();
    let mut acknowledged = Vec::new();
    for n in 1..=20 {
        acknowledged.push(story.submit(&service, n).await);
    }

    server.kill().unwrap();
    let began = Instant::now();
    let reply = service.post(PATH, &submission(21)).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_millis(5_500),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(
        reply.text,
        r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#
    );
    let began = Instant::now();
    let reply = service.get(&acknowledged[0]).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(reply.status, 503);
    let began = Instant::now();
    assert_eq!(service.get("/api/v1/health/").await.unwrap().status, 200);
    assert!(
        began.elapsed() < Duration::from_millis(50),
        "{:?}",
        began.elapsed()
    );
    let detailed = service.get("/api/v1/health/detailed").await.unwrap();
    assert_eq!(
        (detailed.status, &detailed.json()["checks"]["database"]),
        (503, &"unhealthy".into())
    );

    server.restart().unwrap();
    for path in &acknowledged {
        story.status(&service, path, "SENT").await;
    }
    story.submit(&service, 22).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_before_its_database_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let story = Story::begin_at(&server.url("customer_service")).await;
    server.kill().unwrap();
    let service = story.serve();
    assert_eq!(
        service.get("/api/v1/health/live").await.unwrap().status,
        200
    );
    assert_eq!(
        service.get("/api/v1/health/ready").await.unwrap().status,
        503
    );
    server.restart().unwrap();
    eventually("it is ready", async || {
        let reply = service.get("/api/v1/health/ready").await.ok()?;
        (reply.status == 200).then_some(())
    })
    .await;
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_what_is_in_flight_and_exits_with_0() {
    let story = Story::begin().await;
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::Slow { ms: 1_500 }.once()]
        })
        .unwrap();
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.simulator.wait_for_calls(1, WAIT).await.unwrap();
    let (status, log) = service.terminate().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert_eq!(story.outcomes(&path).await, ["accepted"]);
    assert_eq!(
        story
            .count("SELECT count(*) FROM customer.message WHERE state = 'SENT'")
            .await,
        1
    );
}
