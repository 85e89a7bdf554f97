use std::sync::Arc;

use domain::dealers::Dealer;
use domain::delivery::Receipt;
use domain::events::{EventContent, EventTopic, MessageReport, ProviderEvent};
use domain::ports::{EventsApplied, MockBell, MockEventStore, StoreError};
use domain::requests::MessageState;
use domain::usecases::{EventError, EventReceived, Ports};
use testkit::{World, sample};

use crate::support::{queue, round, state, unavailable};

const BODY: &[u8] = br#"{"id":"any"}"#;

/// A world whose dealer has an address and, if given, a secret.
fn world(secret: Option<&str>) -> World {
    let world = World::new();
    world.store.put_dealer(Dealer {
        webhook_secret: secret.map(Into::into),
        ..sample::dealer()
    });
    world
        .store
        .put_webhook(&sample::dealer_id(), &sample::webhook_token(1));
    world
}

async fn receive(world: &World, body: &[u8]) -> Result<EventReceived, EventError> {
    let token = sample::webhook_token(1);
    let desk = world.services().events;
    desk.receive(token.as_str(), EventTopic::Status, body).await
}

fn with_secrets(secrets: &[&str]) -> ProviderEvent {
    ProviderEvent {
        secrets: secrets.iter().map(|secret| (*secret).into()).collect(),
        ..sample::event(EventContent::Device { connected: true })
    }
}

#[tokio::test]
async fn a_report_is_stored_and_the_loop_is_told() {
    let world = world(None);
    let kept = receive(&world, BODY).await.unwrap();
    assert_eq!(kept, EventReceived::Kept(sample::dealer_id()));
    assert_eq!(world.bell.rings(), 1);
}

#[tokio::test]
async fn only_an_address_of_a_dealer_takes_reports() {
    let world = world(None);
    let other = sample::webhook_token(2);
    for token in [other.as_str(), "", "short", "has/slash/and/more/of/it", "é"] {
        let answer = world
            .services()
            .events
            .receive(token, EventTopic::Status, BODY)
            .await;
        assert!(
            matches!(answer, Err(EventError::UnknownAddress)),
            "{answer:?}"
        );
    }
    assert_eq!(world.bell.rings(), 0);
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let answer = receive(&world(None), b"id=1").await;
    assert!(matches!(answer, Err(EventError::NotJson)), "{answer:?}");
}

#[tokio::test]
async fn a_report_without_the_dealers_secret_is_ignored() {
    for (given, taken) in [
        (&["hush"][..], true),
        (&["wrong", "hush"], true),
        (&["wrong"], false),
        (&["hush "], false),
        (&[""], false),
        (&[], false),
    ] {
        let world = world(Some("hush"));
        world.whatsapp.will_read(with_secrets(given));
        let answer = receive(&world, BODY).await.unwrap();
        let expected = if taken {
            EventReceived::Kept(sample::dealer_id())
        } else {
            EventReceived::Ignored(sample::dealer_id())
        };
        assert_eq!(answer, expected, "{given:?}");
        let applied = world.services().events.apply(10).await.unwrap();
        assert_eq!(applied.taken, u64::from(taken), "{given:?}");
    }
}

#[tokio::test]
async fn a_dealer_without_a_secret_takes_any() {
    let world = world(None);
    world.whatsapp.will_read(with_secrets(&["whatever"]));
    let answer = receive(&world, BODY).await.unwrap();
    assert_eq!(answer, EventReceived::Kept(sample::dealer_id()));
}

#[tokio::test]
async fn a_receipt_reaches_its_message() {
    let world = world(None);
    world
        .whatsapp
        .will(domain::delivery::Outcome::Accepted(Receipt {
            message_id: Some("77".to_owned()),
            ..Receipt::default()
        }));
    let request = queue(&world, 1).await;
    round(&world.services().dispatcher).await;
    assert_eq!(state(&world, request), MessageState::Sent);
    world
        .whatsapp
        .will_read(sample::event(EventContent::Message(MessageReport {
            provider_id: Some("77".to_owned()),
            seen: Some(MessageState::Read),
            ..MessageReport::default()
        })));
    receive(&world, BODY).await.unwrap();
    assert_eq!(state(&world, request), MessageState::Sent);
    world.services().events.apply(10).await.unwrap();
    assert_eq!(state(&world, request), MessageState::Read);
}

#[tokio::test]
async fn a_freed_lane_wakes_the_dispatcher() {
    for (freed, rings) in [(0, 0), (1, 1)] {
        let mut events = MockEventStore::new();
        events.expect_apply().returning(move |_, _| {
            Ok(EventsApplied {
                taken: 1,
                freed,
                ..EventsApplied::default()
            })
        });
        let world = world(None);
        let bell = world.bell.clone();
        let desk = world
            .services_over(&Ports {
                events: Arc::new(events),
                event_bell: Arc::new(MockBell::new()),
                lane_bell: bell.clone(),
                ..world.ports()
            })
            .events;
        desk.apply(10).await.unwrap();
        assert_eq!(bell.rings(), rings);
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_stored_is_not_acknowledged() {
    let mut events = MockEventStore::new();
    events
        .expect_owner()
        .returning(|_| Ok(Some(sample::dealer_id())));
    events.expect_keep().returning(|_, _| Err(unavailable()));
    let world = world(None);
    let bell = Arc::new(MockBell::new());
    let desk = world
        .services_over(&Ports {
            events: Arc::new(events),
            event_bell: bell.clone(),
            lane_bell: bell,
            ..world.ports()
        })
        .events;
    let token = sample::webhook_token(1);
    let answer = desk.receive(token.as_str(), EventTopic::Status, BODY).await;
    assert!(matches!(
        answer,
        Err(EventError::Store(StoreError::Unavailable(_)))
    ));
}
