//! What callers without a key can make the service do: next to nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests_e2e::{Client, Story, eventually};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const DETAILED: &str = "/api/v1/health/detailed";
const READY: &str = "/api/v1/health/ready";

/// How many of them there are, and for how long they stay at least.
const CALLERS: u32 = 200;
const SIEGE: Duration = Duration::from_secs(5);

/// How often the list of migrations was read, by which health looks at the database. PostgreSQL tells it
/// with some seconds' delay.
const LOOKS: &str = "
SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::bigint FROM pg_stat_all_tables
WHERE schemaname = 'customer' AND relname = '__diesel_schema_migrations'";

/// Asks for health, or reports to addresses that nobody has, until told to stop.
async fn besiege(client: Client, n: u32, stop: Arc<AtomicBool>, healthy: Arc<AtomicU32>) {
    while !stop.load(Ordering::Relaxed) {
        match n % 4 {
            0 => {
                let path = format!("/api/v1/webhooks/fonnte/nobody-has-this-token-{n:06}/status");
                let status = client.post(&path, &Value::Null).await.unwrap().status;
                assert!(matches!(status, 404 | 503), "{status}");
            }
            _ => {
                let path = if n.is_multiple_of(2) { DETAILED } else { READY };
                let reply = client.get(path).await.unwrap();
                assert_eq!(reply.status, 200, "{path}: {}", reply.text);
                healthy.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_costs_the_database_the_same_however_many_ask() {
    let story = Story::begin().await.with("API_AUTH", "required");
    let service = story.serve();
    eventually("the backlog is counted", async || {
        let reply = service.get(DETAILED).await.ok()?;
        reply.json()["messages"]["QUEUED"].is_object().then_some(())
    })
    .await;
    let mut behind = story.database.connect().await;
    let before = story.count(LOOKS).await;

    let (stop, healthy) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for n in 0..CALLERS {
        // Each has a connection of its own.
        let client = Client::new(&format!("http://127.0.0.1:{}", service.port()));
        callers.spawn(besiege(client, n, stop.clone(), Arc::clone(&healthy)));
    }
    eventually("they stayed long enough", async || {
        let enough = healthy.load(Ordering::Relaxed) > 5 * CALLERS;
        (began.elapsed() > SIEGE && enough).then_some(())
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    callers.join_all().await;
    let seconds = i64::try_from(began.elapsed().as_secs()).unwrap();
    // One a second, and one for the start of the program that may be told late.
    let looks = eventually("the looks are told", async || {
        let looks = story.count(LOOKS).await - before;
        (looks >= seconds - 1).then_some(looks)
    })
    .await;
    let answers = healthy.load(Ordering::Relaxed);
    println!("{answers} answers in {seconds} s, and {looks} looks at the database");
    assert!(looks <= seconds + 5, "{looks} in {seconds} s");

    // What is not finished is only read: the table is locked, and nobody waits for it.
    let lock = behind.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();
    let asked = Instant::now();
    for _ in 0..20 {
        let reply = service.get(DETAILED).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(
            reply.json()["messages"]["QUEUED"].is_object(),
            "{}",
            reply.text
        );
    }
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    lock.rollback().await.unwrap();
}

/// Half of the time that requests in flight have.
const PROMPT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn connections_on_which_nothing_is_asked_do_not_hold_up_the_end() {
    let story = Story::begin().await;
    let service = story.serve();
    let mut silent = TcpStream::connect(("127.0.0.1", service.port()))
        .await
        .unwrap();
    // This one is kept after its answer.
    assert_eq!(service.get(READY).await.unwrap().status, 200);
    let client = service.client();
    assert_eq!(client.get("/api/v1/health").await.unwrap().status, 200);
    let began = Instant::now();
    let (status, log) = service.terminate().await;
    assert!(status.success(), "{log:#?}");
    assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
    let mut told = Vec::new();
    // It may also be reset.
    let _ = silent.read_to_end(&mut told).await;
    assert_eq!(told, b"");
}
