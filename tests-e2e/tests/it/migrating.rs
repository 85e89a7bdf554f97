//! A service that must wait for somebody before it can bring its database up to date.

use std::time::{Duration, Instant};

use store_postgres::testing::TestDatabase;
use tests_e2e::{Database, Service, Story, eventually, output, submission};

const PATH: &str = "/api/v1/customer/validate-customer";
const READY: &str = "/api/v1/health/ready";

/// What callers are promised, and a little for a busy machine.
const LIMIT: Duration = Duration::from_millis(5_500);

/// The lines of the log with these words.
fn lines(service: &Service, words: &str) -> Vec<String> {
    let log = service.log().into_iter();
    log.filter(|line| line.contains(words)).collect()
}

/// The previous release's database, of which somebody holds a table.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_up_a_migration_is_named_without_what_it_asked() {
    let database = TestDatabase::of_previous_release().await;
    let mut client = database.connect().await;
    // Only where there are messages a release may be running that needs what is there.
    client
        .batch_execute(
            "INSERT INTO customer.message (id, request_id, dealer_id, kind, template, body, target)
            VALUES (gen_random_uuid(), gen_random_uuid(), '1', 'validation', 'x', 'x', '08120000001');
            SET application_name TO 'a forgotten report'",
        )
        .await
        .unwrap();
    let holding = client.transaction().await.unwrap();
    let asked = "SELECT 'a name that is a secret' FROM customer.message";
    holding.batch_execute(asked).await.unwrap();

    let story = Story::without_dealers(Database::Shared(database)).await;
    let service = story.serve();
    let line = eventually("the holder is named", async || {
        lines(&service, "a forgotten report").pop()
    })
    .await;
    assert!(line.contains("idle in transaction"), "{line}");
    assert!(lines(&service, "secret").is_empty());
    assert_eq!(service.get(READY).await.unwrap().status, 503);
    let reply = service.post(PATH, &submission(1)).await.unwrap();
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    // Said once, however often it is tried.
    assert_eq!(lines(&service, "a forgotten report").len(), 1);
    assert_eq!(lines(&service, "waiting for a lock").len(), 1);
    holding.rollback().await.unwrap();
    eventually("it is ready", async || {
        let ready = service.get(READY).await.unwrap();
        (ready.status == 200).then_some(())
    })
    .await;
    assert_eq!(lines(&service, "does not exist"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_migration_waits_is_stopped_at_once() {
    let database = TestDatabase::of_previous_release().await;
    let mut client = database.connect().await;
    // As `pg_dump`: an index that is built concurrently waits for its end.
    let dump = client.transaction().await.unwrap();
    let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    dump.batch_execute(snapshot).await.unwrap();
    let story = Story::without_dealers(Database::Shared(database)).await;
    let service = story.serve();
    eventually("somebody is named", async || {
        lines(&service, "holds what a migration waits for").pop()
    })
    .await;
    let began = Instant::now();
    let (status, log) = service.terminate().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_says_what_it_waits_for() {
    let database = TestDatabase::of_previous_release().await;
    let mut client = database.connect().await;
    let name = "SET application_name TO 'a forgotten report'";
    client.batch_execute(name).await.unwrap();
    let reading = client.transaction().await.unwrap();
    let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    reading.batch_execute(snapshot).await.unwrap();
    let looking = database.connect().await;
    let url = database.url().to_owned();
    let migrating =
        tokio::task::spawn_blocking(move || output(&["migrate"], &[("DATABASE_URL", &*url)]));
    // Longer than a transaction must last to be worth a line.
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND now() - query_start > '4 s'";
    eventually("it has waited for a while", async || {
        let waiting = looking.query_opt(waiting, &[]).await.unwrap();
        (waiting.is_some() || migrating.is_finished()).then_some(())
    })
    .await;
    reading.rollback().await.unwrap();
    let migrated = migrating.await.unwrap();
    assert!(migrated.status.success(), "{migrated:?}");
    let told = String::from_utf8_lossy(&migrated.stderr);
    assert!(told.contains("a forgotten report"), "{told}");
}
