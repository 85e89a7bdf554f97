//! Questions that come before the schema is up to date.

use std::time::{Duration, Instant};

use domain::access::Visibility;
use domain::ports::{
    DateRange, DealerDirectory as _, Outbox as _, Reports as _, RequestStore as _, StoreError,
    WorkerId,
};
use domain::requests::RequestId;
use store_postgres::testing::TestDatabase;
use store_postgres::{MigrationState, PgStore};
use testkit::sample;
use tokio::task::JoinSet;

use crate::backstage::store;

/// What callers are promised.
const LIMIT: Duration = Duration::from_secs(5);

/// One question of each kind: on the connections for callers, on the others, together with others and
/// alone.
fn ask_everything(store: &PgStore) -> JoinSet<Result<(), StoreError>> {
    let mut asking = JoinSet::new();
    let (dealers, keys) = (store.dealers(), store.api_keys());
    let lease = Duration::from_secs(60);
    macro_rules! ask {
        ($store:ident => $question:expr) => {
            let $store = store.clone();
            asking.spawn(async move { $question.await.map(drop) });
        };
    }
    ask!(store => store.accept(&sample::new_request()));
    ask!(store => store.find(RequestId(uuid::Uuid::nil()), &Visibility::All));
    ask!(store => store.stats(&sample::dealer_id(), DateRange::default()));
    ask!(store => store.claim(WorkerId(uuid::Uuid::nil()), 1, lease));
    ask!(store => domain::ports::AuditLog::page(&store, None, 1));
    ask!(store => store.forget_old_keys());
    ask!(store => store.standing());
    ask!(store => store.backlog());
    ask!(store => store.inspect());
    asking.spawn(async move { dealers.find(&sample::dealer_id()).await.map(drop) });
    asking.spawn(async move { domain::ports::ApiKeys::list(&keys, 1).await.map(drop) });
    asking
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_waits_until_the_schema_is_up_to_date() {
    for database in [
        TestDatabase::empty().await,
        TestDatabase::of_previous_release().await,
    ] {
        let store = store(&database);
        store.wait_for_schema();
        let mut asking = ask_everything(&store);
        // That is answered at once, and says that nothing else would be.
        let state = store.migration_state().await.unwrap();
        assert!(matches!(state, MigrationState::Pending(_)), "{state:?}");
        assert!(asking.try_join_next().is_none(), "nobody is answered");
        assert!(store.bring_up_to_date().await.unwrap() > 0);
        while let Some(answer) = asking.join_next().await {
            answer.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_waits_for_ever() {
    let database = TestDatabase::empty().await;
    let store = store(&database);
    store.wait_for_schema();
    let began = Instant::now();
    let mut asking = ask_everything(&store);
    while let Some(answer) = asking.join_next().await {
        let answer = answer.unwrap();
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    store.bring_up_to_date().await.unwrap();
    store.accept(&sample::new_request()).await.unwrap();
}
