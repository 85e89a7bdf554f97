//! 2.8: while no keys are asked for, a web page in somebody's browser cannot use the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use api::ApiAuth;

use crate::client::{Call, Reply};
use crate::service::{LISTED, OFF, OFF_ELSEWHERE, PATHS, SUBMIT, Service, body};

const KEYS: &str = "/api/v1/admin/api-keys";
const ORDER: &str = r#"{"name":"x","scopes":["admin"]}"#;

/// A page's host that resolves to this machine, and its page.
const REBOUND: &str = "evil.test:8300";
const REBOUND_ORIGIN: &str = "http://evil.test:8300";

fn with(auth: ApiAuth) -> Service {
    Service::with(|ports| ports.auth = auth)
}

fn said(host: impl Into<IpAddr>) -> ApiAuth {
    let host = host.into();
    ApiAuth::Off { host, said: true }
}

#[track_caller]
fn assert_foreign_origin(reply: &Reply) {
    reply.is_error(
        403,
        "ForeignOrigin",
        "Without API keys web pages of other origins may change nothing; ALLOWED_ORIGINS lists those that may",
    );
}

#[track_caller]
fn assert_foreign_host(reply: &Reply) {
    reply.is_error(
        403,
        "ForeignHost",
        "Without API keys this name is not answered: use localhost, a loopback address or SERVICE_HOST, or set API_AUTH",
    );
}

#[track_caller]
fn assert_let_in(reply: &Reply) {
    assert_ne!(reply.status, 403, "{reply:?}");
}

/// What browsers send for a page of somebody else.
fn foreign() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "http://localhost:9000")],
        vec![("Origin", "http://localhost")],
        vec![("Origin", "http://LOCALHOST:3000")],
        vec![("Origin", "http://localhost:3000/")],
        vec![("Origin", "http://localhost:3000.evil.example")],
        vec![("Origin", "null")],
        vec![("Origin", "")],
        vec![("Origin", "é")],
        vec![("origin", "file://")],
        vec![("Origin", LISTED), ("Origin", "https://evil.example")],
        vec![("Origin", "http://localhost:3000, https://evil.example")],
        vec![
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("sec-fetch-site", "Cross-Site")],
        vec![
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        // After a redirect by way of another site.
        vec![
            ("Origin", "http://127.0.0.1:8300"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        vec![("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
    ]
}

/// What browsers send for pages that may call, and other programs.
fn friendly() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![],
        vec![("Origin", LISTED)],
        vec![("Origin", LISTED), ("Sec-Fetch-Site", "cross-site")],
        vec![
            ("Origin", "https://dealer.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        vec![
            ("Origin", "http://127.0.0.1:8300"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        vec![("Origin", "https://customer.example")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Sec-Fetch-Site", "same-origin")],
    ]
}

fn from(call: Call, headers: &[(&str, &str)]) -> Call {
    let call = call.at(&["127.0.0.1:8300"]);
    headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value))
}

#[tokio::test]
async fn a_strangers_page_changes_nothing() {
    for auth in [OFF, said(Ipv4Addr::LOCALHOST), OFF_ELSEWHERE] {
        let service = with(auth);
        for headers in foreign() {
            // A browser asks nobody before it sends these: no preflight.
            for call in [
                Call::new("POST", KEYS).body(ORDER),
                Call::new("POST", "/api/v1/%61dmin/api-keys").body(ORDER),
                Call::new("POST", SUBMIT).body(body()),
                Call::new("POST", SUBMIT)
                    .header("Content-Type", "text/plain")
                    .body(body()),
                Call::new("POST", "/nothing"),
                Call::new("post", SUBMIT),
                Call::new("DELETE", "/api/v1/admin/api-keys/0707070707070707"),
                Call::new("PATCH", "/api/v1/admin/dealers/0009999/settings").body("{}"),
                Call::new("BREW", "/"),
            ] {
                let reply = service.send(from(call, &headers)).await;
                assert_foreign_origin(&reply);
                let names = reply.header_names();
                let is_cors = |name: &String| name.starts_with("access-control-");
                let listed = headers.contains(&("Origin", LISTED));
                assert!(listed || !names.iter().any(is_cors), "{reply:?}");
            }
            for (methods, path) in PATHS.iter() {
                for method in methods {
                    let reply = service.send(from(Call::new(method, path), &headers)).await;
                    match *method {
                        // What a page of another origin gets to see of it is up to its browser.
                        "GET" | "HEAD" => assert_let_in(&reply),
                        _ => assert_foreign_origin(&reply),
                    }
                }
            }
        }
        assert_eq!(service.world.store.request_count(), 0);
        assert_eq!(service.world.services().keys.list().await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn nothing_else_is_looked_at_before() {
    let service = Service::with(|ports| ports.rate = api::RateLimit::per_minute(1));
    let long = format!("/{}", "x".repeat(9_000));
    for _ in 0..3 {
        for call in [
            Call::new("POST", SUBMIT).body("x".repeat(70_000)),
            Call::new("POST", &long),
            Call::new("POST", SUBMIT).header("X-Filler", &"x".repeat(33_000)),
        ] {
            let headers = [("Origin", "https://evil.example")];
            assert_foreign_origin(&service.send(from(call, &headers)).await);
        }
        assert_foreign_host(&service.send(Call::get("/").at(&[REBOUND])).await);
    }
    // Nor are they counted for who has the same address.
    assert_eq!(service.get("/").await.status, 200);
    assert_eq!(service.get("/").await.status, 429);
}

#[tokio::test]
async fn pages_that_may_call_and_other_programs_go_on() {
    for auth in [OFF, said(Ipv4Addr::LOCALHOST), OFF_ELSEWHERE] {
        let service = with(auth);
        for headers in friendly() {
            let call = Call::post(SUBMIT, body());
            let reply = service.send(from(call, &headers)).await;
            assert_eq!(reply.status, 200, "{headers:?}: {reply:?}");
        }
    }
    // With keys a page that has one may call from anywhere.
    let service = with(ApiAuth::Required);
    for headers in foreign() {
        let call = Call::new("POST", SUBMIT).at(&[REBOUND]).body(body());
        let reply = service.send(from(call, &headers)).await;
        assert_eq!(reply.status, 401, "{headers:?}");
    }
}

#[tokio::test]
async fn a_page_of_the_service_itself_may_call_it() {
    for (auth, host, origin) in [
        (OFF, "localhost:8300", "http://localhost:8300"),
        (OFF, "localhost", "https://localhost"),
        (OFF, "[::1]:8300", "http://[::1]:8300"),
        (OFF_ELSEWHERE, "10.0.0.1:8300", "http://10.0.0.1:8300"),
        (OFF_ELSEWHERE, "10.9.9.9", "http://10.9.9.9"),
        (OFF_ELSEWHERE, "any.example", "https://customer.example"),
    ] {
        let call = Call::post(SUBMIT, body()).at(&[host]);
        let reply = with(auth).send(call.header("Origin", origin)).await;
        assert_eq!(reply.status, 200, "{origin}");
    }
    // Its name may resolve to anything.
    let call = Call::post(SUBMIT, body()).at(&[REBOUND]);
    let call = call.header("Origin", REBOUND_ORIGIN);
    assert_foreign_origin(&with(OFF_ELSEWHERE).send(call).await);
}

/// Hosts that are not this machine's own.
const FOREIGN_HOSTS: [&[&str]; 13] = [
    &[""],
    &[REBOUND],
    &["EVIL.test"],
    &["localhost.evil.test"],
    &["127.0.0.1.evil.test:8300"],
    &["evil.test@localhost"],
    &["localhost@evil.test"],
    &["10.0.0.2:8300"],
    &["0.0.0.0:8300"],
    &["[2001:db8::1]:8300"],
    &["::1"],
    &["localhost:8300:8300"],
    &["localhost, evil.test"],
];

/// This machine's own.
const OWN_HOSTS: [&str; 10] = [
    "localhost",
    "LOCALHOST:8300",
    "localhost.",
    "localhost:9000",
    "127.0.0.1:8300",
    "127.8.8.8",
    "127.0.0.1.:8300",
    "[::1]",
    "[::1]:8300",
    "[::ffff:127.0.0.1]:8300",
];

#[tokio::test]
async fn where_nobody_said_that_keys_are_off_only_own_names_are_answered() {
    let service = Service::start();
    for hosts in FOREIGN_HOSTS {
        for (methods, path) in PATHS.iter() {
            for method in methods {
                let reply = service.send(Call::new(method, path).at(hosts)).await;
                match *method {
                    "HEAD" => assert_eq!(reply.status, 403, "{hosts:?}"),
                    _ => assert_foreign_host(&reply),
                }
            }
        }
        assert_foreign_host(&service.send(Call::get("/nothing").at(hosts)).await);
        assert_foreign_host(&service.send(Call::new("OPTIONS", "/").at(hosts)).await);
    }
    assert_eq!(service.world.store.request_count(), 0);
    for host in OWN_HOSTS {
        for path in ["/", "/metrics", "/api/v1/admin/audit", "/api/v1/health"] {
            let reply = service.send(Call::get(path).at(&[host])).await;
            assert_eq!(reply.status, 200, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn whoever_names_no_host_or_two_gets_nothing() {
    let service = Service::start();
    for (version, hosts, status) in [
        ("1.0", "", 403),
        ("1.0", "Host: localhost\r\nHost: evil.test\r\n", 400),
        ("1.1", "", 400),
        ("1.1", "Host: localhost\r\nHost: localhost\r\n", 400),
        ("1.1", "Host: evil.test\r\nHost: localhost\r\n", 400),
    ] {
        let call = format!("GET /api/v1/admin/audit HTTP/{version}\r\n{hosts}\r\n");
        let reply = service.connect().await.send_raw(call.as_bytes()).await;
        assert_eq!(reply.status, status, "{version} {hosts}");
    }
}

#[tokio::test]
async fn a_whole_address_in_the_first_line_counts_too() {
    let service = Service::start();
    for (target, host, own) in [
        (
            "http://evil.test:8300/api/v1/admin/audit",
            "localhost",
            false,
        ),
        ("http://localhost/api/v1/admin/audit", "evil.test", false),
        (
            "http://evil@localhost/api/v1/admin/audit",
            "localhost",
            false,
        ),
        (
            "http://localhost:8300/api/v1/admin/audit",
            "localhost:8300",
            true,
        ),
        ("http://[::1]/api/v1/admin/audit", "[::1]", true),
    ] {
        let reply = service.send(Call::get(target).at(&[host])).await;
        if own {
            assert_eq!(reply.status, 200, "{target}");
        } else {
            assert_foreign_host(&reply);
        }
    }
}

#[tokio::test]
async fn head_offices_routes_are_answered_at_own_names_only_whatever_was_said() {
    let service = with(said(Ipv4Addr::LOCALHOST));
    for path in [
        "/api/v1/admin",
        "/api/v1/admin/audit",
        "/api/v1/admin/audit/",
        "//api/v1//admin/audit",
        "/api/v1/%61dmin/audit",
        "/api/v1/admi%6E/audit",
        "/%61%70%69/v1/admin/audit",
        "/api/v1/admin/nothing",
    ] {
        for hosts in FOREIGN_HOSTS {
            assert_foreign_host(&service.send(Call::get(path).at(hosts)).await);
            let post = Call::new("POST", path).at(hosts).body(ORDER);
            assert_foreign_host(&service.send(post).await);
        }
    }
    for hosts in FOREIGN_HOSTS {
        for path in [
            "/",
            "/api/v1/customer/dealer/0009999/stats",
            "/api/v1/administer",
        ] {
            assert_let_in(&service.send(Call::get(path).at(hosts)).await);
        }
    }
    for host in OWN_HOSTS {
        let reply = service
            .send(Call::get("/api/v1/admin/audit").at(&[host]))
            .await;
        assert_eq!(reply.status, 200, "{host}");
    }
}

#[tokio::test]
async fn head_offices_routes_are_for_this_machine_alone() {
    // Who listens elsewhere is known by that address, and has none of them.
    for (auth, host) in [
        (OFF_ELSEWHERE, "10.0.0.1:8300"),
        (OFF_ELSEWHERE, "localhost"),
        (said(Ipv4Addr::UNSPECIFIED), "0.0.0.0:8300"),
        (said(Ipv6Addr::UNSPECIFIED), "[::]:8300"),
    ] {
        let service = with(auth);
        for path in ["/api/v1/admin/audit", "/api/v1/%61dmin/audit"] {
            let reply = service.send(Call::get(path).at(&[host])).await;
            reply.is_error(404, "NotFound", "Not Found");
        }
    }
    let service = Service::start();
    for header in [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded",
        "X-Real-IP",
        "Via",
        "True-Client-IP",
        "X-Original-Forwarded-For",
    ] {
        let call = Call::get("/api/v1/admin/audit").header(header, "127.0.0.1");
        let reply = service.send(call).await;
        reply.is_error(404, "NotFound", "Not Found");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_as_ever() {
    let service = Service::start();
    let preflight = |origin: &str| {
        Call::new("OPTIONS", KEYS)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
    };
    assert_eq!(service.send(preflight(LISTED)).await.status, 200);
    let refused = service.send(preflight("https://evil.example")).await;
    refused.is_error(400, "BadRequest", "Bad Request");
}
