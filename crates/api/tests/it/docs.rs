//! 1.6: the page for people.

use crate::service::Service;

#[tokio::test]
async fn the_page_is_served_at_both_addresses() {
    let service = Service::start();
    let page = service.get("/docs").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.body.contains("<div id=\"swagger-ui\"></div>"));
    assert_eq!(service.get("/docs/").await.body, page.body);
}

#[tokio::test]
async fn the_page_loads_only_what_the_service_has() {
    let service = Service::start();
    let page = service.get("/docs").await.body;
    let mut loaded = 0;
    for part in page
        .split(['"', '\''])
        .filter(|part| part.contains("://") || part.starts_with('/'))
    {
        let reply = service.get(part).await;
        assert_eq!(reply.status, 200, "{part}");
        loaded += 1;
    }
    assert_eq!(loaded, 5);
    let script = service.get("/docs/docs.js").await;
    assert_eq!(script.header("content-type"), Some("text/javascript"));
    assert!(script.body.contains("\"/openapi.json\""));
}

#[tokio::test]
async fn the_page_may_load_and_call_nothing_else() {
    let service = Service::start();
    let page = service.get("/docs").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(
        !policy.contains("unsafe-eval") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(
        page.body.matches("<script").count(),
        page.body.matches("<script src=").count()
    );
}

#[tokio::test]
async fn the_parts_have_types_and_may_be_kept_for_a_while() {
    let service = Service::start();
    for (part, content_type) in [
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("favicon-32x32.png", "image/png"),
    ] {
        let reply = service.get(&format!("/docs/{part}")).await;
        assert_eq!(reply.header("content-type"), Some(content_type));
        assert!(reply.header("cache-control").is_some());
    }
}

#[tokio::test]
async fn other_files_are_404() {
    let service = Service::start();
    for file in [
        "nothing.js",
        "docs.html",
        "%2e%2e%2fCargo.toml",
        "..%5cCargo.toml",
        "%00",
        "%FF",
    ] {
        let reply = service.get(&format!("/docs/{file}")).await;
        reply.is_error(404, "NotFound", "Not Found");
    }
}
