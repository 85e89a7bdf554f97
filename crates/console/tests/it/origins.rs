//! Forms that no page of ours sent.

use actix_web::test::TestRequest;
use console::routes;
use domain::access::Scope;

use crate::site::Site;

fn form(path: &str, headers: &[(&'static str, &'static str)]) -> TestRequest {
    let request = TestRequest::post()
        .uri(path)
        .insert_header(("Host", "customer.example"))
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload("theme=dark&next=/console");
    headers
        .iter()
        .fold(request, |request, header| request.append_header(*header))
}

#[actix_web::test]
async fn a_form_of_another_page_is_refused() {
    let site = Site::new();
    let status = async |headers: &[(&'static str, &'static str)]| {
        site.send(form("/console/preferences", headers))
            .await
            .status
    };
    for headers in [
        &[("Sec-Fetch-Site", "same-origin")][..],
        &[("Origin", "http://customer.example")],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    ] {
        assert_eq!(status(headers).await, 303, "{headers:?}");
    }
    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Sec-Fetch-Site", "")],
        &[
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        &[
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "http://customer.example"),
        ],
        &[("Origin", "https://customer.example")],
        &[("Origin", "http://customer.example:8300")],
        &[("Origin", "http://localhost:3000")],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[
            ("Origin", "http://customer.example"),
            ("Origin", "http://customer.example"),
        ],
        &[("Referer", "http://customer.example/console")],
    ] {
        assert_eq!(status(headers).await, 403, "{headers:?}");
    }
}

#[actix_web::test]
async fn under_https_the_page_is_of_https() {
    let mut site = Site::new();
    site.base = "https://console.example";
    let status = async |origin| {
        let request = form("/console/preferences", &[("Origin", origin)]);
        site.send(request).await.status
    };
    assert_eq!(status("https://customer.example").await, 303);
    // A proxy in front may write another Host.
    assert_eq!(status("https://console.example").await, 303);
    assert_eq!(status("http://customer.example").await, 403);
}

#[actix_web::test]
async fn it_is_refused_before_anything_else() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    for route in routes().iter().filter(|route| route.method() == "POST") {
        let path = route
            .path()
            .replace("{request_id}", "23f16411-6eb2-4829-a964-9ad1f0e0cc22");
        let request = form(
            &format!("/console{path}"),
            &[("Sec-Fetch-Site", "cross-site")],
        )
        .insert_header(("Cookie", cookie.clone()));
        let reply = site.send(request).await;
        assert_eq!(reply.status, 403, "{path}");
        assert_eq!(reply.header("set-cookie"), None);
        assert!(reply.body.contains("Formulir ditolak"), "{path}");
    }
    assert_eq!(site.get("/console/messages", &cookie).await.status, 200);
    let unknown = form("/console/nothing", &[("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(site.send(unknown).await.status, 403);
}

#[actix_web::test]
async fn a_page_that_came_of_a_form_is_come_back_to_by_looking() {
    let site = Site::new();
    let cookie = site.head_office().await;
    let id = site.accept(&testkit::sample::new_request()).await;
    let message = format!("/console/messages/{id}");
    for (path, form, back) in [
        (
            "/console/messages/resend".to_owned(),
            format!("id={id}"),
            "/console/messages",
        ),
        (format!("{message}/phone"), String::new(), &*message),
        (
            "/console/dealers/0009999/test".to_owned(),
            String::new(),
            "/console/dealers/0009999",
        ),
        ("/console/keys".to_owned(), String::new(), "/console/keys"),
        (
            "/console/keys/x/revoke".to_owned(),
            String::new(),
            "/console/keys",
        ),
        (
            "/console/nothing/at/all".to_owned(),
            String::new(),
            "/console",
        ),
    ] {
        let page = site.post(&path, &cookie, &form).await.body;
        let next = format!("name=\"next\" value=\"{back}\"");
        assert!(page.contains(&next), "{path}: {page}");
    }
    let mut busy = Site::new();
    let key = busy.key(None, Scope::Admin).await;
    let cookie = busy.log_in(&key).await;
    let mut sessions = domain::ports::MockSessions::new();
    sessions.expect_knows().return_const(true);
    sessions
        .expect_find()
        .returning(|_| Err(domain::ports::StoreError::Unavailable("away".into())));
    busy.ports.sessions = std::sync::Arc::new(sessions);
    let away = busy.post("/console/keys/x/revoke", &cookie, "").await;
    assert_eq!(away.status, 503);
    assert!(
        away.body.contains("href=\"/console/keys\">Coba lagi"),
        "{}",
        away.body
    );
}
