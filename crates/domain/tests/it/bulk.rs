//! Many submissions of one call.

use std::sync::Arc;

use domain::access::Visibility;
use domain::dealers::Dealer;
use domain::ports::{Accepted, MockDealerDirectory, MockRequestStore};
use domain::requests::{MessageKind, Submission};
use domain::usecases::{BulkCall, BulkRow, IntakeError, RowAnswer};
use testkit::{World, sample};

use crate::intake::with_store;
use crate::support::unavailable;

fn row(submission: Submission) -> BulkRow {
    BulkRow {
        submission,
        once: None,
    }
}

fn keyed(key: &str, submission: Submission) -> BulkRow {
    BulkRow {
        submission,
        once: Some(sample::once(key, "body")),
    }
}

fn call() -> BulkCall {
    BulkCall::new(Visibility::All, false)
}

fn is_stored(answer: &RowAnswer) -> bool {
    answer
        .as_ref()
        .is_ok_and(|row| row.request.is_some() && !row.replayed)
}

#[tokio::test]
async fn each_row_is_answered_in_its_place() {
    let world = World::new();
    let intake = world.services().intake;
    let rows = vec![
        row(sample::submission()),
        row(Submission {
            phone: "021".into(),
            ..sample::submission()
        }),
        row(Submission {
            dealer_id: "0000001".into(),
            ..sample::submission()
        }),
        row(sample::submission()),
    ];
    let answers = intake.accept_all(&mut call(), rows).await;
    assert!(is_stored(&answers[0]) && is_stored(&answers[3]));
    assert!(matches!(answers[1], Err(IntakeError::Invalid(_))));
    assert!(matches!(answers[2], Err(IntakeError::UnknownDealer)));
    assert_eq!(world.store.request_count(), 2);
    // Once for each dealer.
    assert_eq!(world.bell.rings(), 1);
}

#[tokio::test]
async fn a_dealer_is_looked_up_once_in_a_call() {
    let world = World::new();
    let mut dealers = MockDealerDirectory::new();
    dealers
        .expect_find()
        .times(1)
        .returning(|_| Ok(Some(sample::dealer())));
    let ports = domain::usecases::Ports {
        dealers: Arc::new(dealers),
        ..world.ports()
    };
    let intake = world.services_over(&ports).intake;
    let mut call = call();
    for _ in 0..3 {
        let rows = vec![row(sample::submission()); 10];
        let answers = intake.accept_all(&mut call, rows).await;
        assert!(answers.iter().all(is_stored));
    }
}

#[tokio::test]
async fn messages_are_of_the_kind_that_goes_last() {
    let mut requests = MockRequestStore::new();
    requests.expect_accept_all().returning(|requests| {
        assert!(
            requests
                .iter()
                .all(|row| row.message.kind == MessageKind::Bulk)
        );
        requests.iter().map(|_| Ok(Accepted::Stored)).collect()
    });
    let intake = with_store(&World::new(), requests);
    let answers = intake
        .accept_all(&mut call(), vec![row(sample::submission())])
        .await;
    assert!(is_stored(&answers[0]));
}

#[tokio::test]
async fn a_dry_run_stores_nothing_and_knows_the_keys() {
    let world = World::new();
    let intake = world.services().intake;
    let stored = intake
        .accept_all(&mut call(), vec![keyed("one", sample::submission())])
        .await;
    assert!(is_stored(&stored[0]));
    let rows = vec![
        keyed("one", sample::submission()),
        keyed("two", sample::submission()),
        BulkRow {
            submission: sample::submission(),
            once: Some(sample::once("one", "another")),
        },
    ];
    let mut dry = BulkCall::new(Visibility::All, true);
    let answers = intake.accept_all(&mut dry, rows).await;
    let would = |n: usize| answers[n].as_ref().expect("it would be stored");
    assert_eq!((would(0).request, would(0).replayed), (None, true));
    assert_eq!((would(1).request, would(1).replayed), (None, false));
    assert!(matches!(answers[2], Err(IntakeError::KeyReused)));
    assert_eq!(world.store.request_count(), 1);
}

#[tokio::test]
async fn a_dry_run_answers_for_a_key_that_comes_twice_as_the_call_itself() {
    let another = || BulkRow {
        submission: sample::submission(),
        once: Some(sample::once("one", "another")),
    };
    let refused = || BulkRow {
        submission: Submission {
            template: "unknown".into(),
            ..sample::submission()
        },
        once: Some(sample::once("one", "another")),
    };
    let blocks = || {
        [
            vec![refused(), keyed("one", sample::submission())],
            vec![keyed("one", sample::submission()), another(), refused()],
            vec![
                keyed("two", sample::submission()),
                row(sample::submission()),
            ],
        ]
    };
    let mut told = Vec::new();
    for dry_run in [true, false] {
        let intake = World::new().services().intake;
        let mut call = BulkCall::new(Visibility::All, dry_run);
        let mut all = Vec::new();
        for block in blocks() {
            for answer in intake.accept_all(&mut call, block).await {
                all.push(match answer {
                    Ok(row) => format!("replayed: {}", row.replayed),
                    Err(error) => error.to_string(),
                });
            }
        }
        told.push(all);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0][2], "replayed: true");
}

#[tokio::test]
async fn what_was_stored_is_answered_whatever_became_of_its_dealer() {
    let world = World::new();
    let intake = world.services().intake;
    let rows = || {
        vec![
            keyed("one", sample::submission()),
            row(sample::submission()),
        ]
    };
    let first = intake.accept_all(&mut call(), rows()).await;
    world.store.put_dealer(Dealer {
        active: false,
        ..sample::dealer()
    });
    let again = intake.accept_all(&mut call(), rows()).await;
    let replayed = again[0].as_ref().expect("it was stored");
    assert!(replayed.replayed);
    assert_eq!(
        replayed.request,
        first[0].as_ref().expect("it is stored").request
    );
    assert!(matches!(again[1], Err(IntakeError::InactiveDealer)));
}

#[tokio::test]
async fn after_a_block_that_nobody_could_store_nothing_more_is_tried() {
    let mut requests = MockRequestStore::new();
    requests
        .expect_accept_all()
        .times(1)
        .returning(|requests| requests.iter().map(|_| Err(unavailable())).collect());
    let intake = with_store(&World::new(), requests);
    let mut call = call();
    for _ in 0..3 {
        let rows = vec![row(sample::submission()); 5];
        let answers = intake.accept_all(&mut call, rows).await;
        let is_refused = |answer: &RowAnswer| matches!(answer, Err(IntakeError::NotStored(_)));
        assert!(answers.iter().all(is_refused));
    }
    assert!(call.is_given_up());
}

#[tokio::test]
async fn one_row_that_is_not_stored_ends_nothing() {
    let mut requests = MockRequestStore::new();
    requests.expect_accept_all().times(2).returning(|requests| {
        let answer = |n| match n {
            0 => Err(unavailable()),
            _ => Ok(Accepted::Stored),
        };
        (0..requests.len()).map(answer).collect()
    });
    let intake = with_store(&World::new(), requests);
    let mut call = call();
    for _ in 0..2 {
        let rows = vec![row(sample::submission()); 2];
        let answers = intake.accept_all(&mut call, rows).await;
        assert!(answers[0].is_err() && is_stored(&answers[1]));
    }
}

#[tokio::test]
async fn rows_of_dealers_that_are_not_the_callers_are_refused() {
    let world = World::new();
    world.store.put_dealer(sample::dealer_numbered(1));
    let seen = Visibility::Only(sample::dealer_id_numbered(1));
    let intake = world.services().intake;
    let rows = vec![row(sample::submission())];
    let answers = intake
        .accept_all(&mut BulkCall::new(seen, false), rows)
        .await;
    assert!(matches!(answers[0], Err(IntakeError::ForeignDealer)));
}
