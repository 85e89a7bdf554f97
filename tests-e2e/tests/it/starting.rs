//! The service listens at once; what needs the database waits until that is reachable and up to date.

use std::time::{Duration, Instant};

use store_postgres::testing::TestDatabase;
use tests_e2e::{DEALER, Database, KEY, Reply, Service, Story, eventually, submission};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const PATH: &str = "/api/v1/customer/validate-customer";

/// What callers are promised, and a little for a busy machine.
const LIMIT: Duration = Duration::from_millis(5_500);

/// The dealers of an installation whose owner has made them; tables of ours are missing.
const DEALERS: &str = "
CREATE SCHEMA dealer_integration;
CREATE TABLE dealer_integration.dealers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) UNIQUE NOT NULL,
    dealer_name VARCHAR(255) NOT NULL,
    fonnte_api_key VARCHAR(255),
    fonnte_api_url VARCHAR(255) DEFAULT 'https://api.fonnte.com/send',
    is_active BOOLEAN DEFAULT TRUE, created_at TIMESTAMP, updated_at TIMESTAMP)";

async fn empty_but_for_dealers() -> Story {
    let database = TestDatabase::empty().await;
    let client = database.connect().await;
    client.batch_execute(DEALERS).await.unwrap();
    let story = Story::without_dealers(Database::Shared(database)).await;
    story.add_dealer(DEALER, Some(KEY)).await;
    story
}

/// Posts so many submissions at once.
async fn post_many(service: &Service, count: u32) -> Vec<Reply> {
    let mut posting = JoinSet::new();
    for n in 1..=count {
        let client = service.client();
        posting.spawn(async move {
            let began = Instant::now();
            let reply = client.post(PATH, &submission(n)).await.unwrap();
            assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
            reply
        });
    }
    posting.join_all().await
}

fn are_stored(replies: &[Reply]) {
    for reply in replies {
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["status"], 1, "{}", reply.text);
    }
}

/// The lines of the log with these words.
fn lines(service: &Service, words: &str) -> Vec<String> {
    let log = service.log().into_iter();
    log.filter(|line| line.contains(words)).collect()
}

/// No statement of ours has met a schema that is not its own.
fn nothing_was_missed(service: &Service) {
    assert_eq!(lines(service, "does not exist"), Vec::<String>::new());
}

/// And nothing else went wrong.
fn nothing_went_wrong(service: &Service) {
    nothing_was_missed(service);
    assert_eq!(lines(service, "\"ERROR\""), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_posted_the_moment_the_port_opens_are_stored() {
    let story = empty_but_for_dealers().await;
    let service = story.serve();
    are_stored(&post_many(&service, 20).await);
    nothing_went_wrong(&service);
    assert_eq!(
        story
            .count("SELECT count(*) FROM customer.customer_validation_request")
            .await,
        20
    );
}

/// A database without a single table, where the dealer is nobody.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_waits_for_the_schema() {
    let database = Database::Shared(TestDatabase::empty().await);
    let story = Story::without_dealers(database).await;
    let service = story.serve();
    let (posted, asked) = tokio::join!(post_many(&service, 20), async {
        let mut asking = JoinSet::new();
        for path in [
            "/api/v1/customer/request/00000000-0000-4000-8000-000000000001",
            "/api/v1/customer/dealer/0009999/requests",
            "/api/v1/customer/dealer/0009999/stats",
            "/api/v1/customer/request/00000000-0000-4000-8000-000000000001/messages",
            "/api/v1/admin/dealers",
            "/api/v1/admin/api-keys",
            "/api/v1/admin/audit",
            "/api/v1/health/",
            "/api/v1/health/live",
            "/metrics",
        ] {
            let client = service.client();
            asking.spawn(async move { (path, client.get(path).await.unwrap()) });
        }
        asking.join_all().await
    });
    for reply in posted {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    for (path, reply) in asked {
        assert!([200, 404].contains(&reply.status), "{path}: {}", reply.text);
    }
    nothing_went_wrong(&service);
}

/// A database whose port is closed at first: a way to it that opens when it is told to.
struct Closed {
    port: u16,
    database: u16,
}

impl Closed {
    /// The way, and the story's database behind it.
    async fn before(story: Story) -> (Self, Story) {
        let url = story.database.url().to_owned();
        let host = url.split('@').nth(1).unwrap().split('/').next().unwrap();
        let database = host.split(':').nth(1).unwrap().parse().unwrap();
        let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = reserved.local_addr().unwrap().port();
        let url = url.replace(&format!(":{database}/"), &format!(":{port}/"));
        let story = story.with("DATABASE_URL", &url);
        (Self { port, database }, story)
    }

    async fn open(self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(("127.0.0.1", self.database))
                    .await
                    .unwrap();
                tokio::spawn(
                    async move { tokio::io::copy_bidirectional(&mut near, &mut far).await },
                );
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_a_database_that_is_away_at_the_start() {
    let (way, story) = Closed::before(empty_but_for_dealers().await).await;
    let service = story.serve();
    eventually("it waits", async || {
        (!lines(&service, "waiting for the database").is_empty()).then_some(())
    })
    .await;
    let ready = service.get("/api/v1/health/ready").await.unwrap();
    assert_eq!(ready.status, 503);
    let posting = post_many(&service, 20);
    let (replies, ()) = tokio::join!(posting, way.open());
    are_stored(&replies);
    nothing_went_wrong(&service);
    eventually("it is ready", async || {
        let ready = service.get("/api/v1/health/ready").await.unwrap();
        (ready.status == 200).then_some(())
    })
    .await;
    assert_eq!(lines(&service, "waiting for the database").len(), 1);
    assert_eq!(lines(&service, "the database is up to date").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_in_vain_are_told_when_to_come_again() {
    let (way, story) = Closed::before(empty_but_for_dealers().await).await;
    let service = story.serve();
    for reply in post_many(&service, 20).await {
        assert_eq!(reply.status, 503, "{}", reply.text);
        assert!(reply.header("retry-after").is_some());
        assert_eq!(
            reply.text,
            r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#
        );
    }
    // However often it has tried meanwhile.
    assert_eq!(lines(&service, "waiting for the database").len(), 1);
    way.open().await;
    are_stored(&post_many(&service, 20).await);
    nothing_was_missed(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_waits_is_stopped_at_once() {
    let (_way, story) = Closed::before(empty_but_for_dealers().await).await;
    let service = story.serve();
    eventually("it waits", async || {
        (!lines(&service, "waiting for the database").is_empty()).then_some(())
    })
    .await;
    let began = Instant::now();
    let (status, log) = service.terminate().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}
