//! Logging in to the console.

use std::time::Duration;

use domain::access::{Access, KeyName, Principal, Scope, SessionToken};
use domain::usecases::{KeyOrder, Refusal, SESSION_LIFETIME};
use secrecy::ExposeSecret as _;
use testkit::{World, sample};

/// A key of the sample dealer, as its holder has it.
async fn key_until(
    world: &World,
    lifetime: Option<Duration>,
) -> (domain::access::ApiKeyId, String) {
    let order = KeyOrder {
        name: KeyName::parse("Bengkel").unwrap(),
        access: Access::new(
            Some(sample::dealer_id()),
            [Scope::Read].into_iter().collect(),
        )
        .unwrap(),
        expires_at: lifetime.map(|lifetime| sample::now() + lifetime),
    };
    let keys = world.services().keys;
    let made = keys.create(order, &sample::author()).await.unwrap();
    (made.record.id, made.secret.expose_secret().to_owned())
}

async fn holder(world: &World, token: &SessionToken) -> Option<Principal> {
    world.services().logins.holder(token).await.unwrap()
}

#[tokio::test]
async fn whoever_pastes_a_key_is_known_by_the_session() {
    let world = World::new();
    let (id, key) = key_until(&world, None).await;
    let logins = world.services().logins;
    let (token, principal) = logins.begin(&format!(" \u{a0}{key}\r\n")).await.unwrap();
    assert_eq!(principal.key(), Some(id));
    assert_eq!(holder(&world, &token).await, Some(principal));
    let (again, _) = logins.begin(&key).await.unwrap();
    assert_ne!(again.print(), token.print());
}

#[tokio::test]
async fn a_session_ends_with_its_time_its_key_and_by_logging_out() {
    let world = World::new();
    let (id, key) = key_until(&world, None).await;
    let logins = world.services().logins;
    let begin = async || logins.begin(&key).await.unwrap().0;
    let (one, other) = (begin().await, begin().await);
    logins.end(&one).await.unwrap();
    assert_eq!(holder(&world, &one).await, None);
    assert!(holder(&world, &other).await.is_some());
    world.pass(SESSION_LIFETIME);
    assert_eq!(holder(&world, &other).await, None);
    let last = begin().await;
    world
        .services()
        .keys
        .revoke(id, &sample::author())
        .await
        .unwrap();
    assert_eq!(holder(&world, &last).await, None);
    assert!(matches!(logins.begin(&key).await, Err(Refusal::Revoked)));
}

#[tokio::test]
async fn a_session_outlives_no_key() {
    let world = World::new();
    let (_, key) = key_until(&world, Some(Duration::from_secs(3_600))).await;
    let logins = world.services().logins;
    let (token, _) = logins.begin(&key).await.unwrap();
    world.pass(Duration::from_secs(3_601));
    assert_eq!(holder(&world, &token).await, None);
    assert!(matches!(logins.begin(&key).await, Err(Refusal::Expired)));
}

#[tokio::test]
async fn what_is_no_key_begins_nothing() {
    let logins = World::new().services().logins;
    for text in ["", "csk_", "\0"] {
        assert!(matches!(logins.begin(text).await, Err(Refusal::Invalid)));
    }
    let unknown = SessionToken::new([7; 32]);
    assert_eq!(logins.holder(&unknown).await.unwrap(), None);
}
