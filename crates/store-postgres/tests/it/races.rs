//! Two statements that meet, forced into the order that hurts.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Visibility;
use domain::delivery::{LaneChange, MessageChange, OutcomeKind, Receipt};
use domain::ports::{
    Accepted, Attempt, Lease, Outbox as _, RequestStore as _, Settled, Settlement, Task, WorkerId,
};
use domain::requests::{NewRequest, RequestStatus};
use store_postgres::PgStore;
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio::task::JoinSet;
use tokio_postgres::Transaction;

use crate::backstage::store;

/// Stores a request and begins its message.
async fn accept_and_claim(store: &PgStore, request: &NewRequest) -> Lease {
    store.accept(request).await.unwrap();
    let worker = WorkerId(uuid::Uuid::nil());
    let claims = store.claim(worker, 1, Duration::from_secs(60)).await;
    claims.unwrap().remove(0).lease
}

/// The acceptance arrives while the settlement that says "unknown" is being written: when its turn
/// comes, the request is no longer as it was when its statement began.
#[tokio::test(flavor = "multi_thread")]
async fn late_acceptance_that_had_to_wait_is_mirrored() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let request = sample::new_request();
    let mut lost = accept_and_claim(&store, &request).await;
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

/// A report says "delivered" while the settlement is being written: the state is the report's, and the
/// attempt is kept all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_kept_whose_message_changes_meanwhile() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let request = sample::new_request();
    let lease = accept_and_claim(&store, &request).await;

    let mut client = database.connect().await;
    let other = client.transaction().await.unwrap();
    let id = request.message.id.to_string();
    let delivered = "UPDATE customer.message SET state = 'DELIVERED', sent_at = now()
        WHERE id = $1::text::uuid";
    other.execute(delivered, &[&id]).await.unwrap();
    let mut settlement = accepted(request.message.id);
    let receipt = Receipt {
        message_id: Some("80367170".to_owned()),
        ..Receipt::default()
    };
    settlement.message = Some((request.message.id, MessageChange::Sent(receipt)));
    settlement.attempt = Some(Attempt {
        outcome: OutcomeKind::Accepted,
        detail: "success! message in queue".to_owned(),
        duration: Duration::from_millis(50),
        answer: None,
    });
    let settling = tokio::spawn({
        let store = store.clone();
        async move { store.settle(&lease, &settlement).await.unwrap() }
    });
    until_one_waits(&other).await;
    other.commit().await.unwrap();

    assert_eq!(settling.await.unwrap(), Settled::Applied);
    let kept = "SELECT state, provider_id, jsonb_array_length(attempts)
        FROM customer.message WHERE id = $1::text::uuid";
    let row = client.query_one(kept, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "DELIVERED");
    assert!(row.get::<_, Option<&str>>(1).is_some());
    assert_eq!(row.get::<_, i32>(2), 1);
}

/// Another program has locked a request: its dealer's settlement waits, and nobody else's with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_request_holds_up_the_settlement_of_its_own_dealer_alone() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let requests = [1, 2, 3].map(|n| sample::request_for(&sample::dealer_id_numbered(n), n));
    for request in &requests {
        store.accept(request).await.unwrap();
    }
    let worker = WorkerId(uuid::Uuid::nil());
    let claims = store.claim(worker, 3, Duration::from_secs(60)).await;
    let settle = |n: usize| {
        let message = requests[n].message.id;
        let dealer = &requests[n].submission.dealer_id;
        let mut leases = claims.as_ref().unwrap().iter().map(|claim| &claim.lease);
        let lease = leases.find(|lease| lease.dealer_id == *dealer).unwrap();
        let (store, lease) = (store.clone(), lease.clone());
        async move { store.settle(&lease, &accepted(message)).await.unwrap() }
    };

    let mut client = database.connect().await;
    let other = client.transaction().await.unwrap();
    let lock =
        "SELECT FROM customer.customer_validation_request WHERE id = $1::text::uuid FOR UPDATE";
    let locked = requests[0].id.to_string();
    other.execute(lock, &[&locked]).await.unwrap();
    let waits = tokio::spawn(settle(0));
    until_one_waits(&other).await;
    // Sooner than a lock is given up.
    let others = async { tokio::join!(settle(1), settle(2)) };
    let others = tokio::time::timeout(Duration::from_millis(1_500), others).await;
    assert_eq!(others.unwrap(), (Settled::Applied, Settled::Applied));
    assert!(!waits.is_finished());
    other.commit().await.unwrap();
    assert_eq!(waits.await.unwrap(), Settled::Applied);
}

/// Another program has locked the requests of many dealers: the others are served as before.
#[tokio::test(flavor = "multi_thread")]
async fn many_locked_requests_leave_the_connections_to_others() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let requests: Vec<_> = (1..=20)
        .map(|n| sample::request_for(&sample::dealer_id_numbered(n), n))
        .collect();
    for request in &requests {
        store.accept(request).await.unwrap();
    }
    let worker = WorkerId(uuid::Uuid::nil());
    let lease = Duration::from_secs(60);
    let claims = store.claim(worker, 20, lease).await.unwrap();

    let mut client = database.connect().await;
    let other = client.transaction().await.unwrap();
    let lock = "SELECT FROM customer.customer_validation_request FOR UPDATE";
    other.execute(lock, &[]).await.unwrap();
    let mut settling = JoinSet::new();
    for claim in claims {
        let Task::Send(message) = &claim.task else {
            panic!("all are to be sent")
        };
        let (store, settlement) = (store.clone(), accepted(message.id));
        settling.spawn(async move { store.settle(&claim.lease, &settlement).await });
    }
    // Long enough for all of them to have been tried among others, by the writer.
    let mut most = 0;
    for _ in 0..200 {
        most = most.max(waiting(&other).await);
    }
    assert!(
        (2..=4).contains(&most),
        "{most} connections wait for a lock"
    );
    let next = tokio::time::timeout(Duration::from_millis(500), store.next_due());
    next.await.expect("there is a connection").unwrap();
    other.commit().await.unwrap();
    while let Some(settled) = settling.join_next().await {
        // Those that gave up meanwhile are repeated by whoever settles.
        let _ = settled.unwrap();
    }
}

/// The next message is cancelled at the very moment at which it would begin: its lane stays free.
#[tokio::test(flavor = "multi_thread")]
async fn a_lane_whose_next_message_is_cancelled_meanwhile_stays_free() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let [first, second, third] = [1, 2, 3].map(|n| sample::request_for(&sample::dealer_id(), n));
    for request in [&first, &second] {
        store.accept(request).await.unwrap();
    }
    let worker = WorkerId(uuid::Uuid::nil());
    let lease = Duration::from_secs(60);
    let claim = store.claim(worker, 1, lease).await.unwrap().remove(0);

    let mut client = database.connect().await;
    let other = client.transaction().await.unwrap();
    let cancel = "UPDATE customer.message SET state = 'CANCELLED', failed_at = now()
        WHERE id = $1::text::uuid";
    let cancelled = second.message.id.to_string();
    other.execute(cancel, &[&cancelled]).await.unwrap();
    let settling = tokio::spawn({
        let (store, settlement) = (store.clone(), accepted(first.message.id));
        async move {
            let settling = store.settle_and_claim(&claim.lease, &settlement, worker, lease);
            settling.await.unwrap()
        }
    });
    until_one_waits(&other).await;
    other.commit().await.unwrap();
    assert_eq!(settling.await.unwrap(), (Settled::Applied, None));
    store.accept(&third).await.unwrap();
    let claims = store.claim(worker, 1, lease).await.unwrap();
    let next = claims.first().map(|claim| &claim.task);
    assert!(matches!(next, Some(Task::Send(message)) if message.id == third.message.id));
}

fn accepted(message: domain::requests::MessageId) -> Settlement {
    Settlement {
        message: Some((message, MessageChange::Sent(Receipt::default()))),
        lane: LaneChange::Ready {
            pause: Duration::ZERO,
        },
        attempt: None,
        called: true,
        call: None,
        account_fingerprint: None,
    }
}

/// A transaction that stores a request under the sample dealer's key, not committed yet.
async fn using_a_key<'c>(
    client: &'c mut tokio_postgres::Client,
    request: &domain::requests::NewRequest,
) -> tokio_postgres::Transaction<'c> {
    let once = request.once.as_ref().expect("it has a key");
    let using = client.transaction().await.unwrap();
    using
        .execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0))",
            &[&request.submission.dealer_id.as_str(), &once.key.as_str()],
        )
        .await
        .unwrap();
    using
        .execute(
            "INSERT INTO customer.idempotency_key (dealer_id, key, body_print, request_id)
            VALUES ($1, $2, $3, $4::text::uuid)",
            &[
                &request.submission.dealer_id.as_str(),
                &once.key.as_str(),
                &once.body.as_bytes(),
                &request.id.to_string(),
            ],
        )
        .await
        .unwrap();
    using
}

fn keyed(n: u32) -> domain::requests::NewRequest {
    let mut request = sample::request_for(&sample::dealer_id(), n);
    request.once = Some(sample::once("key", "body"));
    request
}

/// Whoever meets a key in use hears so in time, and no statement waits for a lock: that would end in
/// an error that only its words tell from others, in whatever language the server speaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_use_is_told_without_a_lock_that_times_out() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let mut client = database.connect().await;
    let using = using_a_key(&mut client, &keyed(1)).await;
    let watcher = database.connect().await;
    let accepting = tokio::spawn({
        let store = store.clone();
        async move { store.accept(&keyed(2)).await.unwrap() }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut pace = pace();
    while !accepting.is_finished() {
        pace.tick().await;
        let row = watcher.query_one(waiting, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0, "a statement waits for a lock");
    }
    assert_eq!(accepting.await.unwrap(), Accepted::KeyInProgress);
    using.rollback().await.unwrap();
    let again = store.accept(&keyed(3)).await.unwrap();
    assert_eq!(again, Accepted::Stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_use_is_replayed_when_its_first_request_is_stored_in_time() {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let first = keyed(1);
    let mut client = database.connect().await;
    let using = using_a_key(&mut client, &first).await;
    let mut accepting = tokio::spawn({
        let store = store.clone();
        async move { store.accept(&keyed(2)).await.unwrap() }
    });
    // It has met the key when its session has asked something and has its answer.
    let asked = "SELECT count(*) > 0 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND state = 'idle' AND query LIKE '%idempotency_key%'";
    let watcher = database.connect().await;
    let looking = async {
        let mut pace = pace();
        while !watcher
            .query_one(asked, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
        {
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .expect("the key is met");
    assert!(!accepting.is_finished());
    using.commit().await.unwrap();
    let accepted = tokio::time::timeout(Duration::from_secs(10), &mut accepting).await;
    assert_eq!(accepted.unwrap().unwrap(), Accepted::Replayed(first.id));
}

/// Until a statement in this database waits for a lock.
pub(crate) async fn until_one_waits(client: &Transaction<'_>) {
    until_waiting(client, 1).await;
}

/// Until so many wait.
pub(crate) async fn until_waiting(client: &Transaction<'_>, statements: i64) {
    let looking = async {
        let mut pace = pace();
        while waiting(client).await < statements {
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .expect("a statement waits");
}

/// Between two looks.
fn pace() -> tokio::time::Interval {
    tokio::time::interval(Duration::from_millis(5))
}

/// How many statements in this database wait for a lock.
pub(crate) async fn waiting(client: &Transaction<'_>) -> i64 {
    // A transaction sees the sessions as they were when it first looked.
    let anew = "SELECT pg_stat_clear_snapshot()";
    client.execute(anew, &[]).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    client.query_one(waiting, &[]).await.unwrap().get(0)
}
