//! Endpoints of event webhooks, and the calls to them.

use std::time::Duration;

use domain::endpoints::{
    DeliveryChange, DeliveryState, EndpointId, EndpointInput, EventAnswer, EventError, RawEvents,
};
use domain::ports::{EventRoom, EventSettled, EventTask};
use domain::usecases::{EndpointError, MadeEndpoint, Services};
use domain::values::Owner;
use secrecy::ExposeSecret as _;
use testkit::{World, sample};

const ROOM: EventRoom = EventRoom {
    healthy: 10,
    failing: 10,
};

fn wanted() -> EndpointInput {
    EndpointInput {
        url: "https://workshop.example/in".into(),
        events: RawEvents::List(vec!["message.sent".into()]),
        ..EndpointInput::default()
    }
}

fn own() -> Owner {
    Owner::Dealer(sample::dealer_id())
}

async fn make(services: &Services) -> MadeEndpoint {
    let (owner, wanted, author) = (own(), wanted(), sample::author());
    let making = services.endpoints.create(&owner, &wanted, &author);
    making.await.expect("it is made")
}

async fn test(services: &Services, id: EndpointId) {
    let (owner, author) = (own(), sample::author());
    let queueing = services.endpoints.test(&owner, id, &author);
    queueing.await.expect("it is queued");
}

async fn take(services: &Services) -> EventTask {
    let mut taken = services
        .event_dispatcher
        .take(ROOM)
        .await
        .expect("it is taken");
    assert_eq!(taken.len(), 1);
    taken.remove(0)
}

/// Makes the call that is due, and settles it.
async fn deliver(services: &Services) -> DeliveryChange {
    let task = take(services).await;
    let delivery = services.event_dispatcher.deliver(task).await;
    let settled = services.event_dispatcher.settle(&delivery).await;
    assert_eq!(settled.expect("it is settled"), EventSettled::Applied);
    delivery.settlement.change
}

#[tokio::test]
async fn a_test_is_posted_at_once_with_the_endpoints_secret() {
    let world = World::new();
    let services = world.services();
    let made = make(&services).await;
    let rings = world.bell.rings();
    test(&services, made.record.id).await;
    assert!(world.bell.rings() > rings);
    assert_eq!(deliver(&services).await, DeliveryChange::Delivered);
    let posted = world.receiver.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].url.as_str(), "https://workshop.example/in");
    let secret = posted[0].secret.reveal();
    assert_eq!(secret.expose_secret(), made.secret.expose_secret());
    assert_eq!(posted[0].event.kind, "endpoint.test");
}

#[tokio::test]
async fn an_event_that_is_not_taken_is_posted_again_on_its_schedule() {
    let world = World::new();
    let services = world.services();
    let made = make(&services).await;
    test(&services, made.record.id).await;
    world.receiver.answer_status(500);
    world.receiver.answer(EventAnswer::Status {
        status: 503,
        retry_after: Some(Duration::from_secs(1_800)),
    });
    for (pause, wait) in [(0, 5), (7, 1_800)] {
        world.pass(Duration::from_secs(pause));
        let DeliveryChange::Again { wait: found } = deliver(&services).await else {
            panic!("it was not taken");
        };
        assert!(found.as_secs_f64() >= 0.8 * f64::from(wait), "{found:?}");
        let due = services.event_dispatcher.next_due().await.expect("asked");
        assert_eq!(due, Some(found));
        assert!(
            services
                .event_dispatcher
                .take(ROOM)
                .await
                .expect("asked")
                .is_empty()
        );
    }
    world.pass(Duration::from_secs(1_801));
    assert_eq!(deliver(&services).await, DeliveryChange::Delivered);
    let ids: Vec<_> = world
        .receiver
        .posted()
        .iter()
        .map(|it| it.event.id)
        .collect();
    assert!(ids.windows(2).all(|two| two[0] == two[1]));
    let owner = own();
    let page = services
        .endpoints
        .deliveries(&owner, made.record.id, None, 10);
    let delivery = page.await.expect("asked").remove(0);
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let statuses: Vec<_> = delivery.attempts.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(500), Some(503), Some(204)]);
}

#[tokio::test]
async fn without_an_address_or_a_secret_nothing_is_posted() {
    let world = World::new();
    let services = world.services();
    let made = make(&services).await;
    test(&services, made.record.id).await;
    let task = take(&services).await;
    let shut = EventTask {
        secret: None,
        ..task.clone()
    };
    let nowhere = EventTask { url: None, ..task };
    for (task, error) in [
        (shut, EventError::SecretUnreadable),
        (nowhere, EventError::AddressNotAllowed),
    ] {
        let delivery = services.event_dispatcher.deliver(task).await;
        assert_eq!(delivery.settlement.answer, EventAnswer::Error(error));
    }
    assert!(world.receiver.posted().is_empty());
}

#[tokio::test]
async fn a_call_that_was_not_begun_is_given_back() {
    let world = World::new();
    let services = world.services();
    let made = make(&services).await;
    test(&services, made.record.id).await;
    let task = take(&services).await;
    assert!(
        services
            .event_dispatcher
            .take(ROOM)
            .await
            .expect("asked")
            .is_empty()
    );
    services
        .event_dispatcher
        .give_back(&task)
        .await
        .expect("given back");
    assert_eq!(deliver(&services).await, DeliveryChange::Delivered);
}

#[tokio::test]
async fn endpoints_are_for_active_dealers_and_need_a_key_that_seals() {
    let world = World::new();
    let services = world.services();
    let author = sample::author();
    let nobody = Owner::Dealer(sample::dealer_id_numbered(7));
    let making = services.endpoints.create(&nobody, &wanted(), &author).await;
    assert!(matches!(making, Err(EndpointError::UnknownDealer)));
    let mut inactive = sample::dealer();
    inactive.active = false;
    world.store.put_dealer(inactive);
    let listing = services.endpoints.list(&own()).await;
    assert!(matches!(listing, Err(EndpointError::UnknownDealer)));
    world.store.keep_secrets(false);
    let shared = Owner::HeadOffice;
    let making = services.endpoints.create(&shared, &wanted(), &author).await;
    assert!(matches!(making, Err(EndpointError::NoSecretsKey)));
    let unknown = EndpointId::random([7; 16]);
    let removing = services.endpoints.remove(&shared, unknown, &author).await;
    assert!(matches!(removing, Err(EndpointError::UnknownEndpoint)));
}
