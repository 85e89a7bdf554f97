//! What is particular to keys in PostgreSQL: they are remembered for a moment, and never for long.

use std::time::{Duration, Instant};

use domain::access::{Access, Action, AuditEntry, KeyName};
use domain::ports::{ApiKeys, NewApiKey, StoreError, Validity};
use store_postgres::testing::TestDatabase;
use testkit::sample;

use crate::backstage::{store, store_at};

fn key(n: u8) -> NewApiKey {
    let key = sample::api_key(n);
    NewApiKey {
        id: key.id(),
        fingerprint: key.fingerprint(),
        name: KeyName::parse("Kantor pusat").unwrap(),
        access: Access::unlimited(),
        expires_at: None,
    }
}

fn entry() -> AuditEntry {
    AuditEntry {
        author: sample::author(),
        action: Action::RevokeKey,
        dealer: None,
        detail: String::new(),
    }
}

async fn validity(keys: &dyn ApiKeys, n: u8) -> Validity {
    let found = keys.find(sample::api_key(n).id()).await.unwrap();
    found.expect("it is known").validity
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_copy_revokes_counts_no_more_within_five_seconds() {
    let database = TestDatabase::migrated().await;
    let (one, other) = (store(&database).api_keys(), store(&database).api_keys());
    one.create(&key(1), &entry()).await.unwrap();
    assert_eq!(validity(&other, 1).await, Validity::InForce);
    one.revoke(key(1).id, &entry()).await.unwrap().unwrap();
    let began = Instant::now();
    assert_eq!(validity(&one, 1).await, Validity::Revoked);
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while validity(&other, 1).await != Validity::Revoked {
        look.tick().await;
        assert!(began.elapsed() < Duration::from_secs(5), "it still counts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_looked_up_once_however_often_it_comes() {
    let database = TestDatabase::migrated().await;
    let keys = store(&database).api_keys();
    keys.create(&key(1), &entry()).await.unwrap();
    assert_eq!(validity(&keys, 1).await, Validity::InForce);
    assert_eq!(keys.find(key(2).id).await.unwrap(), None);
    // What is remembered is known without the table, what is not is not.
    let client = database.connect().await;
    client
        .batch_execute("ALTER TABLE customer.api_key RENAME TO elsewhere")
        .await
        .unwrap();
    assert_eq!(validity(&keys, 1).await, Validity::InForce);
    assert_eq!(keys.find(key(2).id).await.unwrap(), None);
    let unknown = keys.find(key(3).id).await;
    assert!(
        matches!(unknown, Err(StoreError::Rejected(_))),
        "{unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_remembered_beyond_its_time() {
    let database = TestDatabase::migrated().await;
    let keys = store(&database).api_keys();
    let expires_at = Some(chrono::Utc::now() + Duration::from_secs(2));
    let brief = NewApiKey {
        expires_at,
        ..key(1)
    };
    keys.create(&brief, &entry()).await.unwrap();
    let began = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    while validity(&keys, 1).await == Validity::InForce {
        look.tick().await;
        assert!(
            began.elapsed() < Duration::from_millis(3_500),
            "it still counts"
        );
    }
    assert_eq!(validity(&keys, 1).await, Validity::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_ids_do_not_pile_up() {
    let database = TestDatabase::migrated().await;
    let keys = store_at(database.url()).api_keys();
    keys.create(&key(1), &entry()).await.unwrap();
    assert_eq!(validity(&keys, 1).await, Validity::InForce);
    keys.revoke(key(1).id, &entry()).await.unwrap();
    // Every look-up waits for this lock; of the strangers all but a few do not even ask.
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.api_key")
        .await
        .unwrap();
    let strangers: Vec<_> = (10..110)
        .map(|n| {
            let keys = keys.clone();
            tokio::spawn(async move { keys.find(sample::api_key(n).id()).await })
        })
        .collect();
    let began = Instant::now();
    let mut refused = 0;
    for stranger in strangers {
        refused += usize::from(stranger.await.unwrap().is_err());
    }
    assert_eq!(refused, 100);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    lock.rollback().await.unwrap();
    assert_eq!(validity(&keys, 1).await, Validity::Revoked);
    assert_eq!(keys.find(key(2).id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_hash_of_a_key_is_stored() {
    let database = TestDatabase::migrated().await;
    let keys = store(&database).api_keys();
    keys.create(&key(1), &entry()).await.unwrap();
    let client = database.connect().await;
    let row = client
        .query_one(
            "SELECT k::text || a::text FROM customer.api_key k, customer.audit a",
            &[],
        )
        .await
        .unwrap();
    let stored: String = row.get(0);
    let secret = "01".repeat(32);
    assert!(stored.contains("0101010101010101"), "{stored}");
    assert!(!stored.contains(&secret), "{stored}");
}
