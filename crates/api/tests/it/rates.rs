//! 2.8: how often callers may ask, and who counts as one caller.

use std::sync::Arc;

use api::{ApiAuth, RateLimit, TrustedProxies};
use domain::access::{Access, ApiKey, ApiKeyId, KeyName, Principal, Scope};
use domain::ports::MockApiKeys;
use domain::usecases::KeyOrder;
use secrecy::ExposeSecret as _;
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{LISTED, OFF, SUBMIT, Service, body, unavailable};

const SENTENCE: &str = "Too many requests; try again after Retry-After seconds";
const ROOT: &str = "/";

/// A service that answers so many requests of a caller in a minute.
fn limited(requests: u32, auth: ApiAuth) -> Service {
    Service::with(|ports| {
        ports.rate = RateLimit::per_minute(requests);
        // The test's own address.
        ports.proxies = TrustedProxies::parse("127.0.0.1").unwrap();
        ports.auth = auth;
    })
}

fn off(requests: u32) -> Service {
    limited(requests, OFF)
}

async fn key(service: &Service, name: &str) -> String {
    let order = KeyOrder {
        name: KeyName::parse(name).unwrap(),
        access: Access::new(None, [Scope::Read, Scope::Write].into_iter().collect()).unwrap(),
        expires_at: None,
    };
    let author = Principal::operator().author(None);
    let made = service.world.services().keys.create(order, &author).await;
    made.unwrap().secret.expose_secret().to_owned()
}

fn from(address: &str, path: &str) -> Call {
    Call::get(path).header("X-Forwarded-For", address)
}

fn told(reply: &Reply) -> Option<(u32, u32, u32)> {
    let number = |name| reply.header(name)?.parse().ok();
    Some((
        number("ratelimit-limit")?,
        number("ratelimit-remaining")?,
        number("ratelimit-reset")?,
    ))
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let service = off(3);
    for left in [2, 1, 0] {
        let reply = service.submit(body()).await;
        assert_eq!(reply.status, 200);
        let (limit, remaining, reset) = told(&reply).unwrap();
        assert_eq!((limit, remaining), (3, left));
        assert!((1..=60).contains(&reset), "{reply:?}");
    }
    let call = Call::post(SUBMIT, body()).header("Origin", LISTED);
    let reply = service.send(call).await;
    reply.is_error(429, "RateLimited", SENTENCE);
    assert_eq!(told(&reply).map(|(_, left, _)| left), Some(0));
    let wait: u32 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{reply:?}");
    // A page may read it.
    assert_eq!(reply.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(service.world.store.request_count(), 3);
}

#[tokio::test]
async fn every_answer_counts_and_says_so_but_health_and_webhooks() {
    let service = off(100);
    let hook = "/api/v1/webhooks/fonnte/invented-token-00000001/status";
    for call in [
        Call::get("/api/v1/health"),
        Call::get("/api/v1/health/ready"),
        Call::get("/api/v1/health/detailed/"),
        Call::post(hook, "{}"),
    ] {
        let reply = service.send(call).await;
        assert_eq!((reply.status, told(&reply)), (200, None));
    }
    let mut left = 100;
    for (call, status) in [
        (Call::get(ROOT), 200),
        (Call::get("/openapi.json"), 200),
        (Call::get("/docs/"), 200),
        (Call::get("/nowhere"), 404),
        (Call::get(SUBMIT), 405),
        (Call::post(SUBMIT, "{"), 422),
        (Call::get("/api/v1/admin/dealers"), 200),
    ] {
        left -= 1;
        let reply = service.send(call).await;
        assert_eq!(reply.status, status);
        assert_eq!(told(&reply).map(|(_, left, _)| left), Some(left));
    }
}

#[tokio::test]
async fn callers_behind_a_proxy_are_told_apart() {
    let service = off(1);
    for address in ["203.0.113.1", "203.0.113.2", "2001:db8::1"] {
        assert_eq!(service.send(from(address, ROOT)).await.status, 200);
        assert_eq!(service.send(from(address, ROOT)).await.status, 429);
        // What a caller claims makes them nobody else.
        let invented = format!("198.51.100.9, {address}");
        assert_eq!(service.send(from(&invented, ROOT)).await.status, 429);
    }
    let neighbour = from("2001:db8::2", ROOT);
    assert_eq!(service.send(neighbour).await.status, 429);
    let service = Service::with(|ports| ports.rate = RateLimit::per_minute(1));
    assert_eq!(service.send(from("203.0.113.1", ROOT)).await.status, 200);
    assert_eq!(service.send(from("203.0.113.2", ROOT)).await.status, 429);
}

#[tokio::test]
async fn a_key_is_counted_for_itself_and_a_wrong_one_for_its_address() {
    let service = limited(2, ApiAuth::Required);
    let (good, other) = (key(&service, "a").await, key(&service, "b").await);
    let path = "/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22";
    let ask = |key: &str| Call::get(path).header("X-API-Key", key);
    for _ in 0..2 {
        let refused = service.send(ask("csk_guessed")).await;
        assert_eq!(refused.status, 401);
        assert!(told(&refused).is_some());
    }
    service
        .send(ask("csk_guessed"))
        .await
        .is_error(429, "RateLimited", SENTENCE);
    assert_eq!(service.get(path).await.status, 429);
    // From the same address.
    for key in [&good, &other] {
        assert_eq!(service.send(ask(key)).await.status, 404);
        assert_eq!(service.send(ask(key)).await.status, 404);
        assert_eq!(service.send(ask(key)).await.status, 429);
    }
    let elsewhere = ask(&good).header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(service.send(elsewhere).await.status, 429);
}

const STATS: &str = "/api/v1/customer/dealer/0009999/stats";

fn with_key(key: &ApiKey) -> Call {
    Call::get(STATS).header("X-API-Key", key.reveal().expose_secret())
}

#[tokio::test]
async fn a_key_that_may_be_invented_is_looked_up_within_the_rate_of_its_address() {
    let service = Service::with(|ports| {
        ports.auth = ApiAuth::Required;
        ports.rate = RateLimit::per_minute(3);
        ports.proxies = TrustedProxies::parse("127.0.0.1").unwrap();
        let mut keys = MockApiKeys::new();
        keys.expect_knows().return_const(false);
        keys.expect_find().times(4).returning(|_| Ok(None));
        ports.api_keys = Arc::new(keys);
    });
    let invented = |n| with_key(&ApiKey::new(ApiKeyId::new([n; 8]), [n; 32]));
    for n in 0..20 {
        let reply = service.send(invented(n)).await;
        assert_eq!(reply.status, if n < 3 { 401 } else { 429 }, "{n}");
        assert!(told(&reply).is_some());
    }
    let elsewhere = invented(21).header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(service.send(elsewhere).await.status, 401);
}

#[tokio::test]
async fn a_valid_key_costs_its_address_nothing_though_nobody_knew_it() {
    let key = sample::api_key(1);
    let record = domain::ports::KnownKey {
        fingerprint: key.fingerprint(),
        record: domain::ports::ApiKeyRecord {
            id: key.id(),
            name: KeyName::parse("Kantor pusat").unwrap(),
            access: Access::unlimited(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            expires_at: None,
            revoked_at: None,
        },
        validity: domain::ports::Validity::InForce,
    };
    let service = Service::with(|ports| {
        ports.auth = ApiAuth::Required;
        ports.rate = RateLimit::per_minute(3);
        let mut keys = MockApiKeys::new();
        keys.expect_knows().return_const(false);
        keys.expect_find()
            .returning(move |id| Ok((id == record.record.id).then(|| record.clone())));
        ports.api_keys = Arc::new(keys);
    });
    for left in [2, 1, 0] {
        let reply = service.send(with_key(&key)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(told(&reply).map(|(_, left, _)| left), Some(left));
    }
    assert_eq!(service.send(with_key(&key)).await.status, 429);
    for status in [401, 401, 401, 429] {
        assert_eq!(service.get(STATS).await.status, status);
    }
    // What is spent at the address is spent for whoever shows a key that may be invented.
    let reply = service.send(with_key(&sample::api_key(2))).await;
    assert_eq!(reply.status, 429);
}

#[tokio::test]
async fn while_the_store_is_away_nobody_pays_for_it() {
    let service = Service::with(|ports| {
        ports.auth = ApiAuth::Required;
        ports.rate = RateLimit::per_minute(1);
        let mut keys = MockApiKeys::new();
        keys.expect_knows().return_const(false);
        keys.expect_find().returning(|_| Err(unavailable()));
        ports.api_keys = Arc::new(keys);
    });
    let secret = ApiKey::new(ApiKeyId::new([7; 8]), [7; 32]).reveal();
    let call = Call::get("/api/v1/customer/dealer/0009999/stats");
    let call = call.header("X-API-Key", secret.expose_secret());
    for _ in 0..3 {
        assert_eq!(service.send(call.clone()).await.status, 503);
    }
}
