//! A log that nobody reads: standard error is a full pipe.

use std::time::{Duration, Instant};

use tests_e2e::{Service, Story, eventually};

/// Far less than a caller or a supervisor waits.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Calls until so much is logged that lines are dropped; every call is answered meanwhile.
async fn fill(service: &Service) {
    let series = "customer_service_log_lines_dropped_total ";
    eventually("lines are dropped", async || {
        for _ in 0..50 {
            let began = Instant::now();
            let reply = service.get("/api/v1/health/").await;
            assert_eq!(reply.expect("it answers").status, 200);
            assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        }
        let text = service.get("/metrics").await.ok()?.text;
        let line = text.lines().find(|line| line.starts_with(series))?;
        (!line.ends_with(" 0")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_nothing() {
    for format in ["json", "pretty"] {
        let story = Story::begin().await.with("LOG_LEVEL", "TRACE");
        let story = story.with("LOG_FORMAT", format);
        let service = story.serve();
        let unread = service.leave_log_unread().await;
        fill(&service).await;
        let began = Instant::now();
        let (status, _) = service.terminate().await;
        assert!(status.success(), "{format}: {status}");
        assert!(began.elapsed() < AT_ONCE, "{format}: {:?}", began.elapsed());
        drop(unread);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_lines_are_told_when_the_log_is_read_again() {
    for format in ["json", "pretty"] {
        let story = Story::begin().await.with("LOG_LEVEL", "TRACE");
        let story = story.with("LOG_FORMAT", format);
        let service = story.serve();
        let unread = service.leave_log_unread().await;
        fill(&service).await;
        drop(unread);
        eventually("it is told how many lines are missing", async || {
            let log = service.log();
            log.iter()
                .any(|line| line.contains("lines.dropped") && line.contains("ERROR"))
                .then_some(())
        })
        .await;
    }
}
