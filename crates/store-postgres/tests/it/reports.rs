//! Analytics and exports: their sessions, plans, and what was there before they counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::analytics::{Bucket, Period, whole_seconds};
use domain::ports::{DateRange, Reports as _, RequestStore as _, StoreError};
use store_postgres::testing::{TestDatabase, report_settings, sql_files};
use store_postgres::{DatabaseUrl, PgStore, PoolOptions, SchemaName, migrate};
use testkit::sample;
use tokio::task::JoinSet;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::backstage::{store, store_with};
use crate::plans::filled;

fn january() -> Period {
    let day = |day| sample::morning(2026, 1, day).date();
    let range = DateRange {
        from: Some(day(1)),
        to: Some(day(31)),
    };
    Period::new(range, Bucket::Day, day(1)).unwrap()
}

async fn connect(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    client
        .batch_execute("SET search_path TO customer")
        .await
        .unwrap();
    client
}

/// What the database counts is what the rules say.
#[tokio::test(flavor = "multi_thread")]
async fn seconds_are_those_of_the_domain() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    let rows = client
        .query(
            "SELECT ms, whole_seconds(ms * interval '1 millisecond') FROM (
                SELECT n * 137 - 5000 AS ms FROM generate_series(0, 3000) n
                UNION ALL SELECT n * 1000 FROM generate_series(115, 4000) n
                UNION ALL SELECT (1.37 ^ n)::bigint FROM generate_series(1, 80) n) x",
            &[],
        )
        .await
        .unwrap();
    for row in rows {
        let millis: i64 = row.get(0);
        let expected = whole_seconds(TimeDelta::milliseconds(millis));
        assert_eq!(
            row.get::<_, i32>(1),
            i32::try_from(expected).unwrap(),
            "{millis}"
        );
    }
}

const SENT_BEFORE: &str = "
INSERT INTO customer.customer_validation_request
    (id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
    request_status, whatsapp_status, newest_message_id)
SELECT lpad(n::text, 32, '0')::uuid, '0009999', '2026-01-05', '08:00', 'A', '0812', 'B', 'C',
    'PROCESSED', 'SENT', lpad(n::text, 32, '0')::uuid FROM generate_series({first}, {last}) n;
INSERT INTO customer.message (id, request_id, dealer_id, kind, state, template, body, target, due_at)
SELECT id, id, dealer_id, 'live', 'SENDING', 'validation', 'text', '0812', now() - interval '1 day'
FROM customer.customer_validation_request WHERE id >= lpad('{first}', 32, '0')::uuid;
UPDATE customer.message SET state = 'SENT', sent_at = due_at + interval '90 s' WHERE sent_at IS NULL";

async fn send_as_the_release_before(client: &Client, first: u32, last: u32) {
    let statements = SENT_BEFORE
        .replace("{first}", &first.to_string())
        .replace("{last}", &last.to_string());
    client.batch_execute(&statements).await.unwrap();
}

/// What is there is counted by the migration, and what the release before still sends by a trigger.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_release_before_are_counted() {
    let database = TestDatabase::of_previous_release().await;
    let client = database.connect().await;
    send_as_the_release_before(&client, 1, 40).await;
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate(&url, &SchemaName::parse("customer").unwrap())
        .await
        .unwrap();
    let store = store(&database);
    assert_eq!(sent_seconds(&store).await, [(90, 40)]);
    send_as_the_release_before(&client, 41, 50).await;
    assert_eq!(sent_seconds(&store).await, [(90, 50)]);
    while store.add_up_seconds().await.unwrap() {}
    assert_eq!(sent_seconds(&store).await, [(90, 50)]);
    client
        .batch_execute("DELETE FROM customer.customer_validation_request")
        .await
        .unwrap();
    assert_eq!(sent_seconds(&store).await, []);
    while store.add_up_seconds().await.unwrap() {}
    assert_eq!(sent_seconds(&store).await, []);
}

async fn sent_seconds(store: &PgStore) -> Vec<(u32, u64)> {
    let facts = store.facts(None, &january()).await.unwrap();
    facts
        .seconds
        .iter()
        .map(|fact| (fact.seconds, fact.messages))
        .collect()
}

/// A copy that adds up must see what the one before it has written, or it writes an older sum over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_copies_that_add_up_lose_nothing() {
    const ROUNDS: u32 = 400;
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    let mut copies = JoinSet::new();
    let is_over = Arc::new(AtomicBool::new(false));
    for _ in 0..4 {
        let (store, is_over) = (store(&database), is_over.clone());
        copies.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                store.add_up_seconds().await.unwrap();
            }
        });
    }
    for n in 1..=ROUNDS {
        let change = format!(
            "INSERT INTO message_seconds_change VALUES ('0009999', '2026-01-05', 'send', {n}, 1)"
        );
        client.batch_execute(&change).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = copies.join_next().await {
        ended.unwrap();
    }
    let mut counted = sent_seconds(&store(&database)).await;
    counted.sort_unstable();
    let expected: Vec<_> = (1..=ROUNDS).map(|n| (n, 1)).collect();
    assert_eq!(counted, expected);
}

/// Rows that another program saves with all their columns and puts back bring their seconds again.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_put_back_brings_its_seconds() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    send_as_the_release_before(&client, 1, 8).await;
    let store = store(&database);
    let statements = "
        CREATE TABLE public.saved AS SELECT * FROM customer_validation_request;
        DELETE FROM customer_validation_request";
    client.batch_execute(statements).await.unwrap();
    assert_eq!(sent_seconds(&store).await, []);
    let statement = "INSERT INTO customer_validation_request SELECT * FROM public.saved";
    client.batch_execute(statement).await.unwrap();
    assert_eq!(sent_seconds(&store).await, [(90, 8)]);
}

/// Counts that drifted are found and put right with the others.
#[tokio::test(flavor = "multi_thread")]
async fn seconds_that_drifted_are_put_right() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    send_as_the_release_before(&client, 1, 20).await;
    let store = store(&database);
    store.add_up_seconds().await.unwrap();
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    for trouble in [
        "TRUNCATE message_seconds",
        "INSERT INTO message_seconds_change VALUES ('0009999', '2026-01-05', 'send', 7, 3)",
        "SET session_replication_role TO replica; UPDATE message SET sent_at = sent_at + interval '9 s';
        RESET session_replication_role",
    ] {
        client.batch_execute(trouble).await.unwrap();
        let limit = Some(Duration::from_secs(60));
        let found = store_postgres::compare_counts(&url, &schema, limit).await.unwrap();
        assert!(found.wrong > 0, "{trouble}");
        let corrected = store_postgres::recount(&url, &schema).await.unwrap();
        assert_eq!(corrected, found, "{trouble}");
        let found = store_postgres::compare_counts(&url, &schema, limit).await.unwrap();
        assert_eq!(found.wrong, 0, "{trouble}");
        store.add_up_seconds().await.unwrap();
    }
}

/// Two reports that wait for a lock have all connections for reports, and none of the others.
#[tokio::test(flavor = "multi_thread")]
async fn reports_are_never_in_the_way() {
    let database = TestDatabase::migrated().await;
    let mut client = connect(&database).await;
    let options = PoolOptions {
        wait: Duration::from_millis(400),
        ..PoolOptions::default()
    };
    let store = store_with(database.url(), &options);
    store.facts(None, &january()).await.unwrap();
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE message_seconds")
        .await
        .unwrap();
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.facts(None, &january()).await })
        })
        .collect();
    let onlooker = database.connect().await;
    until(&onlooker, 2).await;
    let began = Instant::now();
    let third = store.facts(None, &january()).await;
    assert!(
        matches!(third, Err(StoreError::Unavailable(_))),
        "{third:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(2));
    store.accept(&sample::new_request()).await.unwrap();
    store
        .stats(&sample::dealer_id(), DateRange::default())
        .await
        .unwrap();
    lock.rollback().await.unwrap();
    for report in waiting {
        let _ = report.await.unwrap();
    }
    store.facts(None, &january()).await.unwrap();
}

/// A caller who goes away leaves nothing to do for the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_nobody_waits_for_is_cancelled() {
    let database = TestDatabase::migrated().await;
    let mut client = connect(&database).await;
    let store = store(&database);
    store.facts(None, &january()).await.unwrap();
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE message_seconds")
        .await
        .unwrap();
    let asking = {
        let store = store.clone();
        tokio::spawn(async move { store.facts(None, &january()).await })
    };
    let onlooker = database.connect().await;
    until(&onlooker, 1).await;
    let began = Instant::now();
    asking.abort();
    until(&onlooker, 0).await;
    // Waiting for the lock ends by itself after 2 seconds.
    assert!(began.elapsed() < Duration::from_millis(1_500));
}

/// Until so many reports wait for the lock.
async fn until(onlooker: &Client, expected: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let row = onlooker.query_one(waiting, &[]).await.unwrap();
        if row.get::<_, i64>(0) == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{expected} reports wait");
        tokio::task::yield_now().await;
    }
}

/// Of the requests only those are read that are asked about, dealer by dealer, and the parts of an export in
/// their order.
#[tokio::test(flavor = "multi_thread")]
async fn reports_read_requests_by_their_index() {
    let (_database, client) = filled().await;
    client.batch_execute(&report_settings()).await.unwrap();
    for name in ["requests", "export"] {
        let path = format!("reports/{name}.sql");
        let file = sql_files()
            .into_iter()
            .find(|file| file.path == path)
            .unwrap();
        for dealer in ["'0010001'", "NULL"] {
            if name == "export" && dealer == "NULL" {
                continue;
            }
            let values = file.values.iter().map(|value| match value.as_str() {
                "dealer_id" => dealer,
                "first_day" => "'2026-01-10'",
                "last_day" => "'2026-01-19'",
                "by_hour" => "false",
                "most" | "most_units" | "most_reasons" => "2000",
                _ => "NULL",
            });
            let values = values.collect::<Vec<_>>().join(", ");
            let prepare = format!("DEALLOCATE ALL; PREPARE report AS {}", file.text);
            client.batch_execute(&prepare).await.unwrap();
            let explain = format!("EXPLAIN EXECUTE report({values})");
            let lines = client.simple_query(&explain).await.unwrap();
            let plan: Vec<&str> = lines
                .iter()
                .filter_map(|line| match line {
                    SimpleQueryMessage::Row(row) => row.get(0),
                    _ => None,
                })
                .collect();
            let plan = plan.join("\n");
            assert!(
                plan.contains("customer_validation_request_list"),
                "{path} {plan}"
            );
            assert!(
                !plan.contains("Seq Scan on customer_validation_request"),
                "{path} {plan}"
            );
            let sorts = plan.contains("Sort Key: r.request_date");
            assert!(name != "export" || !sorts, "{path} {plan}");
        }
    }
}
