use std::time::{Duration, Instant};

use fonnte_simulator::Fault;
use tests_e2e::{KEY, Story};

/// 40 MB are promised, of which half is left for the program's code and a busy machine.
const IDLE_BYTES: u64 = 20 * 1_024 * 1_024;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_wait_for_fonnte() {
    let story = Story::begin().await;
    let service = story.serve();
    let mut quick = Vec::new();
    for n in 0..30 {
        let began = Instant::now();
        story.submit(&service, n).await;
        quick.push(began.elapsed());
    }
    let slow = Fault::Slow { ms: 10_000 }.until_off();
    story
        .simulator
        .update(KEY, |switches| switches.faults = vec![slow])
        .unwrap();
    let mut during = Vec::new();
    for n in 30..60 {
        let began = Instant::now();
        story.submit(&service, n).await;
        during.push(began.elapsed());
    }
    let (quick, during) = (median(quick), median(during));
    assert!(
        during < quick * 3 + Duration::from_millis(20),
        "{quick:?} before, {during:?} while Fonnte is slow"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migrated_database_is_served_within_a_second_with_little_memory() {
    let story = Story::begin().await;
    let service = story.serve();
    assert_eq!(service.get("/api/v1/health/").await.unwrap().status, 200);
    let elapsed = service.started().elapsed();
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    assert!(
        service.resident_bytes() < IDLE_BYTES,
        "{} bytes",
        service.resident_bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_quick_while_everything_else_is_busy() {
    let story = Story::begin().await;
    let service = story.serve();
    let mut callers = Vec::new();
    for caller in 0..16_u32 {
        let client = service.client();
        callers.push(tokio::spawn(async move {
            for n in 0..20 {
                let body = tests_e2e::submission(caller * 100 + n);
                let reply = client
                    .post("/api/v1/customer/validate-customer", &body)
                    .await
                    .unwrap();
                assert_eq!(reply.status, 200);
            }
        }));
    }
    let mut times = Vec::new();
    while callers.iter().any(|caller| !caller.is_finished()) {
        let began = Instant::now();
        assert_eq!(service.get("/api/v1/health/").await.unwrap().status, 200);
        times.push(began.elapsed());
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let median = median(times);
    assert!(median < Duration::from_millis(50), "{median:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_holds_a_name_a_phone_or_a_key() {
    let story = Story::begin().await.with("LOG_LEVEL", "TRACE");
    story
        .simulator
        .update(KEY, |switches| {
            switches.faults = vec![Fault::reason("6281200000001 is odd").once()]
        })
        .unwrap();
    let service = story.serve();
    for (n, status) in [(1, "FAILED"), (2, "SENT")] {
        let path = story.submit(&service, n).await;
        story.status(&service, &path, status).await;
    }
    let (_, log) = service.terminate().await;
    let log = log.join("\n");
    assert!(log.contains("delivery settled"), "{log}");
    for secret in [KEY, "Adit", "D 123 AD", "0812000000", "62812000000", "Halo"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
