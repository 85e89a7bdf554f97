//! Logging in and out, and what a session is.

use std::sync::Arc;
use std::time::Duration;

use actix_web::test::TestRequest;
use console::{Right, routes};
use domain::access::{ApiKeyId, Scope};
use domain::ports::{MockSessions, StoreError};
use domain::usecases::SESSION_LIFETIME;
use testkit::sample;

use crate::site::Site;

/// The id within a key.
fn id(key: &str) -> ApiKeyId {
    ApiKeyId::parse(&key[4..20]).unwrap()
}

/// Every path of the table, its parameters filled in.
fn paths(right: impl Fn(Right) -> bool) -> Vec<(&'static str, String)> {
    let wanted = routes().iter().filter(|route| right(route.right()));
    wanted
        .map(|route| {
            let parts = route
                .path()
                .split('/')
                .map(|part| match part.starts_with('{') {
                    true => "23f16411-6eb2-4829-a964-9ad1f0e0cc22",
                    false => part,
                });
            let path = parts.collect::<Vec<_>>().join("/");
            (route.method(), format!("/console{path}"))
        })
        .collect()
}

#[actix_web::test]
async fn without_a_session_every_page_leads_to_the_log_in_and_back() {
    let site = Site::new();
    for (method, path) in paths(|right| matches!(right, Right::Scope(_) | Right::Account(_))) {
        let (reply, back) = match method {
            "GET" => (site.get(&path, "").await, path.replace('/', "%2F")),
            _ => (site.post(&path, "", "").await, "%2Fconsole".to_owned()),
        };
        assert_eq!(reply.status, 303, "{path}");
        assert_eq!(reply.location(), format!("/console/login?next={back}"));
    }
    let unknown = site.get("/console/nothing?a=b", "").await;
    assert_eq!(
        unknown.location(),
        "/console/login?next=%2Fconsole%2Fnothing%3Fa%3Db"
    );
}

#[actix_web::test]
async fn a_pasted_key_becomes_a_session() {
    let site = Site::new();
    let key = site.key(Some(sample::dealer_id()), Scope::Read).await;
    let form = format!("key=+{key}%0D%0A&next=%2Fconsole%2Fmessages%3Fq%3Dadit");
    let reply = site.post("/console/login", "", &form).await;
    assert_eq!(
        (reply.status, reply.location()),
        (303, "/console/messages?q=adit")
    );
    let set = reply.header("set-cookie").unwrap();
    let (cookie, attributes) = set.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict"
    );
    let (name, token) = cookie.split_once('=').unwrap();
    assert_eq!((name, token.len()), ("console_session", 64));
    assert!(!key.contains(token));
    let page = site.get("/console/messages", cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Bengkel Uji · 0009999"), "{}", page.body);
    // Whoever is logged in goes on.
    let login = site
        .get("/console/login?next=/console/messages", cookie)
        .await;
    assert_eq!((login.status, login.location()), (303, "/console/messages"));
}

#[actix_web::test]
async fn keys_that_do_not_count_are_refused_in_the_same_words() {
    let site = Site::new();
    let revoked = site.key(None, Scope::Admin).await;
    let keys = site.world.services().keys;
    keys.revoke(id(&revoked), &sample::author()).await.unwrap();
    let unknown = Site::new().key(None, Scope::Admin).await;
    let wrong = format!("{}0", &revoked[..revoked.len() - 1]);
    let mut pages = Vec::new();
    for key in [
        &revoked,
        &unknown,
        &wrong,
        "csk_",
        "<script>alert(1)</script>",
    ] {
        let form = format!("key={}", key.replace('<', "%3C"));
        let reply = site.post("/console/login", "", &form).await;
        assert_eq!(reply.status, 401, "{key}");
        assert_eq!(reply.header("set-cookie"), None);
        assert!(key == "csk_" || !reply.body.contains(key), "{key}");
        pages.push(reply.body);
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    let empty = site.post("/console/login", "", "key=+&next=/console").await;
    assert_eq!(empty.status, 422);
}

#[actix_web::test]
async fn a_session_ends_by_logging_out_with_its_time_and_with_its_key() {
    let site = Site::new();
    let key = site.key(None, Scope::Admin).await;
    let first = site.log_in(&key).await;
    let out = site.post("/console/logout", &first, "").await;
    assert_eq!((out.status, out.location()), (303, "/console/login"));
    let gone = "console_session=; Path=/console; Max-Age=0; HttpOnly; SameSite=Strict";
    assert_eq!(out.header("set-cookie"), Some(gone));
    let second = site.log_in(&key).await;
    assert_ne!(second, first);
    // Whoever logs in once more has one session.
    let third = site
        .post("/console/login", &second, &format!("key={key}"))
        .await
        .cookie();
    let is_in = async |cookie: &str| site.get("/console/messages", cookie).await.status == 200;
    assert!(!is_in(&first).await && !is_in(&second).await && is_in(&third).await);
    site.world.pass(SESSION_LIFETIME);
    assert!(!is_in(&third).await);
    let last = site.log_in(&key).await;
    assert!(is_in(&last).await);
    let keys = site.world.services().keys;
    keys.revoke(id(&key), &sample::author()).await.unwrap();
    assert!(!is_in(&last).await);
}

#[actix_web::test]
async fn under_https_the_cookie_is_secure() {
    let mut site = Site::limited(0);
    let key = site.key(None, Scope::Admin).await;
    let log_in = |proto: &'static str| {
        TestRequest::post()
            .uri("/console/login")
            .insert_header(("Host", "customer.example"))
            .insert_header(("Sec-Fetch-Site", "same-origin"))
            .insert_header(("X-Forwarded-Proto", proto))
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(format!("key={key}"))
    };
    let is_secure = |cookie: &str| {
        cookie.starts_with("__Secure-console_session=") && cookie.ends_with("; Secure")
    };
    let set = async |site: &Site, proto| {
        let reply = site.send(log_in(proto)).await;
        reply.header("set-cookie").unwrap_or_default().to_owned()
    };
    // A stranger's word about the scheme does not count, a trusted proxy's does.
    assert!(!is_secure(&set(&site, "https").await));
    site.peer = "10.0.0.1:80".parse().unwrap();
    assert!(is_secure(&set(&site, "https").await));
    assert!(!is_secure(&set(&site, "http").await));
    site.base = "https://customer.example";
    let cookie = set(&site, "http").await;
    assert!(is_secure(&cookie), "{cookie}");
    // Without the prefix it is none, because a page over http might have set it.
    let plain = cookie.replace("__Secure-", "");
    let plain = plain.split(';').next().unwrap();
    assert_eq!(site.get("/console/messages", plain).await.status, 303);
}

#[actix_web::test]
async fn log_ins_count_for_the_address() {
    let site = Site::limited(3);
    let key = site.key(None, Scope::Admin).await;
    for _ in 0..3 {
        site.log_in(&key).await;
    }
    let refused = site.post("/console/login", "", &format!("key={key}")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("20"));
    assert!(
        refused.body.contains("<h1>Terlalu banyak permintaan</h1>"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("20 detik"));
}

#[actix_web::test]
async fn logging_out_counts_for_the_address() {
    let site = Site::limited(3);
    let cookie = site.dealer(Scope::Read).await;
    for status in [303, 303, 429] {
        let out = site.post("/console/logout", &cookie, "").await;
        assert_eq!(out.status, status);
    }
}

/// Sessions that no copy knows, and how often the store was asked for one.
fn strangers(
    times: usize,
    answer: impl Fn() -> Result<Option<ApiKeyId>, StoreError> + Send + 'static,
) -> Arc<MockSessions> {
    let mut sessions = MockSessions::new();
    sessions.expect_knows().return_const(false);
    let asked = sessions.expect_find().times(times);
    asked.returning(move |_| answer());
    Arc::new(sessions)
}

#[actix_web::test]
async fn an_invented_session_counts_for_the_address_before_the_store_is_asked() {
    let mut site = Site::limited(3);
    site.ports.sessions = strangers(3, || Ok(None));
    for n in 0..10 {
        let cookie = format!("console_session={n:064}");
        let reply = site.get("/console/messages", &cookie).await;
        assert_eq!(reply.status, if n < 3 { 303 } else { 429 }, "{n}");
    }
}

#[actix_web::test]
async fn a_session_of_another_copy_costs_the_address_nothing() {
    let mut site = Site::limited(3);
    let key = id(&site.key(None, Scope::Admin).await);
    site.ports.sessions = strangers(4, move || Ok(Some(key)));
    let cookie = format!("console_session={:064}", 7);
    for status in [200, 200, 200, 429] {
        let page = site.get("/console/messages", &cookie).await;
        assert_eq!(page.status, status);
    }
    site.ports.sessions = strangers(2, || Err(StoreError::Unavailable("away".into())));
    for _ in 0..2 {
        let page = site.get("/console/messages", &cookie).await;
        assert_eq!(page.status, 503);
    }
    for _ in 0..3 {
        assert_eq!(site.get("/console/login", "").await.status, 200);
    }
}

#[actix_web::test]
async fn pages_count_for_the_key_and_files_for_nobody() {
    let site = Site::limited(2);
    let key = site.key(None, Scope::Admin).await;
    let cookie = site.log_in(&key).await;
    for status in [200, 200, 429] {
        assert_eq!(site.get("/console/messages", &cookie).await.status, status);
    }
    let page = site.get("/console/login", "").await.body;
    let style = page.split('"').find(|part| part.ends_with(".css")).unwrap();
    for _ in 0..5 {
        assert_eq!(site.get(style, "").await.status, 200);
    }
}

#[actix_web::test]
async fn a_key_in_a_header_means_nothing() {
    let site = Site::new();
    let key = site.key(None, Scope::Admin).await;
    for (name, value) in [
        ("X-API-Key", key.clone()),
        ("Authorization", format!("Bearer {key}")),
    ] {
        let request = TestRequest::get()
            .uri("/console/messages")
            .insert_header((name, value));
        assert_eq!(site.send(request).await.status, 303);
    }
}

#[actix_web::test]
async fn nobody_is_sent_elsewhere_after_logging_in() {
    let site = Site::new();
    let key = site.key(None, Scope::Admin).await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/docs",
        "/console/../docs",
    ] {
        let form = format!("key={key}&next={next}");
        let reply = site.post("/console/login", "", &form).await;
        assert_eq!(reply.location(), "/console", "{next}");
        let page = site.get(&format!("/console/login?next={next}"), "").await;
        assert!(
            page.body.contains("name=\"next\" value=\"/console\""),
            "{next}"
        );
    }
}

#[actix_web::test]
async fn a_session_lasts_twelve_hours() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Read).await;
    site.world.pass(SESSION_LIFETIME - Duration::from_secs(1));
    assert_eq!(site.get("/console/messages", &cookie).await.status, 200);
}
