//! Submissions under a caller's key.

use domain::access::Visibility;
use domain::dealers::Dealer;
use domain::ports::{Accepted, MockRequestStore, StoreError};
use domain::usecases::IntakeError;
use testkit::{World, sample};

use crate::intake::with_store;
use crate::support::unavailable;

#[tokio::test]
async fn a_submission_that_was_stored_before_is_answered_again_and_wakes_nobody() {
    let world = World::new();
    let once = Some(sample::once("key", "body"));
    let intake = world.services().intake;
    let accept = || intake.accept_once(sample::submission(), once.clone(), &Visibility::All);
    let first = accept().await.unwrap();
    assert!(!first.replayed);
    let again = accept().await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.request, first.request);
    assert_eq!(world.store.message_count(), 1);
    assert_eq!(world.bell.rings(), 1);
    let other = intake
        .accept_once(
            sample::submission(),
            Some(sample::once("key", "other")),
            &Visibility::All,
        )
        .await;
    assert!(matches!(other, Err(IntakeError::KeyReused)));
}

#[tokio::test]
async fn a_key_comes_after_the_dealer_and_is_not_spent_on_a_refusal() {
    let world = World::new();
    let once = Some(sample::once("key", "body"));
    let intake = world.services().intake;
    let inactive = Dealer {
        active: false,
        ..sample::dealer()
    };
    world.store.put_dealer(inactive);
    let refusal = intake
        .accept_once(sample::submission(), once.clone(), &Visibility::All)
        .await;
    assert!(matches!(refusal, Err(IntakeError::InactiveDealer)));
    world.store.put_dealer(sample::dealer());
    let stored = intake
        .accept_once(sample::submission(), once, &Visibility::All)
        .await
        .unwrap();
    assert!(!stored.replayed);
}

/// Everything that can become of a dealer after a submission of it was stored.
fn fallen_dealers() -> [Dealer; 3] {
    let inactive = Dealer {
        active: false,
        ..sample::dealer()
    };
    let without_key = Dealer {
        api_key: None,
        ..sample::dealer()
    };
    let elsewhere = Dealer {
        api_url: Some("https://evil.example/send".to_owned()),
        ..sample::dealer()
    };
    [inactive, without_key, elsewhere]
}

#[tokio::test]
async fn a_stored_answer_is_given_again_whatever_became_of_the_dealer() {
    let world = World::new();
    let intake = world.services().intake;
    let accept = async |key, body| {
        let once = Some(sample::once(key, body));
        let accepted = intake.accept_once(sample::submission(), once, &Visibility::All);
        accepted.await
    };
    let first = accept("key", "body").await.unwrap();
    let mut dealers: Vec<_> = fallen_dealers().into_iter().map(Some).collect();
    dealers.push(None);
    for dealer in dealers {
        match dealer {
            Some(dealer) => world.store.put_dealer(dealer),
            None => world.store.remove_dealer(&sample::dealer_id()),
        }
        let again = accept("key", "body").await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.request, first.request);
        let other = accept("key", "other").await;
        assert!(matches!(other, Err(IntakeError::KeyReused)), "{other:?}");
        let unused = accept("unused", "body").await.unwrap_err();
        assert!(
            matches!(
                unused,
                IntakeError::UnknownDealer
                    | IntakeError::InactiveDealer
                    | IntakeError::NoAccount(_)
            ),
            "{unused:?}"
        );
    }
    assert_eq!(world.store.request_count(), 1);
    assert_eq!(world.bell.rings(), 1);
}

#[tokio::test]
async fn a_stored_answer_is_not_for_callers_who_may_not_see_the_dealer() {
    let world = World::new();
    let intake = world.services().intake;
    let once = Some(sample::once("key", "body"));
    let seen = Visibility::All;
    let stored = intake.accept_once(sample::submission(), once.clone(), &seen);
    stored.await.unwrap();
    world.store.remove_dealer(&sample::dealer_id());
    let stranger = Visibility::Only(sample::dealer_id_numbered(1));
    let refused = intake.accept_once(sample::submission(), once, &stranger);
    assert!(matches!(refused.await, Err(IntakeError::ForeignDealer)));
}

#[tokio::test]
async fn only_a_refusal_of_a_keyed_submission_asks_for_the_keys_use() {
    let world = World::new();
    // Mocks that expect nothing of the kind panic when they are asked.
    let mut requests = MockRequestStore::new();
    requests
        .expect_accept()
        .times(1)
        .returning(|_| Ok(Accepted::Stored));
    let intake = with_store(&world, requests);
    let once = Some(sample::once("key", "body"));
    let seen = Visibility::All;
    let stored = intake.accept_once(sample::submission(), once, &seen);
    assert!(stored.await.is_ok());
    for dealer in fallen_dealers() {
        world.store.put_dealer(dealer);
        assert!(intake.accept(sample::submission()).await.is_err());
    }
}

#[tokio::test]
async fn a_refusal_waits_for_a_store_that_knows_the_keys_use() {
    let world = World::new();
    let mut requests = MockRequestStore::new();
    requests.expect_key_uses().returning(|_| Err(unavailable()));
    let intake = with_store(&world, requests);
    world.store.remove_dealer(&sample::dealer_id());
    let once = Some(sample::once("key", "body"));
    let refused = intake.accept_once(sample::submission(), once, &Visibility::All);
    assert!(matches!(
        refused.await,
        Err(IntakeError::NotStored(StoreError::Unavailable(_)))
    ));
}
