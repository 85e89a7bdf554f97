//! Counts that other programs made wrong, and rows that publications tell elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::{DateRange, Reports as _, RequestStore as _};
use store_postgres::testing::TestDatabase;
use store_postgres::{CountsWrong, DatabaseUrl, SchemaName, compare_counts, recount};
use testkit::sample;
use tokio_postgres::Client;

use crate::backstage::store;

const RIGHT: CountsWrong = CountsWrong {
    wrong: 0,
    requests: 0,
};

async fn connect(database: &TestDatabase) -> Client {
    let client = database.connect().await;
    let session = "SET search_path TO customer";
    client.batch_execute(session).await.unwrap();
    client
}

fn place(database: &TestDatabase) -> (DatabaseUrl, SchemaName) {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    (url, SchemaName::parse("customer").unwrap())
}

async fn compared(database: &TestDatabase) -> CountsWrong {
    let (url, schema) = place(database);
    let comparing = compare_counts(&url, &schema, Some(Duration::from_secs(60)));
    comparing.await.unwrap()
}

async fn recounted(database: &TestDatabase) -> CountsWrong {
    let (url, schema) = place(database);
    recount(&url, &schema).await.unwrap()
}

/// What makes counts wrong: each passes the triggers by, or loads counts beside the rows.
const TROUBLES: [&str; 5] = [
    "SET session_replication_role TO replica; DELETE FROM customer_validation_request
        WHERE request_time < '08:00:03'; RESET session_replication_role",
    "SET session_replication_role TO replica; UPDATE customer_validation_request
        SET whatsapp_status = NULL, dealer_id = 'OTHER'; RESET session_replication_role",
    "ALTER TABLE customer_validation_request DISABLE TRIGGER USER;
        UPDATE customer_validation_request SET request_date = '2020-01-01';
        ALTER TABLE customer_validation_request ENABLE TRIGGER USER",
    // As `pg_restore --data-only`: the triggers count what is in the restored counts already.
    "UPDATE request_count SET rows = rows * 2",
    "TRUNCATE request_count; TRUNCATE request_count_change",
];

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_drifted_are_found_and_put_right() {
    for trouble in TROUBLES {
        let database = TestDatabase::migrated().await;
        let client = connect(&database).await;
        let store = store(&database);
        let dealer = sample::dealer_id();
        for n in 1..=6 {
            store
                .accept(&sample::request_for(&dealer, n))
                .await
                .unwrap();
        }
        store.add_up_counts().await.unwrap();
        assert_eq!(compared(&database).await, RIGHT);

        client.batch_execute(trouble).await.unwrap();
        let wrong = compared(&database).await;
        assert!(
            wrong.wrong > 0 && wrong.requests > 0,
            "{trouble}: {wrong:?}"
        );
        assert_eq!(recounted(&database).await, wrong, "{trouble}");
        assert_eq!(compared(&database).await, RIGHT, "{trouble}");
        assert_eq!(recounted(&database).await, RIGHT, "{trouble}");

        store.add_up_counts().await.unwrap();
        let rows = "SELECT count(*) FROM customer_validation_request WHERE dealer_id = $1";
        let rows = client.query_one(rows, &[&dealer.as_str()]).await.unwrap();
        let stats = store.stats(&dealer, DateRange::default()).await.unwrap();
        assert_eq!(i64::try_from(stats.total).unwrap(), rows.get::<_, i64>(0));
    }
}

/// Two at once, beside a service that stores and adds up.
#[tokio::test(flavor = "multi_thread")]
async fn counting_anew_beside_a_running_service_is_exact() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    let store = store(&database);
    let is_over = AtomicBool::new(false);
    let working = async {
        for n in 1..=150 {
            let request = sample::request_for(&sample::dealer_id(), n);
            store.accept(&request).await.unwrap();
            if n % 10 == 0 {
                store.add_up_counts().await.unwrap();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let counting = async {
        while !is_over.load(Ordering::Relaxed) {
            client
                .batch_execute("UPDATE request_count SET rows = rows + 3")
                .await
                .unwrap();
            tokio::join!(recounted(&database), recounted(&database));
        }
    };
    tokio::join!(working, counting);
    recounted(&database).await;
    assert_eq!(compared(&database).await, RIGHT);
}

#[tokio::test(flavor = "multi_thread")]
async fn comparing_ends_with_its_time() {
    let database = TestDatabase::migrated().await;
    let mut client = connect(&database).await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE request_count")
        .await
        .unwrap();
    let (url, schema) = place(&database);
    let limit = Duration::from_millis(200);
    let compared = compare_counts(&url, &schema, Some(limit)).await;
    assert!(compared.is_err(), "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_ours_tells_publications_which_row_is_meant() {
    let database = TestDatabase::migrated().await;
    let client = connect(&database).await;
    let without = "SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'customer'::regnamespace
            AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
                SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))";
    let without = client.query(without, &[]).await.unwrap();
    let without: Vec<String> = without.iter().map(|row| row.get(0)).collect();
    assert!(without.is_empty(), "{without:?}");

    let publish = "CREATE PUBLICATION everything FOR ALL TABLES";
    client.batch_execute(publish).await.unwrap();
    let store = store(&database);
    store.accept(&sample::new_request()).await.unwrap();
    store.add_up_counts().await.unwrap();
    let left = "SELECT count(*) FROM request_count_change";
    let left = client.query_one(left, &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0, "the changes were added up");
}
