//! What holds for every route: slashes, methods, paths that do not exist.

use crate::client::{Call, Connection};
use crate::service::{PATHS, SUBMIT, Service, body};

/// A call that every route with this method answers with a 200.
fn good_call(method: &'static str, path: &str) -> Call {
    let call = Call::new(method, path);
    if path.contains("/validate-customers") {
        call.json("[]")
    } else if path.starts_with(SUBMIT) {
        call.json(body())
    } else if path.contains("/templates/") && matches!(method, "POST" | "PUT") {
        call.json(r#"{"body":"Halo"}"#)
    } else if method == "PATCH" || path.contains("/webhooks/") {
        call.json("{}")
    } else if method == "POST" && path.starts_with("/api/v1/admin/api-keys") {
        call.json(r#"{"name":"Kantor pusat","scopes":["read"]}"#)
    } else if method == "POST" && path.trim_end_matches('/').ends_with("/endpoints") {
        call.json("{}")
    } else if path.contains("/opt-outs") {
        call.json(r#"{"phone":"082148523421"}"#)
    } else if path.contains("/erasure") || path.contains("/export") {
        call.json(r#"{"phone":"081299999999"}"#)
    } else {
        call
    }
}

/// A service in which every path of [`PATHS`] exists.
async fn full_service() -> Service {
    use domain::ports::{ApiKeys as _, RequestStore as _};

    let service = Service::start();
    let mut request = testkit::sample::new_request();
    request.id =
        domain::requests::RequestId("23f16411-6eb2-4829-a964-9ad1f0e0cc22".parse().unwrap());
    service.world.store.accept(&request).await.unwrap();
    let key = testkit::sample::api_key(7);
    let new = domain::ports::NewApiKey {
        id: key.id(),
        fingerprint: key.fingerprint(),
        name: domain::access::KeyName::parse("Kantor pusat").unwrap(),
        access: domain::access::Access::unlimited(),
        expires_at: None,
    };
    let entry = domain::access::AuditEntry::cancelled(&testkit::sample::author(), request.id);
    service.world.store.create(&new, &entry).await.unwrap();
    service.save_templates().await;
    service.opt_out().await;
    service
}

#[tokio::test]
async fn slashes_at_the_end_never_matter() {
    let service = full_service().await;
    for (methods, path) in PATHS.iter() {
        // These two can be done once only.
        if path.ends_with("/resend") || path.ends_with("/cancel") {
            continue;
        }
        for method in methods {
            // So can this.
            let once = ["/templates/", "/opt-outs/"];
            if *method == "DELETE" && once.iter().any(|part| path.contains(part)) {
                continue;
            }
            // A new key each time, and another list of them.
            if path.ends_with("/api-keys") {
                let status = if *method == "POST" { 201 } else { 200 };
                for slashes in ["", "/", "//"] {
                    let call = good_call(method, &format!("{path}{slashes}"));
                    assert_eq!(service.send(call).await.status, status, "{method} {path}");
                }
                continue;
            }
            // What they answer otherwise is tested with them.
            if path.contains("/endpoints") {
                let without = service.send(good_call(method, path)).await;
                let with = service.send(good_call(method, &format!("{path}//"))).await;
                assert_eq!(without.status, with.status, "{method} {path}");
                assert_eq!(without.body, with.body, "{method} {path}");
                continue;
            }
            let without = service.send(good_call(method, path)).await;
            assert_eq!(without.status, 200, "{method} {path}: {without:?}");
            for slashes in ["/", "//", "/?x=1"] {
                let with = service
                    .send(good_call(method, &format!("{path}{slashes}")))
                    .await;
                assert_eq!(
                    (with.status, with.body),
                    (200, without.body.clone()),
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn other_methods_are_405_and_told_which_ones_there_are() {
    let service = Service::start();
    for (methods, path) in PATHS.iter() {
        let allowed = methods.join(", ");
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ] {
            if methods.contains(&method) {
                continue;
            }
            for path in [path.to_owned(), format!("{path}/")] {
                let reply = service.send(Call::new(method, &path)).await;
                if method == "HEAD" {
                    assert_eq!(reply.status, 405, "{method} {path}");
                } else {
                    reply.is_error(405, "MethodNotAllowed", "Method Not Allowed");
                }
                assert_eq!(
                    reply.header("allow"),
                    Some(allowed.as_str()),
                    "{method} {path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_405_does_not_read_the_body() {
    let service = Service::start();
    let call = Call::new("PUT", SUBMIT).json("{");
    service
        .send(call)
        .await
        .is_error(405, "MethodNotAllowed", "Method Not Allowed");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let service = full_service().await;
    for (methods, path) in PATHS.iter() {
        if !methods.contains(&"HEAD") {
            continue;
        }
        let get = service.get(path).await;
        let head = service.send(Call::new("HEAD", path)).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.body, "");
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
    let missing = service
        .send(Call::new("HEAD", "/api/v1/customer/request/17"))
        .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn after_head_the_connection_goes_on() {
    let service = Service::start();
    let mut connection: Connection = service.connect().await;
    let head = connection.send(Call::new("HEAD", "/api/v1/health")).await;
    let get = connection.send(Call::get("/api/v1/health")).await;
    assert_eq!((head.status, get.status), (200, 200));
}

#[tokio::test]
async fn paths_that_do_not_exist_are_404() {
    let service = Service::start();
    for path in [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/health",
        "/api/v1/customer",
        "/api/v1/customer/request",
        "/api/v1/customer/request/",
        "/api/v1/customer/request/a/b",
        "/api/v1/customer/dealer/0009999",
        "/api/v1/customer/dealer//stats",
        "/api/v1/customer/dealer/0009999/nothing",
        "/api/v1/Customer/validate-customer",
        "/health",
        "/metrics/x",
        "/docs/../Cargo.toml",
        "/docs/a/b",
        "/openapi.json/x",
        "/%00",
        "/%FF",
        "/favicon.ico",
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let reply = service.send(Call::new(method, path)).await;
            assert_eq!(reply.header("allow"), None, "{method} {path}");
            reply.is_error(404, "NotFound", "Not Found");
        }
    }
}

#[tokio::test]
async fn errors_leave_a_connection_usable() {
    let service = Service::start();
    let mut connection = service.connect().await;
    for (call, status) in [
        (Call::get("/nothing"), 404),
        (Call::new("DELETE", SUBMIT), 405),
        (Call::post(SUBMIT, "{"), 422),
        (Call::get("/api/v1/customer/request/17"), 404),
        (Call::post(SUBMIT, body()), 200),
        (Call::get("/api/v1/health"), 200),
    ] {
        assert_eq!(connection.send(call).await.status, status);
    }
}
