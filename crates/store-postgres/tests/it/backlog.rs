//! What is not finished, counted by state.

use std::time::Duration;

use domain::delivery::{LaneChange, MessageChange};
use domain::ports::{Backlog, Outbox as _, RequestStore as _, Settlement, Task, WorkerId};
use domain::requests::MessageState;
use store_postgres::testing::TestDatabase;
use store_postgres::{PgStore, Standing};
use testkit::contract::Backstage as _;
use testkit::sample;

use crate::backstage::{PgBackstage, store};

async fn counts(store: &PgStore) -> Vec<(MessageState, u64, bool)> {
    let backlog: Vec<Backlog> = store.backlog().await.unwrap();
    backlog
        .into_iter()
        .map(|found| (found.state, found.messages, found.oldest_past_due.is_some()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_counted_until_they_are_finished() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let none = |state| (state, 0, false);
    let (queued, sending, unknown) = (
        MessageState::Queued,
        MessageState::Sending,
        MessageState::Unknown,
    );
    assert_eq!(
        counts(&store).await,
        [none(queued), none(sending), none(unknown)]
    );
    for n in 1..=2 {
        let request = sample::request_for(&sample::dealer_id(), n);
        store.accept(&request).await.unwrap();
    }
    let lease = Duration::from_secs(600);
    let worker = WorkerId(uuid::Uuid::now_v7());
    let claim = store.claim(worker, 1, lease).await.unwrap().remove(0);
    assert_eq!(
        counts(&store).await,
        [(queued, 1, true), (sending, 1, true), none(unknown)]
    );
    let Task::Send(message) = &claim.task else {
        panic!("a message is to be sent: {claim:?}");
    };
    let reason = "timeout".to_owned();
    let settlement = Settlement {
        message: Some((message.id, MessageChange::Unknown { reason })),
        lane: LaneChange::Unchanged {
            pause: Duration::ZERO,
        },
        attempt: None,
        called: true,
        call: None,
        account_fingerprint: None,
    };
    store.settle(&claim.lease, &settlement).await.unwrap();
    PgBackstage::connect(&database).await.pass(lease).await;
    let backlog = store.backlog().await.unwrap();
    assert_eq!(backlog[1].messages, 0);
    assert_eq!(backlog[2].messages, 1);
    let age = backlog[0].oldest_past_due.unwrap();
    assert!(age >= lease && age < lease * 2, "{age:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_due_is_told_apart_from_what_has_an_excuse() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let standing = store.standing().await.unwrap();
    assert_eq!(standing, Standing::default());
    let worker = WorkerId(uuid::Uuid::now_v7());
    let hour = Duration::from_secs(3_600);

    let request = sample::request_for(&sample::dealer_id_numbered(1), 1);
    store.accept(&request).await.unwrap();
    let claim = store.claim(worker, 1, hour * 2).await.unwrap().remove(0);
    let blocked = Settlement {
        message: Some((request.message.id, MessageChange::Requeued)),
        lane: LaneChange::Blocked {
            cause: domain::delivery::BlockCause::Token,
            pause: Duration::ZERO,
            reason: "token invalid".to_owned(),
        },
        attempt: None,
        called: true,
        call: None,
        account_fingerprint: None,
    };
    store.settle(&claim.lease, &blocked).await.unwrap();
    let backstage = PgBackstage::connect(&database).await;
    backstage.pass(hour).await;
    let standing = store.standing().await.unwrap();
    assert_eq!((standing.past_due, standing.blocked_lanes), (1, 1));
    assert_eq!(standing.oldest_unhindered, None);
    assert!(standing.oldest_block >= Some(hour), "{standing:?}");

    let mut later = sample::request_for(&sample::dealer_id_numbered(2), 2);
    later.message.not_before = Some(chrono::Utc::now() + chrono::TimeDelta::days(1));
    store.accept(&later).await.unwrap();
    let request = sample::request_for(&sample::dealer_id_numbered(3), 3);
    store.accept(&request).await.unwrap();
    backstage.pass(hour).await;
    let standing = store.standing().await.unwrap();
    assert_eq!((standing.past_due, standing.blocked_lanes), (2, 1));
    let age = standing.oldest_unhindered.unwrap();
    assert!(age >= hour && age < hour * 2, "{age:?}");
}
