//! A database that is away, slow or gone and back.

use std::time::{Duration, Instant};

use domain::access::Visibility;
use domain::ports::{Outbox as _, RequestStore as _, StoreError};
use domain::requests::RequestId;
use local_postgres::{LocalPostgres, Options};
use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, SchemaName, migrate};
use testkit::sample;
use tokio::net::TcpListener;

use crate::backstage::{store, store_at};

/// What callers are promised.
const LIMIT: Duration = Duration::from_secs(5);

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_is_unavailable_at_once() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let store = store_at(&format!("postgresql://u:p@{free}/db"));
    let began = Instant::now();
    assert!(is_unavailable(&store.accept(&sample::new_request()).await));
    assert!(began.elapsed() < LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_unavailable_within_five_seconds() {
    // Accepts connections into its backlog and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = store_at(&format!(
        "postgresql://u:p@{}/db",
        silent.local_addr().unwrap()
    ));
    let began = Instant::now();
    let (accepted, found) = tokio::join!(
        async { store.accept(&sample::new_request()).await },
        store.find(RequestId(uuid::Uuid::nil()), &Visibility::All),
    );
    assert!(is_unavailable(&accepted));
    assert!(is_unavailable(&found));
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_is_unavailable_within_five_seconds_and_stores_nothing_later() {
    let database = TestDatabase::migrated().await;
    let store = store_at(database.url());
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();
    let request = sample::new_request();
    let began = Instant::now();
    assert!(is_unavailable(&store.accept(&request).await));
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    lock.rollback().await.unwrap();
    assert!(
        store
            .find(request.id, &Visibility::All)
            .await
            .unwrap()
            .is_none()
    );
    store.accept(&request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_recovers_by_itself_and_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let url = server.url("customer_service");
    migrate(
        &DatabaseUrl::parse(&url).unwrap(),
        &SchemaName::parse("customer").unwrap(),
    )
    .await
    .unwrap();
    let store = store_at(&url);
    let mut acknowledged = Vec::new();
    for n in 1..=20 {
        let request = sample::request_for(&sample::dealer_id(), n);
        store.accept(&request).await.unwrap();
        acknowledged.push(request.id);
    }

    server.kill().unwrap();
    let late = sample::request_for(&sample::dealer_id(), 21);
    assert!(is_unavailable(&store.accept(&late).await));
    server.restart().unwrap();

    // Every connection of the pool is broken; the first question after the restart must not be.
    for id in acknowledged {
        assert!(store.find(id, &Visibility::All).await.unwrap().is_some());
    }
    store.accept(&late).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_somebody_has_locked_holds_up_its_own_lane_alone() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let held = sample::request_for(&sample::dealer_id_numbered(1), 1);
    let other = sample::request_for(&sample::dealer_id_numbered(2), 2);
    for request in [&held, &other] {
        store.accept(request).await.unwrap();
    }
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    let statement = "SELECT FROM customer.message WHERE id = $1::text::uuid FOR UPDATE";
    lock.execute(statement, &[&held.message.id.to_string()])
        .await
        .unwrap();
    let claim = async || {
        let worker = domain::ports::WorkerId(uuid::Uuid::nil());
        let claims = store.claim(worker, 10, Duration::from_secs(60)).await;
        let dealers = claims
            .unwrap()
            .into_iter()
            .map(|claim| claim.lease.dealer_id);
        dealers.collect::<Vec<_>>()
    };
    assert_eq!(claim().await, vec![other.submission.dealer_id.clone()]);
    lock.rollback().await.unwrap();
    assert_eq!(claim().await, vec![held.submission.dealer_id.clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_takes_no_connection_with_it() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();
    // More callers than connections, all of whom leave while their statements wait.
    for n in 1..=40 {
        let request = sample::request_for(&sample::dealer_id(), n);
        let leaving = tokio::time::timeout(Duration::from_millis(20), store.accept(&request));
        assert!(leaving.await.is_err());
    }
    lock.rollback().await.unwrap();
    let request = sample::request_for(&sample::dealer_id(), 41);
    store.accept(&request).await.unwrap();
}
