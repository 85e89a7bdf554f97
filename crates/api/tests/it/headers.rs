//! Request ids, and how calls and answers are framed.

use std::collections::HashSet;
use std::sync::Arc;

use api::{ApiAuth, RateLimit};
use domain::access::Scope;
use domain::ports::{MockHealth, MockRequestStore};
use uuid::Uuid;

use crate::access::key;
use crate::client::{Call, Reply};
use crate::service::{LISTED, OFF, PATHS, SUBMIT, Service, body, unavailable};

/// One call for every kind of answer: its status and the call.
fn one_of_each() -> Vec<(u16, Call)> {
    vec![
        (200, Call::get("/api/v1/health")),
        (200, Call::post(SUBMIT, body())),
        (200, Call::get("/docs")),
        (200, Call::get("/docs/swagger-ui.css")),
        (200, Call::get("/openapi.json")),
        (
            400,
            Call::new("POST", "/api/v1/customer/dealer/0000001/test-whatsapp"),
        ),
        (404, Call::get("/nothing")),
        (404, Call::get("/api/v1/customer/request/17")),
        (405, Call::new("PUT", SUBMIT)),
        (413, Call::post(SUBMIT, "x".repeat(65_537))),
        (422, Call::post(SUBMIT, "{")),
        (200, Call::new("HEAD", "/")),
    ]
}

#[tokio::test]
async fn a_sane_request_id_is_kept() {
    let service = Service::start();
    let longest = "x".repeat(128);
    for id in [
        "a",
        "1",
        "4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e",
        "08214852-3421-4852-8214-852342108214",
        "20261130-081530-0042",
        "1764489600000000",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        &longest,
    ] {
        for (status, call) in one_of_each() {
            let reply = service.send(call.header("X-Request-Id", id)).await;
            assert_eq!(reply.status, status);
            assert_eq!(reply.header("x-request-id"), Some(id));
        }
    }
}

#[tokio::test]
async fn any_other_request_id_is_replaced() {
    let service = Service::start();
    let long = "x".repeat(129);
    let phones = [
        "082148523421",
        "order-6282148523421",
        "+62-821-4852-3421/7",
        "wa_0821.4852.3421",
        "req82148523421x",
    ];
    let others = ["", " ", "two words", "tab\there", "é", &long];
    for id in others.into_iter().chain(phones) {
        for (status, call) in one_of_each() {
            let reply = service.send(call.header("x-request-id", id)).await;
            assert_eq!(reply.status, status);
            let new = reply.header("x-request-id").unwrap();
            assert!(Uuid::parse_str(new).is_ok(), "{id:?} became {new:?}");
        }
    }
}

#[tokio::test]
async fn new_request_ids_differ() {
    let service = Service::start();
    let mut seen = HashSet::new();
    for (_, call) in one_of_each() {
        let reply = service.send(call).await;
        assert!(seen.insert(reply.header("x-request-id").unwrap().to_owned()));
    }
}

#[tokio::test]
async fn header_names_may_be_written_in_any_case() {
    let service = Service::start();
    let call = Call::post(SUBMIT, body())
        .header("PREFER", "Return=\"representation\"")
        .header("X-REQUEST-ID", "mine");
    let reply = service.send(call).await;
    assert_eq!(
        reply.header("Preference-Applied"),
        Some("return=representation")
    );
    assert_eq!(reply.header("X-Request-Id"), Some("mine"));
}

#[tokio::test]
async fn no_answer_tells_what_it_is_made_with() {
    let service = Service::start();
    for (_, call) in one_of_each() {
        let reply = service.send(call).await;
        for name in ["server", "x-powered-by", "set-cookie", "location"] {
            let stored = reply.body.contains("berhasil");
            assert!(
                reply.header(name).is_none() || (name == "location" && stored),
                "{reply:?}"
            );
        }
    }
}

/// What anybody may see and keep.
fn is_public(path: &str) -> bool {
    path.starts_with("/api/v1/health") || path.starts_with("/docs") || path == "/openapi.json"
}

#[track_caller]
fn assert_not_kept(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
}

#[tokio::test]
async fn nobody_keeps_what_is_not_public() {
    for auth in [OFF, ApiAuth::Required] {
        let service = Service::with(|ports| ports.auth = auth);
        let (_, key) = key(&service, None, &[Scope::Admin], None).await;
        for (_, path) in PATHS.iter() {
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW",
            ] {
                for call in [
                    Call::new(method, path),
                    Call::new(method, &format!("{path}/")),
                    Call::new(method, path).header("X-API-Key", &key),
                    Call::new(method, path).json("{"),
                    Call::new(method, path).header("Origin", "https://evil.example"),
                    Call::new(method, path)
                        .header("Origin", LISTED)
                        .header("Access-Control-Request-Method", "POST"),
                ] {
                    let reply = service.send(call).await;
                    let reads = method == "GET" || method == "HEAD";
                    if reads && reply.status == 200 && is_public(path) {
                        assert_ne!(reply.header("cache-control"), Some("no-store"), "{path}");
                    } else {
                        assert_not_kept(&reply);
                    }
                }
            }
        }
        for call in [
            Call::get("/nothing"),
            Call::get("/docs/nothing.js"),
            Call::get("/api/v1/health/nothing"),
            Call::get("/docs").at(&["evil.test"]),
            Call::get(&format!("/docs/{}", "x".repeat(9_000))),
            Call::get("/docs").header("X-Filler", &"x".repeat(33_000)),
            Call::post(SUBMIT, "x".repeat(65_537)).header("X-API-Key", &key),
            Call::post(SUBMIT, body()).header("X-API-Key", &key),
        ] {
            let reply = service.send(call).await;
            if reply.body.contains("swagger") {
                // With keys any host is answered.
                assert_eq!(auth, ApiAuth::Required);
            } else {
                assert_not_kept(&reply);
            }
        }
    }
}

#[tokio::test]
async fn nobody_keeps_that_something_failed_or_was_too_much() {
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(unavailable()));
    requests
        .expect_find()
        .returning(|_, _| panic!("an invented panic"));
    let mut health = MockHealth::new();
    health
        .expect_checks()
        .returning(|| panic!("an invented panic"));
    let service = Service::with(|ports| {
        ports.requests = Arc::new(requests);
        ports.health = Arc::new(health);
    });
    for (status, call) in [
        (503, Call::post(SUBMIT, body())),
        (
            500,
            Call::get("/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22"),
        ),
        (500, Call::get("/api/v1/health/ready")),
    ] {
        let reply = service.send(call).await;
        assert_eq!(reply.status, status);
        assert_not_kept(&reply);
    }
    let service = Service::with(|ports| ports.rate = RateLimit::per_minute(1));
    for (status, path) in [(200, "/"), (429, "/"), (429, "/docs")] {
        let reply = service.get(path).await;
        assert_eq!(reply.status, status);
        assert_not_kept(&reply);
    }
}

#[tokio::test]
async fn no_page_can_be_framed() {
    let service = Service::start();
    let mut pages = 0;
    for (_, path) in PATHS.iter() {
        let reply = service.get(path).await;
        let content_type = reply.header("content-type").unwrap_or_default();
        if content_type.starts_with("text/html") {
            let policy = reply.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            pages += 1;
        }
    }
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn what_a_caller_accepts_plays_no_part() {
    let service = Service::start();
    for accept in ["text/html", "image/png", "*/*", "application/xml;q=1", ""] {
        let call = Call::get("/api/v1/health").header("Accept", accept);
        let reply = service.send(call).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("application/json"))
        );
    }
}
