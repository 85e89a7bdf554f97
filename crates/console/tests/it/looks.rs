//! What every page has, in both languages and all themes.

use actix_web::test::TestRequest;
use console::routes;
use domain::access::Scope;
use testkit::sample;

use crate::site::{Reply, Site};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const ENDPOINT: &str = "url=https%3A%2F%2Fa.example&event=message.sent";

/// The page of an endpoint that was made.
fn endpoint_path(made: &Reply) -> String {
    let path = made.body.split("href=\"/console/endpoints/").nth(1);
    let path = path.and_then(|rest| rest.split('"').next()).unwrap();
    format!("/console/endpoints/{path}")
}

/// Pages of every kind, each with its status.
async fn pages(site: &Site, extra: &str) -> Vec<(String, Reply)> {
    let request = site.accept(&sample::new_request()).await;
    let cookie = format!("{}{extra}", site.dealer(Scope::Write).await);
    let mut all = Vec::new();
    for path in [
        "/console/messages".to_owned(),
        "/console/messages?q=ab&date_from=x".to_owned(),
        "/console/messages?q=nobody".to_owned(),
        format!("/console/messages/{request}"),
        "/console/messages/unknown".to_owned(),
        "/console/import".to_owned(),
        "/console/templates".to_owned(),
        "/console/templates?new=yes".to_owned(),
        "/console/templates/validation".to_owned(),
        "/console/nothing".to_owned(),
    ] {
        let reply = site.get(&path, &cookie).await;
        all.push((path, reply));
    }
    let secret = site.post("/console/endpoints", &cookie, ENDPOINT).await;
    let endpoint = endpoint_path(&secret);
    site.post(&format!("{endpoint}/test"), &cookie, "").await;
    for path in ["/console/endpoints".to_owned(), endpoint.clone()] {
        all.push((path.clone(), site.get(&path, &cookie).await));
    }
    let unsure = "url=https%3A%2F%2Fb.example";
    for (path, form) in [(format!("{endpoint}/remove"), ""), (endpoint, unsure)] {
        all.push((
            format!("POST {path}"),
            site.post(&path, &cookie, form).await,
        ));
    }
    all.push(("secret".to_owned(), secret));
    let office = format!("{}{extra}", site.head_office().await);
    for path in [
        "/console/messages",
        "/console",
        "/console/analytics",
        "/console/dealers",
        "/console/dealers/0009999",
        "/console/keys",
        "/console/templates",
        "/console/templates/validation?dealer_id=0009999",
        "/console/audit",
        "/console/endpoints",
        "/console/system",
    ] {
        all.push((format!("{path} (office)"), site.get(path, &office).await));
    }
    let login = site
        .get("/console/login", extra.trim_start_matches("; "))
        .await;
    all.push(("/console/login".to_owned(), login));
    let confirm = site
        .post(
            "/console/messages/cancel",
            &cookie,
            &format!("id={request}"),
        )
        .await;
    all.push(("confirm".to_owned(), confirm));
    all
}

#[actix_web::test]
async fn every_page_is_whole_and_safe_to_show() {
    for extra in ["", "; console_language=en", "; console_theme=dark"] {
        let site = Site::new();
        for (path, page) in pages(&site, extra).await {
            assert_eq!(
                page.header("content-type"),
                Some("text/html; charset=utf-8"),
                "{path}"
            );
            assert_eq!(
                page.header("content-security-policy"),
                Some(POLICY),
                "{path}"
            );
            assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(
                page.header("referrer-policy"),
                Some("same-origin"),
                "{path}"
            );
            let body = &page.body;
            assert!(body.starts_with("<!DOCTYPE html><html lang=\""), "{path}");
            assert_eq!(body.matches("<h1>").count(), 1, "{path}");
            assert_eq!(body.matches("<main ").count(), 1, "{path}");
            assert!(
                !body.contains(" style=") && !body.contains("<style"),
                "{path}"
            );
            assert_eq!(body.matches("<script").count(), 1, "{path}");
            assert!(body.contains("></script>"), "{path}");
            for handler in [" onclick=", " onchange=", " onsubmit=", "javascript:"] {
                assert!(!body.contains(handler), "{path} {handler}");
            }
            let english = extra.contains("=en");
            assert_eq!(body.contains("<html lang=\"en\""), english, "{path}");
            assert_eq!(
                body.contains("data-theme=\"dark\""),
                extra.contains("dark"),
                "{path}"
            );
        }
    }
}

#[actix_web::test]
async fn ids_are_given_once() {
    let site = Site::new();
    for (path, page) in pages(&site, "").await {
        let mut ids: Vec<&str> = page
            .body
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path}");
        // What is referred to is there.
        for attribute in [" for=\"", " aria-labelledby=\"", " aria-describedby=\""] {
            for rest in page.body.split(attribute).skip(1) {
                let names = rest.split('"').next().unwrap_or_default().split(' ');
                for name in names {
                    assert!(ids.contains(&name), "{path}: {attribute}{name}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn mistakes_are_pages() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Read).await;
    let unknown = site.get("/console/nothing", &cookie).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("<h1>Halaman tidak ditemukan</h1>"));
    let put = TestRequest::put()
        .uri("/console/login")
        .insert_header(("Cookie", cookie.clone()))
        .insert_header(("Sec-Fetch-Site", "same-origin"));
    let put = site.send(put).await;
    assert_eq!(
        (put.status, put.header("allow")),
        (405, Some("GET, HEAD, POST"))
    );
    assert!(put.body.contains("<h1>"));
    let forbidden = site.post("/console/messages/resend", &cookie, "id=x").await;
    assert_eq!(forbidden.status, 403);
    assert!(forbidden.body.contains("izin mengirim (write)"));
    let long = site
        .get(
            &format!("/console/messages?q={}", "a".repeat(9_000)),
            &cookie,
        )
        .await;
    assert_eq!(long.status, 414);
    assert!(long.body.contains("<h1>Terlalu besar</h1>"));
    let big = format!("key={}", "a".repeat(70_000));
    let big = site.post("/console/login", "", &big).await;
    assert_eq!(big.status, 413);
    assert!(big.body.contains("<h1>Terlalu besar</h1>"));
    let json = TestRequest::post()
        .uri("/console/login")
        .insert_header(("Sec-Fetch-Site", "same-origin"))
        .insert_header(("Content-Type", "application/json"))
        .set_payload("{}");
    let json = site.send(json).await;
    assert_eq!(json.status, 400);
    assert!(json.body.contains("Tidak ada yang berubah"));
}

#[actix_web::test]
async fn language_and_theme_are_remembered() {
    let site = Site::new();
    let english = [("Accept-Language", "en-US,en;q=0.9")];
    let page = site
        .send(
            TestRequest::get()
                .uri("/console/login")
                .insert_header(english[0]),
        )
        .await;
    assert!(page.body.contains("<h1>Log in</h1>"));
    let chosen = site
        .post(
            "/console/preferences",
            "",
            "language=en&next=/console/messages",
        )
        .await;
    assert_eq!(
        (chosen.status, chosen.location()),
        (303, "/console/messages")
    );
    assert_eq!(
        chosen.header("set-cookie"),
        Some("console_language=en; Path=/console; Max-Age=31536000; HttpOnly; SameSite=Strict")
    );
    let page = site
        .get("/console/login", "console_language=en; console_theme=light")
        .await;
    assert!(
        page.body
            .contains("<html lang=\"en\" data-theme=\"light\">")
    );
    // From the log-in back to it, and to where it leads.
    let form = "theme=dark&at=login&next=%2Fconsole%2Fmessages";
    let chosen = site.post("/console/preferences", "", form).await;
    assert_eq!(
        chosen.location(),
        "/console/login?next=%2Fconsole%2Fmessages"
    );
    assert_eq!(chosen.cookie(), "console_theme=dark");
    let nonsense = site
        .post("/console/preferences", "", "theme=pink&language=xx")
        .await;
    assert_eq!(
        (nonsense.status, nonsense.header("set-cookie")),
        (303, None)
    );
}

#[actix_web::test]
async fn files_are_kept_for_ever_and_sent_small() {
    let site = Site::new();
    let page = site.get("/console/login", "").await.body;
    for ending in [".css", ".js", ".svg"] {
        let path = page.split('"').find(|part| part.ends_with(ending)).unwrap();
        let plain = site.get(path, "").await;
        assert_eq!(plain.status, 200, "{path}");
        let kept = Some("public, max-age=31536000, immutable");
        assert_eq!(plain.header("cache-control"), kept);
        assert_eq!(plain.header("content-encoding"), None);
        let request = TestRequest::get().uri(path);
        let packed = site
            .send(request.insert_header(("Accept-Encoding", "gzip")))
            .await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
        let old = path.replace(ending, &format!("0{ending}"));
        assert_eq!(site.get(&old, "").await.status, 404);
    }
}

#[actix_web::test]
async fn nothing_is_changed_by_looking() {
    let site = Site::new();
    let request = site.accept(&sample::new_request()).await;
    let cookies = [site.dealer(Scope::Write).await, site.head_office().await];
    let key = site.key(Some(sample::dealer_id()), Scope::Read).await;
    let endpoint = site.post("/console/endpoints", &cookies[0], ENDPOINT).await;
    let endpoint = endpoint_path(&endpoint);
    let endpoint = endpoint.rsplit('/').next().unwrap();
    // Whoever first looks at a dealer makes its webhook addresses; nothing else.
    let dealers = site.world.services().dealers;
    dealers.page(1, 10).await.unwrap();
    let before = site.world.store.everything();
    assert!(before.contains(&request.to_string()), "{before}");
    for route in routes().iter().filter(|route| route.method() == "GET") {
        let path = route.path();
        let path = path.replace("{request_id}", &request.to_string());
        let path = path.replace("{dealer_id}", "0009999");
        let path = path.replace("{endpoint_id}", endpoint);
        let path = path.replace("{key_id}", &key[4..20]);
        // A stream has no end.
        let path = path.replace("/live", "/live?once=yes");
        // What else has a name is not there.
        let path = path.replace(['{', '}'], "");
        for cookie in &cookies {
            let page = site.get(&format!("/console{path}"), cookie).await;
            assert!(page.status < 500, "{path}: {}", page.status);
            assert_eq!(site.world.store.everything(), before, "{path}");
        }
    }
    assert!(site.world.whatsapp.sent().is_empty());
    for act in ["resend", "cancel"] {
        let path = format!("/console/messages/{request}/{act}?newest=none");
        assert_eq!(site.get(&path, &cookies[1]).await.status, 405);
    }
    assert_eq!(site.world.store.everything(), before);
    let other = routes().iter().filter(|route| route.method() != "GET");
    assert!(other.clone().count() > 0 && other.clone().all(|route| route.method() == "POST"));
}
