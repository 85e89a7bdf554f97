//! Requests that arrive together.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Accepted, RequestStore as _, StoreError};
use store_postgres::PoolOptions;
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::backstage::{store, store_with};
use crate::races::{until_one_waits, until_waiting};

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_together_is_committed_together() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let mut callers = JoinSet::new();
    for n in 1..=300 {
        let store = store.clone();
        callers.spawn(async move {
            let mut request = sample::request_for(&sample::dealer_id_numbered(n % 7), n);
            // With keys and without.
            request.once = (n % 3 == 0).then(|| sample::once(&format!("key-{n}"), "body"));
            store.accept(&request).await.unwrap()
        });
    }
    assert_eq!(callers.join_all().await, [Accepted::Stored; 300]);
    let client = database.connect().await;
    let row = client
        .query_one(
            "SELECT count(*), count(DISTINCT r.xmin::text),
                bool_and(m.xmin = r.xmin AND coalesce(k.xmin = r.xmin, true))
            FROM customer.customer_validation_request r
            JOIN customer.message m ON m.request_id = r.id
            LEFT JOIN customer.idempotency_key k ON k.request_id = r.id",
            &[],
        )
        .await
        .unwrap();
    let (requests, transactions, whole): (i64, i64, bool) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(requests, 300);
    assert!(transactions < 100, "{transactions} transactions");
    assert!(
        whole,
        "a request, its message and its key are of one transaction"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_leave_do_not_stop_those_who_stay() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();
    let mut leaving = JoinSet::new();
    let mut staying = JoinSet::new();
    for n in 1..=60 {
        let store = store.clone();
        let request = sample::request_for(&sample::dealer_id(), n);
        let accepting = async move { store.accept(&request).await };
        if n % 2 == 0 {
            leaving.spawn(accepting);
        } else {
            staying.spawn(accepting);
        }
    }
    tokio::task::yield_now().await;
    leaving.shutdown().await;
    lock.rollback().await.unwrap();
    for accepted in staying.join_all().await {
        assert_eq!(accepted.unwrap(), Accepted::Stored);
    }
}

/// One whose row the database refuses, among many.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_harms_only_itself() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client
        .batch_execute(
            "ALTER TABLE customer.customer_validation_request
            ADD CHECK (nama_pembawa <> 'Pelanggan 13')",
        )
        .await
        .unwrap();
    let store = Arc::new(store(&database));
    let mut callers = JoinSet::new();
    for n in 1..=100 {
        let store = store.clone();
        callers.spawn(async move {
            let request = sample::request_for(&sample::dealer_id(), n);
            (n, store.accept(&request).await)
        });
    }
    for (n, accepted) in callers.join_all().await {
        match n {
            13 => assert!(
                matches!(accepted, Err(StoreError::Rejected(_))),
                "{accepted:?}"
            ),
            _ => assert_eq!(accepted.unwrap(), Accepted::Stored, "{n}"),
        }
    }
}

/// A runtime of one thread.
fn runtime_of_a_thread() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// The runtime ends on which was written for all: whoever waited behind it is told so at once.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_writer_whose_runtime_has_ended() {
    let database = TestDatabase::migrated().await;
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();

    let (give, given) = tokio::sync::oneshot::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let url = database.url().to_owned();
    let thread = std::thread::spawn(move || {
        runtime_of_a_thread().block_on(async {
            let store = Arc::new(store_with(&url, &PoolOptions::default()));
            let _ = give.send(store.clone());
            let request = sample::request_for(&sample::dealer_id(), 1);
            tokio::select! {
                _ = store.accept(&request) => panic!("the table is locked"),
                _ = ended => {}
            }
        });
    });
    let store = given.await.unwrap();
    until_one_waits(&lock).await;
    let request = sample::request_for(&sample::dealer_id(), 2);
    let mut second = store.accept(&request);
    tokio::select! {
        biased;
        _ = &mut second => panic!("the table is locked"),
        // Now it waits in the queue.
        () = std::future::ready(()) => {}
    }
    end.send(()).unwrap();
    thread.join().unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(1), second).await;
    assert!(answer.expect("it is told at once").is_err());
}

/// Where every thread has connections of its own, one that ends in the middle harms neither the others
/// nor those that come after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_ends_harms_no_other() {
    let database = TestDatabase::migrated().await;
    let options = PoolOptions {
        each_thread: true,
        ..PoolOptions::default()
    };
    let store = Arc::new(store_with(database.url(), &options));
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();

    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let first = store.clone();
    let ending = std::thread::spawn(move || {
        runtime_of_a_thread().block_on(async {
            let request = sample::request_for(&sample::dealer_id(), 1);
            tokio::select! {
                _ = first.accept(&request) => panic!("the table is locked"),
                _ = ended => {}
            }
        });
    });
    until_one_waits(&lock).await;
    let accepts = |n| {
        let store = store.clone();
        std::thread::spawn(move || {
            let request = sample::request_for(&sample::dealer_id(), n);
            runtime_of_a_thread().block_on(store.accept(&request))
        })
    };
    let beside = accepts(2);
    until_waiting(&lock, 2).await;
    end.send(()).unwrap();
    ending.join().unwrap();
    lock.rollback().await.unwrap();
    // The last ones may be given what the first one left behind.
    for thread in [beside, accepts(3), accepts(4)] {
        assert_eq!(thread.join().unwrap().unwrap(), Accepted::Stored);
    }
}
