//! Webhook tokens: whoever invents some needs no key for it.

use std::time::{Duration, Instant};

use domain::ports::EventStore as _;
use store_postgres::testing::TestDatabase;
use testkit::contract::Backstage as _;
use testkit::sample;
use tokio::task::JoinSet;

use crate::backstage::{PgBackstage, store_at};

/// How many statements wait for the table of tokens.
const WAITING: &str = "SELECT count(*) FROM pg_locks
    WHERE NOT granted AND relation = 'customer.dealer_webhook'::regclass";

#[tokio::test(flavor = "multi_thread")]
async fn invented_tokens_do_not_pile_up_and_known_ones_go_on() {
    let database = TestDatabase::migrated().await;
    let store = store_at(database.url());
    let known = sample::webhook_token(1);
    let backstage = PgBackstage::connect(&database).await;
    backstage.add_webhook(&sample::dealer_id(), &known).await;
    let owner = Some(sample::dealer_id());
    assert_eq!(store.owner(&known).await.unwrap(), owner);

    // Every look-up waits for this lock; of the strangers all but two do not even ask.
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.dealer_webhook")
        .await
        .unwrap();
    let watcher = database.connect().await;
    let waiting = async || -> i64 { watcher.query_one(WAITING, &[]).await.unwrap().get(0) };
    let mut strangers = JoinSet::new();
    for n in 2..102 {
        let store = store.clone();
        strangers.spawn(async move { store.owner(&sample::webhook_token(n)).await });
    }
    let began = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(10));
    let mut most = 0;
    // All but those two have given up.
    while strangers.len() > 2 {
        look.tick().await;
        most = most.max(waiting().await);
        while let Some(refused) = strangers.try_join_next() {
            assert!(refused.unwrap().is_err());
        }
        assert!(began.elapsed() < Duration::from_secs(5), "they pile up");
    }
    assert_eq!(most, 2);
    let asking = {
        let store = store.clone();
        tokio::spawn(async move { store.owner(&known).await })
    };
    while waiting().await < 3 {
        look.tick().await;
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "it waits its turn"
        );
    }
    lock.rollback().await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap(), owner);
    for answer in strangers.join_all().await {
        assert_eq!(answer.unwrap(), None);
    }
}
