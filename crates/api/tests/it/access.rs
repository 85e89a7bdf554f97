//! 2.8: who may call, and what for. That no route is forgotten is shown by `src/access/walk.rs`.

use std::sync::Arc;
use std::time::Duration;

use api::ApiAuth;
use chrono::{DateTime, Utc};
use domain::access::{Access, ApiKeyId, KeyName, Principal, Scope};
use domain::ports::{Clock as _, MockApiKeys};
use domain::usecases::KeyOrder;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{OFF_ELSEWHERE, SUBMIT, Service, VERSION, body, fields_with, unavailable};

const STATS: &str = "/api/v1/customer/dealer/0009999/stats";
const LIST: &str = "/api/v1/customer/dealer/0009999/requests";
const NEEDED: &str = "An API key is required: Authorization: Bearer <key>, or X-API-Key: <key>";

/// A service that wants keys, with another dealer beside the sample.
pub(crate) fn closed() -> Service {
    let service = Service::with(|ports| ports.auth = ApiAuth::Required);
    service.world.store.put_dealer(sample::dealer_numbered(1));
    service
}

/// A key and its id.
pub(crate) async fn key(
    service: &Service,
    dealer: Option<u32>,
    scopes: &[Scope],
    expires_at: Option<DateTime<Utc>>,
) -> (ApiKeyId, String) {
    let dealer = dealer.map(|n| match n {
        0 => sample::dealer_id(),
        n => sample::dealer_id_numbered(n),
    });
    let order = KeyOrder {
        name: KeyName::parse("Bengkel").unwrap(),
        access: Access::new(dealer, scopes.iter().copied().collect()).unwrap(),
        expires_at,
    };
    let author = Principal::operator().author(None);
    let made = service.world.services().keys.create(order, &author).await;
    let made = made.unwrap();
    (made.record.id, made.secret.expose_secret().to_owned())
}

/// The sample dealer's key for everything that it can do.
async fn own(service: &Service) -> String {
    key(service, Some(0), &[Scope::Read, Scope::Write], None)
        .await
        .1
}

fn with(call: Call, key: &str) -> Call {
    call.header("Authorization", &format!("Bearer {key}"))
}

async fn get(service: &Service, path: &str, key: &str) -> Reply {
    service.send(with(Call::get(path), key)).await
}

#[track_caller]
fn assert_unauthorized(reply: &Reply, message: &str) {
    reply.is_error(401, "Unauthorized", message);
    let challenge = reply.header("www-authenticate");
    assert_eq!(challenge, Some(r#"Bearer realm="customer-service""#));
}

#[tokio::test]
async fn a_key_opens_its_dealers_data_in_either_header() {
    let service = closed();
    let key = own(&service).await;
    let submitted = service.send(with(Call::post(SUBMIT, body()), &key)).await;
    assert_eq!(submitted.status, 200, "{submitted:?}");
    let path = submitted.header("location").unwrap();
    assert_eq!(get(&service, path, &key).await.status, 200);
    for path in [LIST, STATS] {
        let call = Call::get(path).header("X-API-Key", &key);
        assert_eq!(service.send(call).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn whoever_has_no_valid_key_is_told_how_to_come_in() {
    let service = closed();
    let key = own(&service).await;
    let unknown = sample::api_key(9).reveal();
    let mistyped = format!("{}0", &key[..key.len() - 1]);
    assert_unauthorized(&service.get(STATS).await, NEEDED);
    for wrong in [
        unknown.expose_secret(),
        &mistyped,
        "x",
        "csk_",
        &key.to_uppercase(),
    ] {
        if wrong == key {
            continue;
        }
        assert_unauthorized(
            &get(&service, STATS, wrong).await,
            "The API key is not valid",
        );
    }
    let both = Call::get(STATS).header("X-API-Key", unknown.expose_secret());
    let reply = service.send(with(both, &key)).await;
    assert_unauthorized(&reply, "The API key is not valid");
    let other_scheme = Call::get(STATS).header("Authorization", "Basic eDp5");
    assert_unauthorized(&service.send(other_scheme).await, NEEDED);
}

#[tokio::test]
async fn the_right_id_with_another_secret_is_no_key() {
    let service = closed();
    let (id, key) = key(&service, Some(0), &[Scope::Read], None).await;
    assert_eq!(get(&service, STATS, &key).await.status, 200);
    let forged = domain::access::ApiKey::new(id, [0; 32]).reveal();
    let reply = get(&service, STATS, forged.expose_secret()).await;
    assert_unauthorized(&reply, "The API key is not valid");
}

#[tokio::test]
async fn a_key_is_asked_for_before_the_body_is_looked_at() {
    let service = closed();
    for call in [
        Call::post(SUBMIT, "{"),
        Call::post(SUBMIT, "x".repeat(100_000)),
        Call::post(SUBMIT, body()).header("Idempotency-Key", "two words"),
        Call::get("/api/v1/customer/dealer/0009999/requests?page=0"),
        Call::new("DELETE", SUBMIT),
    ] {
        assert_unauthorized(&service.send(call).await, NEEDED);
    }
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn a_key_counts_until_it_expires_or_is_revoked() {
    let service = closed();
    let soon = service.world.clock.now() + Duration::from_secs(60);
    let (_, brief) = key(&service, Some(0), &[Scope::Read], Some(soon)).await;
    let (id, lasting) = key(&service, Some(0), &[Scope::Read], None).await;
    for key in [&brief, &lasting] {
        assert_eq!(get(&service, STATS, key).await.status, 200);
    }
    service.world.pass(Duration::from_secs(60));
    let reply = get(&service, STATS, &brief).await;
    assert_unauthorized(&reply, "The API key has expired");
    assert_eq!(get(&service, STATS, &lasting).await.status, 200);
    let author = Principal::operator().author(None);
    let desk = service.world.services().keys;
    desk.revoke(id, &author).await.unwrap();
    let reply = get(&service, STATS, &lasting).await;
    assert_unauthorized(&reply, "The API key was revoked");
}

#[tokio::test]
async fn a_lacking_scope_is_a_403_before_the_body_is_looked_at() {
    let service = closed();
    let (_, reader) = key(&service, Some(0), &[Scope::Read], None).await;
    let (_, writer) = key(&service, Some(0), &[Scope::Write], None).await;
    for text in [body(), "{".to_owned()] {
        let reply = service.send(with(Call::post(SUBMIT, text), &reader)).await;
        reply.is_error(403, "ScopeMissing", "This needs a key with the scope write");
    }
    let reply = get(&service, STATS, &writer).await;
    reply.is_error(403, "ScopeMissing", "This needs a key with the scope read");
    let reply = get(&service, "/api/v1/admin/audit", &reader).await;
    reply.is_error(403, "ScopeMissing", "This needs a key with the scope admin");
    let reply = get(&service, "/api/v1/customer/analytics", &reader).await;
    reply.is_error(403, "ScopeMissing", "This needs a key with the scope admin");
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn a_dealer_submits_for_itself_alone_after_its_body_was_checked() {
    let service = closed();
    let key = own(&service).await;
    let post = async |text: String| service.send(with(Call::post(SUBMIT, text), &key)).await;
    for other in ["0010001", "0000001"] {
        let fields = Value::from(fields_with("dealerId", other));
        let reply = post(fields.to_string()).await;
        reply.is_error(
            403,
            "ForeignDealer",
            "This key is not for the dealer of the body",
        );
        let mut fields = fields;
        fields["noTelp"] = "1".into();
        assert_eq!(post(fields.to_string()).await.status, 422);
    }
    assert_eq!(post("{".to_owned()).await.status, 422);
    assert_eq!(service.world.store.request_count(), 0);
    let (_, head_office) = key_of_head_office(&service).await;
    let fields = Value::from(fields_with("dealerId", "0000001"));
    let call = Call::post(SUBMIT, fields.to_string());
    let reply = service.send(with(call, &head_office)).await;
    reply.is(
        200,
        r#"{"status":0,"message":{"error":"Dealer tidak ditemukan atau tidak aktif"},"data":null}"#,
    );
}

async fn key_of_head_office(service: &Service) -> (ApiKeyId, String) {
    key(service, None, &[Scope::Admin], None).await
}

#[tokio::test]
async fn an_idempotency_key_tells_nothing_about_another_dealer() {
    let service = closed();
    let own = own(&service).await;
    let (_, other) = key(&service, Some(1), &[Scope::Read, Scope::Write], None).await;
    let post = |dealer: &str| {
        let fields = Value::from(fields_with("dealerId", dealer));
        Call::post(SUBMIT, fields.to_string()).header("Idempotency-Key", "same")
    };
    let first = service.send(with(post("0009999"), &own)).await;
    assert_eq!(first.status, 200);
    let foreign = service.send(with(post("0009999"), &other)).await;
    assert_eq!(foreign.status, 403);
    let second = service.send(with(post("0010001"), &other)).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.header("idempotent-replayed"), None);
    assert_ne!(second.header("location"), first.header("location"));
}

#[tokio::test]
async fn head_office_reads_and_writes_every_dealers_data() {
    let service = closed();
    let (_, key) = key_of_head_office(&service).await;
    for dealer in ["0009999", "0010001"] {
        let fields = Value::from(fields_with("dealerId", dealer));
        let call = Call::post(SUBMIT, fields.to_string());
        let stored = service.send(with(call, &key)).await;
        let path = stored.header("location").expect("it is stored").to_owned();
        assert_eq!(get(&service, &path, &key).await.status, 200);
        let path = format!("/api/v1/customer/dealer/{dealer}/stats");
        let stats = get(&service, &path, &key).await.json();
        assert_eq!(stats["data"]["total_requests"], 1);
    }
    let unknown = get(&service, "/api/v1/customer/dealer/0000001/stats", &key).await;
    unknown.is_error(404, "DealerNotFound", "Dealer not found or inactive");
}

#[tokio::test]
async fn a_preflight_needs_no_key_and_a_refusal_can_be_read_by_a_listed_page() {
    let service = closed();
    let origin = "http://localhost:3000";
    let preflight = Call::new("OPTIONS", STATS)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "authorization, x-api-key");
    assert_eq!(service.send(preflight).await.status, 200);
    let refused = service
        .send(Call::get(STATS).header("Origin", origin))
        .await;
    assert_unauthorized(&refused, NEEDED);
    assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
}

#[tokio::test]
async fn paths_that_do_not_exist_are_404_also_without_a_key() {
    let service = closed();
    for path in [
        "/nothing",
        "/favicon.ico",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/health",
    ] {
        let reply = service.get(path).await;
        reply.is_error(404, "NotFound", "Not Found");
    }
}

#[tokio::test]
async fn nobody_is_turned_away_because_the_store_of_keys_is_away() {
    let mut keys = MockApiKeys::new();
    keys.expect_knows().return_const(false);
    keys.expect_find().returning(|_| Err(unavailable()));
    let service = Service::with(|ports| {
        ports.auth = ApiAuth::Required;
        ports.api_keys = Arc::new(keys);
    });
    let key = sample::api_key(1).reveal();
    let reply = get(&service, STATS, key.expose_secret()).await;
    reply.is_error(503, "Unavailable", "The service cannot answer now");
    let reply = get(&service, STATS, "no key at all").await;
    assert_unauthorized(&reply, "The API key is not valid");
    // Who submits is told in the words of its own contract that nothing was stored.
    for path in [SUBMIT, "/api/v1/customer/validate-customer/"] {
        let submitted = Call::post(path, body());
        let reply = service.send(with(submitted, key.expose_secret())).await;
        reply.is(
            503,
            r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#,
        );
    }
    assert_eq!(service.get("/api/v1/health").await.status, 200);
}

#[tokio::test]
async fn where_keys_are_off_everybody_is_let_in_and_head_offices_routes_are_for_this_machine() {
    let service = Service::start();
    assert_eq!(service.get(STATS).await.status, 200);
    // A key is not looked at.
    assert_eq!(get(&service, STATS, "x").await.status, 200);
    assert_eq!(service.get("/api/v1/admin/audit").await.status, 200);
    let proxied = Call::get("/api/v1/admin/audit").header("X-Forwarded-For", "10.0.0.1");
    let reply = service.send(proxied).await;
    reply.is_error(404, "NotFound", "Not Found");

    let elsewhere = Service::with(|ports| ports.auth = OFF_ELSEWHERE);
    assert_eq!(elsewhere.get(STATS).await.status, 200);
    for path in [
        "/api/v1/admin/audit",
        "/api/v1/admin/api-keys",
        "/api/v1/%61dmin/audit",
    ] {
        let reply = elsewhere.get(path).await;
        reply.is_error(404, "NotFound", "Not Found");
    }
}

#[test]
fn whoever_needs_a_key_is_told_how_to_give_it() {
    let document: Value = serde_json::from_str(&api::openapi_document(VERSION)).unwrap();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["type"], "http");
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["header"]["type"], "apiKey");
    assert_eq!(schemes["header"]["name"], "X-API-Key");
    let either = serde_json::json!([{ "bearer": [] }, { "header": [] }]);
    for (path, methods) in document["paths"].as_object().unwrap() {
        let is_protected =
            path.contains("/customer/") || path.contains("/admin/") || path == "/metrics";
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation.get("security");
            assert_eq!(security, is_protected.then_some(&either), "{method} {path}");
        }
    }
}
