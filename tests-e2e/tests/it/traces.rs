//! Traces of OpenTelemetry: what a collector is told, and that the service does without it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tests_e2e::{KEY, Story, eventually, submission};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

const TRACE: [u8; 16] = [
    0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c,
];

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Takes what is posted to it, and keeps it.
struct Collector {
    endpoint: String,
    posts: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let posts = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = posts.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { take(stream, &kept).await });
            }
        });
        Self { endpoint, posts }
    }

    fn all(&self) -> Vec<u8> {
        self.posts.lock().expect("no holder panics").concat()
    }
}

/// One request on a connection, which is closed after the answer.
async fn take(mut stream: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) -> Option<()> {
    let mut post = Vec::new();
    let length = loop {
        if stream.read_buf(&mut post).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = find(&post, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&post[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1)?.lines().next()?;
            break end + 4 + length.trim().parse::<usize>().ok()?;
        }
    };
    while post.len() < length {
        if stream.read_buf(&mut post).await.ok()? == 0 {
            return None;
        }
    }
    kept.lock().expect("no holder panics").push(post);
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer).await.ok()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_leads_from_the_post_to_the_delivery_and_tells_nothing_personal() {
    let collector = Collector::start().await;
    let story = Story::begin()
        .await
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
        .with("OTEL_BSP_SCHEDULE_DELAY", "100");
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    let headers = [
        ("traceparent", TRACEPARENT),
        ("X-Request-Id", "story-of-a-trace"),
    ];
    let client = service.client();
    let body = submission(1);
    let reply = client.send(Method::POST, SUBMIT, Some(&body), &headers);
    let path = reply.await.unwrap().header("location").unwrap().to_owned();
    story.status(&service, &path, "SENT").await;
    let told = eventually("both spans are told", async || {
        let told = collector.all();
        let spans = told.windows(16).filter(|window| *window == TRACE).count();
        (spans >= 2 && find(&told, b"delivery").is_some()).then_some(told)
    })
    .await;
    for part in [
        "POST /v1/traces HTTP/1.1",
        "application/x-protobuf",
        "customer-service",
        "POST /api/v1/customer/validate-customer",
        "story-of-a-trace",
        "send.outcome",
        "accepted",
    ] {
        assert!(find(&told, part.as_bytes()).is_some(), "{part}");
    }
    for part in [KEY, "81200000001", "Adit", "D 123 AD", "Terima kasih"] {
        assert!(find(&told, part.as_bytes()).is_none(), "{part}");
    }
    let stored = "SELECT count(*) FROM customer.message
        WHERE traceparent LIKE '00-0af7651916cd43dd8448eb211c80319c-%-01'
            AND http_request_id = 'story-of-a-trace'";
    assert_eq!(story.count(stored).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_delays_nobody_and_is_complained_of_once() {
    let story = Story::begin()
        .await
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .with("OTEL_BSP_SCHEDULE_DELAY", "50");
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    for n in 1..=3 {
        let path = story.submit(&service, n).await;
        story.status(&service, &path, "SENT").await;
    }
    let complaints = || {
        let log = service.log();
        let complains = |line: &&String| {
            serde_json::from_str::<Value>(line).is_ok_and(|line| {
                line["message"]
                    .as_str()
                    .is_some_and(|words| words.contains("traces cannot be delivered"))
            })
        };
        log.iter().filter(complains).count()
    };
    eventually("it is complained of", async || {
        (complaints() > 0).then_some(())
    })
    .await;
    assert_eq!(complaints(), 1);
    let began = Instant::now();
    let (status, _) = service.terminate().await;
    assert!(status.success());
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_messages_carry_no_trace() {
    let story = Story::begin().await;
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    let headers = [("traceparent", TRACEPARENT)];
    let body = submission(1);
    let client = service.client();
    let reply = client.send(Method::POST, SUBMIT, Some(&body), &headers);
    assert_eq!(reply.await.unwrap().status, 200);
    let stored = "SELECT count(*) FROM customer.message
        WHERE traceparent IS NULL AND http_request_id IS NOT NULL";
    assert_eq!(story.count(stored).await, 1);
}
