//! Two statements that meet, forced into the order that hurts.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    LaneChange, MessageChange, Outbox as _, Receipt, RequestStatus, RequestStore as _, Settled,
    Settlement, Visibility, WorkerId,
};
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio_postgres::Transaction;

use crate::backstage::store;

/// The acceptance arrives while the settlement that says "unknown" is being written: when its turn
/// comes, the request is no longer as it was when its statement began.
#[tokio::test(flavor = "multi_thread")]
async fn late_acceptance_that_had_to_wait_is_mirrored() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let request = sample::new_request();
    store.accept(&request).await.unwrap();
    let worker = WorkerId(uuid::Uuid::nil());
    let claims = store.claim(worker, 1, Duration::from_secs(60)).await;
    let mut lost = claims.unwrap().remove(0).lease;
    lost.epoch -= 1;

    let mut client = database.connect().await;
    let other = client.transaction().await.unwrap();
    let ids = [&request.message.id.to_string(), &request.id.to_string()];
    let unknown = "UPDATE customer.message SET state = 'UNKNOWN' WHERE id = $1::text::uuid";
    other.execute(unknown, &[ids[0]]).await.unwrap();
    let mirrored = "UPDATE customer.customer_validation_request
        SET request_status = 'FAILED', whatsapp_status = 'ERROR' WHERE id = $1::text::uuid";
    other.execute(mirrored, &[ids[1]]).await.unwrap();
    let accepting = tokio::spawn({
        let (store, message) = (store.clone(), request.message.id);
        async move { store.settle(&lost, &accepted(message)).await.unwrap() }
    });
    until_one_waits(&other).await;
    other.commit().await.unwrap();

    assert_eq!(accepting.await.unwrap(), Settled::LeaseLost);
    let found = store.find(request.id, &Visibility::All).await.unwrap();
    let found = found.expect("the request is there");
    assert_eq!(found.request_status, RequestStatus::Processed.as_str());
}

fn accepted(message: domain::MessageId) -> Settlement {
    Settlement {
        message: Some((message, MessageChange::Sent(Receipt::default()))),
        lane: LaneChange::Ready {
            pause: Duration::ZERO,
        },
        attempt: None,
        called: true,
        accepted_id: None,
        account_print: None,
    }
}

/// Until a statement in this database waits for a lock.
pub(crate) async fn until_one_waits(client: &Transaction<'_>) {
    let looking = async { while waiting(client).await == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .expect("a statement waits");
}

/// How many statements in this database wait for a lock; the look takes a moment.
pub(crate) async fn waiting(client: &Transaction<'_>) -> i64 {
    let waiting = "SELECT count(*), pg_sleep(0.005)::text FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    client.query_one(waiting, &[]).await.unwrap().get(0)
}
