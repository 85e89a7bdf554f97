//! Migrations beside the previous release, which goes on working.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, SchemaName, migrate};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::migrations::EXISTING;

/// How long a migration may hold anybody up.
const LIMIT: Duration = Duration::from_millis(300);

/// How long a migration may take that is held up itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// As many requests and messages as make reading a table from end to end be noticed.
const ROWS: u32 = 50_000;

const FILL: &str = "
    INSERT INTO dealer_integration.dealers (dealer_id, dealer_name) VALUES ('0009999', 'Dealer');
    INSERT INTO customer.lane (dealer_id) SELECT format('D%s', n) FROM generate_series(1, 50) n;
    INSERT INTO customer.customer_validation_request (id, dealer_id, request_date, request_time,
        nama_pembawa, no_telp, tipe_unit, no_pol)
    SELECT md5(n::text)::uuid, format('D%s', n % 50 + 1), '2026-01-01', '10:00', 'Adit',
        '081200000001', 'BeAT', 'D 1 A' FROM generate_series(1, $ROWS) n;
    INSERT INTO customer.message (id, request_id, dealer_id, kind, state, template, body, target)
    SELECT r.id, r.id, r.dealer_id, 'validation', 'QUEUED', 'validation', 'Terima kasih', '081200000001'
    FROM customer.customer_validation_request r;";

/// Everything that a session of the previous release does often. A lock that it waits for longer than it
/// may is an error.
const STEPS: [&str; 4] = [
    "WITH request AS (
        INSERT INTO customer.customer_validation_request (id, dealer_id, request_date, request_time,
            nama_pembawa, no_telp, tipe_unit, no_pol, request_status, whatsapp_status)
        VALUES (gen_random_uuid(), 'D1', '2026-01-01', '10:00', 'Adit', '081200000001', 'BeAT',
            'D 1 A', 'PENDING', 'NOT_SENT')
        RETURNING id, dealer_id
    ), lane AS (
        INSERT INTO customer.lane (dealer_id) SELECT dealer_id FROM request ON CONFLICT DO NOTHING
    )
    INSERT INTO customer.message (id, request_id, dealer_id, kind, template, body, target)
    SELECT id, id, dealer_id, 'validation', 'validation', 'Terima kasih', '081200000001' FROM request",
    "UPDATE customer.lane SET epoch = epoch + 1, lease_until = now() WHERE dealer_id = (
        SELECT dealer_id FROM customer.lane ORDER BY epoch LIMIT 1 FOR UPDATE SKIP LOCKED)",
    "WITH claimed AS (
        UPDATE customer.message SET state = 'SENDING' WHERE id = (
            SELECT id FROM customer.message WHERE dealer_id = 'D2' AND state = 'QUEUED'
            ORDER BY priority, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING request_id
    )
    UPDATE customer.customer_validation_request r SET whatsapp_status = 'SENT'
    FROM claimed c WHERE r.id = c.request_id",
    "SELECT sum(rows) FROM customer.request_count",
];

/// Sessions of the previous release at work.
struct Work {
    is_over: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<(u32, Duration)>>,
}

impl Work {
    async fn begin(database: &TestDatabase, steps: &'static [&'static str]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut sessions = Vec::new();
        for step in steps {
            let client = database.connect().await;
            let setting = format!("SET lock_timeout TO {}", LIMIT.as_millis());
            client.batch_execute(&setting).await.unwrap();
            let is_over = is_over.clone();
            sessions.push(tokio::spawn(async move {
                let (mut count, mut longest) = (0, Duration::ZERO);
                while !is_over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let done = client.execute(*step, &[]).await;
                    done.unwrap_or_else(|error| panic!("{step}: {error:?}"));
                    longest = longest.max(began.elapsed());
                    count += 1;
                }
                (count, longest)
            }));
        }
        Self { is_over, sessions }
    }

    async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        for session in self.sessions {
            let (count, longest) = session.await.unwrap();
            println!("{count} statements, the longest {longest:?}");
            assert!(count > 10, "it was at work");
        }
    }
}

async fn previous_release() -> TestDatabase {
    let database = TestDatabase::of_previous_release().await;
    let client = database.connect().await;
    let fill = FILL.replace("$ROWS", &ROWS.to_string());
    client.batch_execute(&fill).await.unwrap();
    database
}

fn migrating(database: &TestDatabase) -> JoinHandle<usize> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    tokio::spawn(async move { migrate(&url, &schema).await.unwrap() })
}

/// Waits until migrating has waited for a lock so often, each time anew.
async fn until_it_waited(client: &Client, times: u32, migrating: &JoinHandle<usize>) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'customer-service' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    let (mut seen, mut was) = (0, false);
    let mut again = tokio::time::interval(Duration::from_millis(5));
    while seen < times {
        again.tick().await;
        assert!(began.elapsed() < PATIENCE, "it waited {seen} times");
        assert!(!migrating.is_finished(), "it was not held up");
        let row = client.query_one(waiting, &[]).await.unwrap();
        let is = row.get::<_, i64>(0) > 0;
        seen += u32::from(is && !was);
        was = is;
    }
}

/// As a person's forgotten session, or a report that takes long.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_held_up_by_a_migration_that_waits_for_a_reader() {
    let database = previous_release().await;
    let looking = database.connect().await;
    let mut reading = database.connect().await;
    let reader = reading.transaction().await.unwrap();
    for table in [
        "customer_validation_request",
        "message",
        "lane",
        "request_count",
    ] {
        let read = format!("SELECT count(*) FROM customer.{table}");
        reader.batch_execute(&read).await.unwrap();
    }
    let work = Work::begin(&database, &STEPS).await;
    let migrating = migrating(&database);
    until_it_waited(&looking, 4, &migrating).await;
    assert!(!migrating.is_finished());
    reader.rollback().await.unwrap();
    assert!(migrating.await.unwrap() > 0);
    work.end().await;
}

/// As `pg_dump`, whose snapshot every index that is built concurrently waits for.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_held_up_by_a_migration_that_waits_for_a_dump() {
    let database = previous_release().await;
    let looking = database.connect().await;
    let mut dumping = database.connect().await;
    let dump = dumping.transaction().await.unwrap();
    dump.batch_execute(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
        LOCK TABLE customer.customer_validation_request, customer.message, customer.lane
            IN ACCESS SHARE MODE;
        SELECT count(*) FROM customer.message",
    )
    .await
    .unwrap();
    let work = Work::begin(&database, &STEPS).await;
    let migrating = migrating(&database);
    until_it_waited(&looking, 1, &migrating).await;
    // For a while, in which the others go on.
    let mut again = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..20 {
        again.tick().await;
        assert!(!migrating.is_finished());
    }
    dump.rollback().await.unwrap();
    assert!(migrating.await.unwrap() > 0);
    work.end().await;
}

/// A transaction that goes on and on, of a writer.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_held_up_by_a_migration_that_waits_for_a_writer() {
    let database = previous_release().await;
    let looking = database.connect().await;
    let mut writing = database.connect().await;
    let writer = writing.transaction().await.unwrap();
    writer
        .batch_execute("UPDATE customer.lane SET epoch = epoch WHERE dealer_id = 'D50'")
        .await
        .unwrap();
    let work = Work::begin(&database, &STEPS).await;
    let migrating = migrating(&database);
    until_it_waited(&looking, 1, &migrating).await;
    writer.rollback().await.unwrap();
    assert!(migrating.await.unwrap() > 0);
    work.end().await;
}

/// The service that was there before this one, which knows nothing of our tables.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_held_up_where_an_older_service_goes_on_working() {
    let database = TestDatabase::empty().await;
    let looking = database.connect().await;
    looking.batch_execute(EXISTING).await.unwrap();
    let mut reading = database.connect().await;
    let reader = reading.transaction().await.unwrap();
    let read = "SELECT count(*) FROM customer.customer_validation_request";
    reader.batch_execute(read).await.unwrap();
    let steps = &[
        "INSERT INTO customer.customer_validation_request (dealer_id, request_date, request_time,
            nama_pembawa, no_telp, tipe_unit, no_pol)
        VALUES ('0009999', '2026-01-01', '10:00', 'Adit', '081200000001', 'BeAT', 'D 1 A')",
        "UPDATE customer.customer_validation_request SET whatsapp_status = 'SENT' WHERE id = (
            SELECT id FROM customer.customer_validation_request WHERE whatsapp_status = 'NOT_SENT'
            LIMIT 1 FOR UPDATE SKIP LOCKED)",
    ];
    let work = Work::begin(&database, steps).await;
    let migrating = migrating(&database);
    until_it_waited(&looking, 4, &migrating).await;
    reader.rollback().await.unwrap();
    assert!(migrating.await.unwrap() > 0);
    work.end().await;
}

/// Whatever the previous release could name: tables, their columns with their types, indexes,
/// constraints, triggers and functions.
const THINGS: &str = "
    SELECT format('column %s.%s %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'customer'::regnamespace AND c.relkind IN ('r', 'v', 'i') AND a.attnum > 0
        AND NOT a.attisdropped
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(i.indexrelid)) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'customer'::regnamespace
    UNION ALL
    SELECT format('trigger %s on %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'customer'::regnamespace
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p
    WHERE p.pronamespace = 'customer'::regnamespace";

async fn things(client: &Client) -> BTreeSet<String> {
    let rows = client.query(THINGS, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_that_the_previous_release_uses() {
    let database = previous_release().await;
    let client = database.connect().await;
    let before = things(&client).await;
    assert!(before.len() > 100, "{before:#?}");
    assert!(migrating(&database).await.unwrap() > 0);
    let after = things(&client).await;
    let gone: Vec<_> = before.difference(&after).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

/// Nobody uses the indexes that were replaced, where no previous release can be running, or where an
/// earlier form of the migrations has dropped them.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_installation_is_without_what_was_replaced() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let things = things(&client).await;
    for index in ["message_queued", "message_unknown", "lane_sending"] {
        let found = things
            .iter()
            .find(|thing| thing.contains(&format!("INDEX {index} ")));
        assert_eq!(found, None);
    }
}
