//! 1.8: which pages may call.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ports::MockRequestStore;

use crate::client::{Call, Reply};
use crate::service::{LISTED, PATHS, SUBMIT, Service, body, unavailable};

const UNLISTED: [&str; 8] = [
    "https://evil.example",
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://LOCALHOST:3000/",
    "null",
    "*",
    "not an origin",
];

fn preflight(path: &str, origin: &str, method: &str) -> Call {
    Call::new("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
}

fn list(reply: &Reply, name: &str) -> BTreeSet<String> {
    let value = reply.header(name).expect(name);
    value
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .collect()
}

fn set(entries: &[&str]) -> BTreeSet<String> {
    entries
        .iter()
        .map(|entry| entry.to_ascii_lowercase())
        .collect()
}

#[track_caller]
fn assert_no_cors(reply: &Reply) {
    let names = reply.header_names();
    assert!(
        !names.iter().any(|name| name.starts_with("access-control-")),
        "{reply:?}"
    );
}

#[track_caller]
fn assert_readable(reply: &Reply, origin: &str) {
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some(origin),
        "{reply:?}"
    );
    assert_eq!(
        reply.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        list(reply, "access-control-expose-headers"),
        set(&[
            "Location",
            "Preference-Applied",
            "Idempotent-Replayed",
            "Retry-After",
            "X-Request-Id"
        ])
    );
    assert!(list(reply, "vary").contains("origin"), "{reply:?}");
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_allowed() {
    let service = Service::start();
    for origin in [LISTED, "https://dealer.example"] {
        for (_, path) in PATHS.iter() {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let call = preflight(path, origin, method).header(
                    "Access-Control-Request-Headers",
                    "authorization, Content-Type,idempotency-key,Prefer,x-api-key,x-request-id",
                );
                let reply = service.send(call).await;
                reply.is(200, "");
                assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
                assert_eq!(
                    reply.header("access-control-allow-credentials"),
                    Some("true")
                );
                assert_eq!(reply.header("access-control-max-age"), Some("600"));
                assert_eq!(
                    list(&reply, "access-control-allow-methods"),
                    set(&["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
                );
                assert_eq!(
                    list(&reply, "access-control-allow-headers"),
                    set(&[
                        "Authorization",
                        "Content-Type",
                        "Idempotency-Key",
                        "Prefer",
                        "X-API-Key",
                        "X-Request-Id"
                    ])
                );
                assert!(list(&reply, "vary").contains("origin"));
            }
        }
    }
}

#[tokio::test]
async fn a_preflight_without_headers_is_allowed_with_and_without_a_slash() {
    let service = Service::start();
    for path in [
        SUBMIT.to_owned(),
        format!("{SUBMIT}/"),
        "/nothing".to_owned(),
    ] {
        let reply = service.send(preflight(&path, LISTED, "POST")).await;
        reply.is(200, "");
    }
}

#[tokio::test]
async fn a_preflight_of_another_origin_is_a_400_without_cors() {
    let service = Service::start();
    for origin in UNLISTED {
        for path in [SUBMIT, "/nothing"] {
            let reply = service.send(preflight(path, origin, "POST")).await;
            reply.is_error(400, "BadRequest", "Bad Request");
            assert_no_cors(&reply);
        }
    }
}

#[tokio::test]
async fn a_preflight_for_what_is_not_allowed_is_a_400_without_cors() {
    let service = Service::start();
    for method in ["TRACE", "BREW", "post x"] {
        let reply = service.send(preflight(SUBMIT, LISTED, method)).await;
        assert!(matches!(reply.status, 400 | 405), "{reply:?}");
    }
    let reply = service.send(preflight(SUBMIT, LISTED, "TRACE")).await;
    reply.is_error(400, "BadRequest", "Bad Request");
    assert_no_cors(&reply);
    let call = preflight(SUBMIT, LISTED, "POST")
        .header("Access-Control-Request-Headers", "content-type,x-other");
    let reply = service.send(call).await;
    reply.is_error(400, "BadRequest", "Bad Request");
    assert_no_cors(&reply);
}

#[tokio::test]
async fn a_preflight_without_an_origin_is_a_400() {
    let service = Service::start();
    let call = Call::new("OPTIONS", SUBMIT).header("Access-Control-Request-Method", "POST");
    let reply = service.send(call).await;
    reply.is_error(400, "BadRequest", "Bad Request");
    assert_no_cors(&reply);
}

/// A call for every kind of answer.
fn calls() -> Vec<(u16, Call)> {
    vec![
        (503, Call::post(SUBMIT, body())),
        (200, Call::get("/api/v1/health")),
        (200, Call::get("/openapi.json")),
        (200, Call::get("/")),
        (404, Call::get("/nothing")),
        (404, Call::get("/api/v1/customer/request/17")),
        (
            500,
            Call::get("/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22"),
        ),
        (405, Call::new("PUT", SUBMIT)),
        (405, Call::new("OPTIONS", SUBMIT)),
        (413, Call::post(SUBMIT, "x".repeat(65_537))),
        (422, Call::post(SUBMIT, "{")),
        (
            400,
            Call::new("POST", "/api/v1/customer/dealer/0000001/test-whatsapp"),
        ),
    ]
}

fn service_that_fails() -> Service {
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(unavailable()));
    requests
        .expect_find()
        .returning(|_, _| panic!("an invented panic"));
    Service::with(|ports| ports.requests = Arc::new(requests))
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_read_every_answer() {
    let service = service_that_fails();
    for (status, call) in calls() {
        let reply = service.send(call.header("Origin", LISTED)).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_readable(&reply, LISTED);
    }
}

#[tokio::test]
async fn another_origin_is_answered_without_cors() {
    let service = service_that_fails();
    for origin in UNLISTED {
        for (status, call) in calls() {
            // Without keys they may change nothing either.
            let status = match call.method {
                "GET" | "OPTIONS" => status,
                _ => 403,
            };
            let reply = service.send(call.header("Origin", origin)).await;
            assert_eq!(reply.status, status, "{reply:?}");
            assert_no_cors(&reply);
        }
    }
}

#[tokio::test]
async fn without_an_origin_there_is_no_cors() {
    let service = service_that_fails();
    for (status, call) in calls() {
        let reply = service.send(call).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_no_cors(&reply);
    }
}
