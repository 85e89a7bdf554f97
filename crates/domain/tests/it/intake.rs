use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::access::Visibility;
use domain::dealers::Dealer;
use domain::ports::{
    Accepted, Clock as _, MockDealerDirectory, MockRequestStore, Outbox, RequestStore, StoreError,
    Task, WorkerId,
};
use domain::requests::{Fault, Field, Input, MessageState, Request, Submission};
use domain::usecases::{Intake, IntakeError, Ports};
use domain::values::AccountError;
use testkit::{World, sample};

use crate::support::{blocked, queue, state, step, unavailable};

#[tokio::test]
async fn a_submission_is_stored_and_its_message_queued() {
    let world = World::new();
    let request = world
        .services()
        .intake
        .accept(sample::submission())
        .await
        .unwrap();
    let stored = RequestStore::find(&*world.store, request.id, &Visibility::All)
        .await
        .unwrap();
    assert_eq!(stored.as_ref(), Some(&request));
    assert_eq!(request.dealer_id, "0009999");
    assert_eq!(request.customer_name.as_deref(), Some("Adit"));
    assert_eq!(request.phone.as_deref(), Some("082148523421"));
    assert_eq!(request.license_plate.as_deref(), Some("D 123 AD"));
    assert_eq!(request.request_status, "PENDING");
    assert_eq!(request.whatsapp_status, "NOT_SENT");
    assert_eq!(request.request_date.unwrap().to_string(), "2019-12-31");
    assert_eq!(request.request_time.unwrap().to_string(), "15:40:50");
    assert_eq!(request.created_by.as_deref(), Some("api"));
    assert_eq!(state(&world, request.id), MessageState::Queued);
    assert_eq!(world.bell.rings(), 1);
}

#[tokio::test]
async fn the_message_is_the_built_in_template_with_the_submissions_values() {
    let world = World::new();
    let request = world
        .services()
        .intake
        .accept(sample::submission())
        .await
        .unwrap();
    let claims = world
        .store
        .claim(WorkerId(request.id.0), 1, world.policy.lease)
        .await
        .unwrap();
    let Task::Send(message) = &claims[0].task else {
        panic!("the message is to be sent: {claims:?}");
    };
    assert_eq!(message.request_id, request.id);
    assert_eq!(message.target, "082148523421");
    assert!(message.body.starts_with("Halo Adit,\n"));
    assert!(
        message
            .body
            .contains("unit BeAT Street dengan nomor polisi D 123 AD.")
    );
    assert!(message.body.ends_with("Best regards,\nDealer Demo"));
}

#[tokio::test]
async fn a_phone_is_stored_in_its_national_form() {
    let world = World::new();
    for phone in ["+62 821-4852-3421", "6282148523421", "82148523421"] {
        let submission = Submission {
            phone: phone.into(),
            ..sample::submission()
        };
        let request = world.services().intake.accept(submission).await.unwrap();
        assert_eq!(request.phone.as_deref(), Some("082148523421"));
    }
}

#[tokio::test]
async fn the_same_submission_twice_is_two_requests() {
    let world = World::new();
    let intake = world.services().intake;
    let first = intake.accept(sample::submission()).await.unwrap();
    let second = intake.accept(sample::submission()).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(world.store.request_count(), 2);
    assert_eq!(world.store.message_count(), 2);
    assert_eq!(world.bell.rings(), 2);
}

#[tokio::test]
async fn a_submission_is_stored_whether_its_message_can_be_sent_or_not() {
    let world = World::new();
    queue(&world, 1).await;
    world.whatsapp.will(blocked());
    step(&world.services().dispatcher).await;
    assert!(
        world
            .services()
            .intake
            .accept(sample::submission())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn every_faulty_field_is_reported_at_once() {
    let world = World::new();
    let submission = Submission {
        customer_name: Input::Absent,
        phone: "0712345678".into(),
        unit_type: Input::Other,
        created_time: "31/02/2019 15:40:50".into(),
        ..sample::submission()
    };
    let Err(IntakeError::Invalid(faults)) = world.services().intake.accept(submission).await else {
        panic!("the submission breaks rules");
    };
    assert_eq!(
        faults,
        [
            (Field::CustomerName, Fault::Missing),
            (Field::Phone, Fault::Phone),
            (Field::UnitType, Fault::NotText),
            (Field::CreatedTime, Fault::Time),
        ]
        .map(|(field, fault)| (field.into(), fault))
    );
    assert_nothing_happened(&world);
}

#[tokio::test]
async fn an_unknown_dealer_is_refused() {
    let world = World::new();
    world.store.remove_dealer(&sample::dealer_id());
    let refusal = world.services().intake.accept(sample::submission()).await;
    assert!(matches!(refusal, Err(IntakeError::UnknownDealer)));
    assert_nothing_happened(&world);
}

#[tokio::test]
async fn an_inactive_dealer_is_refused() {
    let refusal = refusal_of(Dealer {
        active: false,
        ..sample::dealer()
    });
    assert!(matches!(refusal.await, IntakeError::InactiveDealer));
}

#[tokio::test]
async fn a_dealer_without_a_usable_key_is_refused() {
    for (key, expected) in [
        (None, AccountError::NoKey),
        (Some(""), AccountError::NoKey),
        (Some(" \t "), AccountError::NoKey),
        (Some("one,two"), AccountError::MalformedKey),
        (Some("with space"), AccountError::MalformedKey),
    ] {
        let refusal = refusal_of(Dealer {
            api_key: key.map(Into::into),
            ..sample::dealer()
        });
        assert_no_account(&refusal.await, expected);
    }
}

#[tokio::test]
async fn a_dealer_whose_address_is_not_allowed_is_refused() {
    for url in [
        "https://evil.example/send",
        "http://api.fonnte.com/send",
        "?",
    ] {
        let refusal = refusal_of(Dealer {
            api_url: Some(url.to_owned()),
            ..sample::dealer()
        });
        assert_no_account(&refusal.await, AccountError::AddressNotAllowed);
    }
}

#[tokio::test]
async fn a_dealer_with_an_empty_address_uses_the_default_one() {
    for url in [None, Some(""), Some(" ")] {
        let world = World::new();
        world.store.put_dealer(Dealer {
            api_url: url.map(str::to_owned),
            ..sample::dealer()
        });
        assert!(
            world
                .services()
                .intake
                .accept(sample::submission())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn the_rules_are_checked_before_the_dealer_is_looked_up() {
    let world = World::new();
    // A mock that expects nothing panics when it is asked.
    let intake = world
        .services_over(&Ports {
            dealers: Arc::new(MockDealerDirectory::new()),
            requests: Arc::new(MockRequestStore::new()),
            ..world.ports()
        })
        .intake;
    let submission = Submission {
        phone: "123".into(),
        dealer_id: "7777777".into(),
        ..sample::submission()
    };
    let refusal = intake.accept(submission).await;
    assert!(matches!(refusal, Err(IntakeError::Invalid(_))));
    assert_eq!(world.bell.rings(), 0);
}

#[tokio::test]
async fn the_dealer_is_checked_before_its_account() {
    let refusal = refusal_of(Dealer {
        active: false,
        api_key: None,
        api_url: Some("https://evil.example/send".to_owned()),
        ..sample::dealer()
    });
    assert!(matches!(refusal.await, IntakeError::InactiveDealer));
}

#[tokio::test]
async fn the_key_is_checked_before_the_address() {
    let refusal = refusal_of(Dealer {
        api_key: None,
        api_url: Some("https://evil.example/send".to_owned()),
        ..sample::dealer()
    });
    assert_no_account(&refusal.await, AccountError::NoKey);
}

#[tokio::test]
async fn nothing_is_stored_when_the_dealer_cannot_be_looked_up() {
    let world = World::new();
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let intake = world
        .services_over(&Ports {
            dealers: Arc::new(dealers),
            requests: Arc::new(MockRequestStore::new()),
            ..world.ports()
        })
        .intake;
    let refusal = intake.accept(sample::submission()).await;
    assert!(matches!(
        refusal,
        Err(IntakeError::NotStored(StoreError::Unavailable(_)))
    ));
    assert_eq!(world.bell.rings(), 0);
}

#[tokio::test]
async fn the_bell_is_silent_when_the_store_fails() {
    let world = World::new();
    let mut requests = MockRequestStore::new();
    requests
        .expect_accept()
        .times(1)
        .returning(|_| Err(unavailable()));
    let intake = with_store(&world, requests);
    let refusal = intake.accept(sample::submission()).await;
    assert!(matches!(refusal, Err(IntakeError::NotStored(_))));
    assert_eq!(world.bell.rings(), 0);
}

#[tokio::test]
async fn the_bell_is_rung_after_the_request_was_stored() {
    let world = World::new();
    let mut requests = MockRequestStore::new();
    let bell = world.bell.clone();
    requests.expect_accept().times(1).returning(move |_| {
        assert_eq!(bell.rings(), 0, "whoever wakes up finds the message");
        Ok(Accepted::Stored)
    });
    let intake = with_store(&world, requests);
    assert!(intake.accept(sample::submission()).await.is_ok());
    assert_eq!(world.bell.rings(), 1);
}

#[tokio::test]
async fn what_is_answered_is_what_was_given_to_the_store() {
    let world = World::new();
    let mut requests = MockRequestStore::new();
    let (given, stored) = std::sync::mpsc::channel();
    requests.expect_accept().returning(move |request| {
        given.send(request.clone()).expect("the test listens");
        Ok(Accepted::Stored)
    });
    let answer = with_store(&world, requests)
        .accept(sample::submission())
        .await
        .unwrap();
    let stored = stored.recv().unwrap();
    assert_eq!(answer, Request::just_stored(&stored));
    assert_eq!(stored.message.template, "validation");
}

pub(crate) fn with_store(world: &World, requests: MockRequestStore) -> Arc<Intake> {
    world
        .services_over(&Ports {
            requests: Arc::new(requests),
            ..world.ports()
        })
        .intake
}

/// What intake says to the sample submission when this is its dealer; nothing may happen then.
async fn refusal_of(dealer: Dealer) -> IntakeError {
    let world = World::new();
    world.store.put_dealer(dealer);
    let answer = world.services().intake.accept(sample::submission()).await;
    assert_nothing_happened(&world);
    answer.expect_err("the submission is refused")
}

fn assert_no_account(refusal: &IntakeError, expected: AccountError) {
    match refusal {
        IntakeError::NoAccount(error) => assert_eq!(*error, expected),
        other => panic!("the account cannot be used: {other:?}"),
    }
}

fn assert_nothing_happened(world: &World) {
    assert_eq!(world.store.request_count(), 0);
    assert_eq!(world.store.message_count(), 0);
    assert_eq!(world.bell.rings(), 0);
}

#[tokio::test]
async fn a_scheduled_message_is_queued_for_its_time() {
    let world = World::new();
    let send_at = world.clock.now() + TimeDelta::hours(2);
    let submission = Submission {
        send_at: send_at.to_rfc3339().into(),
        ..sample::submission()
    };
    let request = world.services().intake.accept(submission).await.unwrap();
    assert_eq!(request.whatsapp_status, "NOT_SENT");
    let next = world.store.next_due().await.unwrap();
    assert_eq!(next, Some(Duration::from_secs(2 * 3_600)));
}
