use std::sync::Arc;
use std::time::Duration;

use domain::access::{Access, ApiKey, ApiKeyId, KeyName, Principal, Scope, Visibility};
use domain::ports::{ApiKeys as _, AuditLog as _, Clock as _, MockApiKeys};
use domain::requests::Submission;
use domain::usecases::{
    IntakeError, KeyError, KeyOrder, MadeKey, MessageError, Ports, Refusal, Reordered,
};
use domain::values::DealerId;
use secrecy::ExposeSecret as _;
use testkit::{World, sample};

use crate::support::{queue_for, unavailable};

fn order(dealer: Option<DealerId>, scopes: &[Scope]) -> KeyOrder {
    KeyOrder {
        name: KeyName::parse("Bengkel").unwrap(),
        access: Access::new(dealer, scopes.iter().copied().collect()).unwrap(),
        expires_at: None,
    }
}

async fn make(world: &World, order: KeyOrder) -> Result<MadeKey, KeyError> {
    let author = Principal::operator().author(None);
    world.services().keys.create(order, &author).await
}

#[tokio::test]
async fn a_key_that_was_made_lets_its_holder_in() {
    let world = World::new();
    let made = make(&world, order(Some(sample::dealer_id()), &[Scope::Read])).await;
    let made = made.unwrap();
    let gatekeeper = world.services().gatekeeper;
    let holder = gatekeeper.admit(made.secret.expose_secret()).await.unwrap();
    assert_eq!(holder.key(), Some(made.record.id));
    assert_eq!(holder.name(), "Bengkel");
    assert!(holder.may(Scope::Read) && !holder.may(Scope::Write) && !holder.may(Scope::Admin));
    assert_eq!(holder.visibility(), &Visibility::Only(sample::dealer_id()));
    let listed = world.services().keys.list().await.unwrap();
    assert_eq!(listed[0].0, made.record);
}

#[tokio::test]
async fn every_key_is_another_one() {
    let world = World::new();
    let mut secrets = Vec::new();
    for _ in 0..3 {
        let made = make(&world, order(None, &[Scope::Admin])).await.unwrap();
        secrets.push(made.secret.expose_secret().to_owned());
    }
    secrets.dedup();
    assert_eq!(secrets.len(), 3);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let world = World::new();
    let made = make(&world, order(None, &[Scope::Admin])).await.unwrap();
    let guessed = ApiKey::new(made.record.id, [1; 32]).reveal();
    let unknown = ApiKey::new(ApiKeyId::new([9; 8]), [1; 32]).reveal();
    let id = made.record.id.to_string();
    let gatekeeper = world.services().gatekeeper;
    for key in [
        "",
        "x",
        &id,
        guessed.expose_secret(),
        unknown.expose_secret(),
    ] {
        let refused = gatekeeper.admit(key).await;
        assert!(matches!(refused, Err(Refusal::Invalid)), "{refused:?}");
    }
}

#[tokio::test]
async fn what_became_of_a_key_is_told_only_to_who_knows_it() {
    let world = World::new();
    let expires_at = Some(world.clock.now() + Duration::from_secs(60));
    let brief = KeyOrder {
        expires_at,
        ..order(None, &[Scope::Read])
    };
    let brief = make(&world, brief).await.unwrap();
    let revoked = make(&world, order(None, &[Scope::Read])).await.unwrap();
    let author = Principal::operator().author(None);
    let desk = world.services().keys;
    desk.revoke(revoked.record.id, &author).await.unwrap();
    world.pass(Duration::from_secs(60));
    let gatekeeper = world.services().gatekeeper;
    let admit = async |key: &MadeKey| gatekeeper.admit(key.secret.expose_secret()).await;
    assert!(matches!(admit(&brief).await, Err(Refusal::Expired)));
    assert!(matches!(admit(&revoked).await, Err(Refusal::Revoked)));
    for key in [&brief, &revoked] {
        let guessed = ApiKey::new(key.record.id, [1; 32]).reveal();
        let refused = gatekeeper.admit(guessed.expose_secret()).await;
        assert!(matches!(refused, Err(Refusal::Invalid)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_key_that_would_open_nothing_is_not_made() {
    let world = World::new();
    let nobodys = order(Some(sample::dealer_id_numbered(1)), &[Scope::Read]);
    let refused = make(&world, nobodys).await;
    assert!(
        matches!(refused, Err(KeyError::UnknownDealer)),
        "{refused:?}"
    );
    let over = KeyOrder {
        expires_at: Some(world.clock.now()),
        ..order(None, &[Scope::Read])
    };
    let refused = make(&world, over).await;
    assert!(
        matches!(refused, Err(KeyError::AlreadyExpired)),
        "{refused:?}"
    );
    assert_eq!(world.store.list(10).await.unwrap(), []);
    assert_eq!(world.store.page(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn only_a_key_that_is_known_can_be_revoked() {
    let world = World::new();
    let author = Principal::operator().author(None);
    let refused = world
        .services()
        .keys
        .revoke(ApiKeyId::new([9; 8]), &author)
        .await;
    assert!(matches!(refused, Err(KeyError::UnknownKey)), "{refused:?}");
}

#[tokio::test]
async fn a_store_that_is_away_says_nothing_about_a_key() {
    let mut keys = MockApiKeys::new();
    keys.expect_find().returning(|_| Err(unavailable()));
    let world = World::new();
    let gatekeeper = world
        .services_over(&Ports {
            api_keys: Arc::new(keys),
            ..world.ports()
        })
        .gatekeeper;
    let key = sample::api_key(1).reveal();
    let refused = gatekeeper.admit(key.expose_secret()).await;
    assert!(matches!(refused, Err(Refusal::Store(_))), "{refused:?}");
    // What is no key is not looked up.
    let refused = gatekeeper.admit("csk_").await;
    assert!(matches!(refused, Err(Refusal::Invalid)), "{refused:?}");
}

#[tokio::test]
async fn nobody_submits_for_a_dealer_they_cannot_see() {
    let world = World::new();
    let other = Visibility::Only(sample::dealer_id_numbered(1));
    let intake = world.services().intake;
    let refused = intake.accept_once(sample::submission(), None, &other).await;
    assert!(
        matches!(refused, Err(IntakeError::ForeignDealer)),
        "{refused:?}"
    );
    let faulty = Submission {
        phone: "1".into(),
        ..sample::submission()
    };
    let refused = intake.accept_once(faulty, None, &other).await;
    assert!(
        matches!(refused, Err(IntakeError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(world.store.request_count(), 0);
    let own = Visibility::Only(sample::dealer_id());
    let accepted = intake.accept_once(sample::submission(), None, &own).await;
    assert!(accepted.is_ok(), "{accepted:?}");
}

#[tokio::test]
async fn messages_of_another_dealer_can_neither_be_seen_nor_steered() {
    let world = World::new();
    let request = queue_for(&world, &sample::dealer_id(), 1).await;
    let other = Visibility::Only(sample::dealer_id_numbered(1));
    let author = Principal::operator().author(None);
    let desk = world.services().messages;
    for refused in [
        desk.timeline(request, &other).await.map(|_| ()),
        desk.resend(request, &other, Reordered::default(), &author, None)
            .await
            .map(|_| ()),
        desk.cancel(request, &other, &author).await.map(|_| ()),
    ] {
        let unknown = matches!(refused, Err(MessageError::UnknownRequest));
        assert!(unknown, "{refused:?}");
    }
    let found = world
        .services()
        .lookups
        .request(request, &other)
        .await
        .unwrap();
    assert_eq!(found, None);
    assert_eq!(world.store.page(None, 10).await.unwrap(), []);
}
