//! The console in a real browser, as people use it.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests_e2e::{Browser, DEALER, Page, Service, Story, eventually, output, submission_of};

const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// Another dealer than the story's.
const OTHER: &str = "0008888";

const SECRETS_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What every copy keeps to.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

/// Notes what a person would see as a fault in the browser's console.
const WATCH: &str = "window.faults = [];
    addEventListener('error', e => faults.push(String(e.message || e.target.href || e.target.src)), true);
    addEventListener('unhandledrejection', e => faults.push(String(e.reason)));
    addEventListener('securitypolicyviolation', e => faults.push(e.violatedDirective));
    console.error = (...said) => faults.push(said.join(' '));";

/// Finds faults of pages, see `vendor/axe-core`.
const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

/// A service that asks for keys, with two dealers and some messages.
pub(crate) struct Scene {
    pub(crate) story: Story,
    pub(crate) service: Service,
    pub(crate) browser: Browser,
    pub(crate) dealer_key: String,
    pub(crate) office_key: String,
    /// Requests of the first dealer, oldest first.
    pub(crate) requests: Vec<String>,
}

fn create_key(story: &Story, arguments: &[&str]) -> String {
    let arguments = [&["api-key", "create"][..], arguments].concat();
    let output = output(&arguments, &story.settings());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Scene {
    pub(crate) async fn begin(messages: u32) -> Self {
        let story = Story::begin()
            .await
            .with("API_AUTH", "required")
            .with("SEND_MIN_INTERVAL_MS", "0")
            .with("SEND_JITTER_MS", "0")
            .with("RATE_LIMIT_PER_MINUTE", "0")
            // Without it nobody can add an endpoint.
            .with("SECRETS_KEY", SECRETS_KEY);
        story.add_dealer(OTHER, Some("another-key")).await;
        let service = story.serve();
        service.get("/api/v1/health/").await.expect("it answers");
        let dealer_key = create_key(
            &story,
            &[
                "--name",
                "Bengkel Demo",
                "--dealer",
                DEALER,
                "--scope",
                "read,write",
            ],
        );
        let office_key = create_key(&story, &["--name", "Kantor pusat", "--scope", "admin"]);
        let mut scene = Self {
            story,
            service,
            browser: Browser::start(&[]).await,
            dealer_key,
            office_key,
            requests: Vec::new(),
        };
        for n in 1..=messages {
            let request = scene.submit(DEALER, n).await;
            scene.requests.push(request);
        }
        scene.submit(OTHER, 900).await;
        let unsent = "SELECT count(*) FROM customer.message \
            WHERE state <> 'SENT' AND dealer_id = '0009999'";
        eventually("everything is sent", async || {
            (scene.story.count(unsent).await == 0).then_some(())
        })
        .await;
        scene
    }

    /// Posts a request and returns its id.
    pub(crate) async fn submit(&self, dealer: &str, n: u32) -> String {
        let body = submission_of(dealer, n);
        let headers = [("X-API-Key", self.office_key.as_str())];
        let reply = self
            .service
            .send(Method::POST, SUBMIT, Some(&body), &headers)
            .await
            .expect("the service answers");
        let location = reply.header("location").expect("it is stored").to_owned();
        location.rsplit('/').next().expect("an id").to_owned()
    }

    /// What customers of the first dealer write back, by the numbers of their submissions.
    pub(crate) async fn customers_write(&self, said: &[(u32, &str)]) {
        let path = format!("/api/v1/admin/dealers/{DEALER}");
        let headers = [("X-API-Key", self.office_key.as_str())];
        let shown = self.service.send(Method::GET, &path, None, &headers).await;
        let shown = shown.expect("the service answers").json();
        let address = &shown["data"]["webhooks"]["message"];
        let address = address.as_str().expect("an address");
        let path = &address[address.find("/api/").expect("a path")..];
        for (n, text) in said {
            let reply = json!({
                "sender": format!("62812{n:08}"), "name": "Adit", "message": text, "inboxid": n.to_string() + text
            });
            let taken = self.service.post(path, &reply).await;
            assert_eq!(taken.expect("the service answers").status, 200);
        }
    }

    /// Adds an endpoint of the first dealer, which nobody answers, and tests it; its id.
    async fn add_endpoint(&self) -> String {
        let headers = [("X-API-Key", self.office_key.as_str())];
        let path = format!("/api/v1/customer/dealer/{DEALER}/endpoints");
        let endpoint = json!({
            "url": "https://bengkel.invalid/kejadian/dari/layanan-pelanggan?bengkel=0009999",
            "events": ["message.read", "reply.received"], "note": "Sistem bengkel <uji>"
        });
        let service = &self.service;
        let made = service.send(Method::POST, &path, Some(&endpoint), &headers);
        let made = made.await.expect("the service answers");
        assert_eq!(made.status, 201);
        let id = made.json()["data"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let test = format!("{path}/{id}/test");
        let tested = service.send(Method::POST, &test, None, &headers).await;
        assert_eq!(tested.expect("the service answers").status, 202);
        id
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.service.port())
    }

    /// A tab whose faults are noted, of somebody who reads Indonesian.
    pub(crate) async fn tab(&self) -> Page {
        let page = self.browser.tab().await;
        let watch = json!({ "source": WATCH });
        page.command("Page.addScriptToEvaluateOnNewDocument", watch)
            .await;
        page.command("Network.enable", json!({})).await;
        let headers = json!({ "headers": { "Accept-Language": "id" } });
        page.command("Network.setExtraHTTPHeaders", headers).await;
        page
    }

    /// A tab of whoever has this key, logged in at the form.
    pub(crate) async fn logged_in(&self, key: &str) -> Page {
        let page = self.tab().await;
        page.go(&self.at("/console")).await;
        assert!(
            path(&page).await.starts_with("/console/login"),
            "{}",
            path(&page).await
        );
        fill(&page, "#key", &format!("  {key}\n")).await;
        click(&page, "main form button").await;
        assert_eq!(path(&page).await, "/console");
        page.go(&self.at("/console/messages")).await;
        page
    }
}

pub(crate) async fn path(page: &Page) -> String {
    let path = page.run("location.pathname + location.search").await;
    path.as_str().unwrap_or_default().to_owned()
}

pub(crate) async fn fill(page: &Page, selector: &str, text: &str) {
    let script = format!(
        "document.querySelector({}).value = {}; null",
        json!(selector),
        json!(text)
    );
    page.run(&script).await;
}

/// Clicks what leads to another page, and waits for that.
pub(crate) async fn click(page: &Page, selector: &str) {
    let loaded = page.next("Page.loadEventFired");
    let script = format!("document.querySelector({}).click(); null", json!(selector));
    page.run(&script).await;
    loaded.await;
}

pub(crate) async fn has(page: &Page, words: &str) -> bool {
    page.text().await.contains(words)
}

/// Numbers that are broken into two lines.
const BROKEN: &str = r"(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const broken = [];
    while (texts.nextNode()) {
        const all = texts.currentNode.data, text = all.trim();
        if (!/^[\d.,]{1,12}$/.test(text)) continue;
        const range = document.createRange(), from = all.indexOf(text);
        range.setStart(texts.currentNode, from);
        range.setEnd(texts.currentNode, from + text.length);
        if (range.getClientRects().length > 1) broken.push(text);
    }
    return broken;
})()";

/// Nothing that the browser complains of, nothing beyond its edge, and no number in two lines.
pub(crate) async fn is_well(page: &Page, what: &str) {
    let faults = page.run("window.faults").await;
    assert_eq!(faults, json!([]), "{what}");
    let beyond = page
        .run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        .await;
    assert_eq!(beyond, 0, "{what} is wider than its window");
    assert_eq!(page.run(BROKEN).await, json!([]), "{what}");
}

/// Nothing that keeps people with a screen reader or a keyboard out.
pub(crate) async fn is_accessible(page: &Page, what: &str) {
    page.run(&format!("{AXE}; null")).await;
    let script = "axe.run(document, {resultTypes: ['violations']}).then(found => \
        found.violations.map(v => [v.id, v.nodes.map(n => n.html + ' ' + n.failureSummary)]))";
    let found = page.run(script).await;
    assert_eq!(found, json!([]), "{what}");
}

/// Leaves a picture of the whole page under `target/console/`, for people to look at. Nothing is decided by it.
pub(crate) async fn picture(page: &Page, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/console");
    let Some(picture) = page.whole_picture().await else {
        eprintln!("{name}: the browser draws no picture");
        return;
    };
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join(format!("{name}.png")), picture).expect("it can be written");
}

pub(crate) async fn width(page: &Page, width: u32) {
    let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
    page.command("Emulation.setDeviceMetricsOverride", metrics)
        .await;
    let hidden = json!({ "hidden": true });
    page.command("Emulation.setScrollbarsHidden", hidden).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_finds_three_messages_and_sends_them_again() {
    let scene = Scene::begin(5).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    assert!(
        has(&page, "Bengkel Demo · 0009999").await,
        "{}",
        page.text().await
    );
    let rows = page
        .run("document.querySelectorAll('tbody tr').length")
        .await;
    assert_eq!(rows, 5, "of the other dealer nothing");
    // Scripts only add to it: the buttons wait for a choice, and count.
    let button = "document.querySelector('button[data-count]')";
    assert_eq!(page.run(&format!("{button}.disabled")).await, true);
    page.run("[...document.querySelectorAll('input[name=id]')].slice(0, 3).forEach(box => box.click()); null")
        .await;
    assert_eq!(
        page.run(&format!("{button}.textContent")).await,
        "Kirim ulang 3 pesan"
    );
    is_well(&page, "the list").await;
    click(&page, "button[data-count]").await;
    assert!(has(&page, "Kirim ulang pesan?").await);
    click(&page, "main form .primary").await;
    assert!(
        has(&page, "3 pesan masuk antrean lagi.").await,
        "{}",
        page.text().await
    );
    let sent =
        "SELECT count(*) FROM customer.message WHERE state = 'SENT' AND dealer_id = '0009999'";
    eventually("they were sent again", async || {
        (scene.story.count(sent).await == 8).then_some(())
    })
    .await;
    // One of them tells who did it.
    page.go(&scene.at(&format!("/console/messages/{}", scene.requests[4])))
        .await;
    assert!(
        has(&page, "Bengkel Demo mengirim ulang").await,
        "{}",
        page.text().await
    );
    is_well(&page, "a message").await;
    // Whoever clicks twice sends once.
    let loaded = page.next("Page.loadEventFired");
    page.run("const resend = document.querySelector(\"form[action$='/resend'] button\"); resend.click(); resend.click(); null")
        .await;
    loaded.await;
    assert!(has(&page, "Pesan masuk antrean lagi.").await);
    let all = "SELECT count(*) FROM customer.message WHERE dealer_id = '0009999'";
    assert_eq!(scene.story.count(all).await, 9);
    click(&page, "form[action='/console/logout'] button").await;
    page.go(&scene.at("/console/messages")).await;
    assert!(path(&page).await.starts_with("/console/login?next="));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_without_scripts() {
    let scene = Scene::begin(2).await;
    let page = scene.tab().await;
    page.command(
        "Emulation.setScriptExecutionDisabled",
        json!({ "value": true }),
    )
    .await;
    page.go(&scene.at("/console/login")).await;
    // What the protocol runs is no script of the page.
    fill(&page, "#key", &scene.dealer_key).await;
    click(&page, "main form button").await;
    assert!(has(&page, "Hari ini").await, "{}", page.text().await);
    click(&page, "nav a[href='/console/messages']").await;
    assert!(
        has(&page, "2 pesan ditemukan").await,
        "{}",
        page.text().await
    );
    page.run("document.querySelector('input[name=id]').click(); null")
        .await;
    click(&page, "button[formaction='/console/messages/cancel']").await;
    assert!(has(&page, "Tidak satu pun").await, "{}", page.text().await);
    click(&page, "main a.button").await;
    click(&page, "tbody th a").await;
    assert!(has(&page, "Diterima Fonnte").await);
    page.run("document.querySelector('details.menu').open = true; null")
        .await;
    click(&page, "button[name=language][value=en]").await;
    assert!(
        has(&page, "Accepted by Fonnte").await,
        "{}",
        page.text().await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_on_every_copy_with_its_key() {
    let scene = Scene::begin(1).await;
    let second = scene.story.serve();
    let page = scene.logged_in(&scene.dealer_key).await;
    let elsewhere = format!("http://localhost:{}/console/messages", second.port());
    page.go(&elsewhere).await;
    assert!(
        has(&page, "1 pesan ditemukan").await,
        "{}",
        page.text().await
    );
    let id = &scene.dealer_key[4..20];
    let revoked = output(&["api-key", "revoke", id], &scene.story.settings());
    assert!(revoked.status.success());
    let since = Instant::now();
    for address in [&scene.at("/console/messages"), &elsewhere] {
        eventually("the session is over", async || {
            page.go(address).await;
            path(&page)
                .await
                .starts_with("/console/login")
                .then_some(())
        })
        .await;
    }
    let took = since.elapsed();
    assert!(took < REVOKED_WITHIN + Duration::from_secs(3), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_a_foreign_page_changes_nothing() {
    let scene = Scene::begin(1).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    // The same machine under another name is another site to a browser; it sends no cookie, and says so.
    let request = &scene.requests[0];
    page.go(&format!(
        "http://127.0.0.1:{}/api/v1/health",
        scene.service.port()
    ))
    .await;
    let loaded = page.next("Page.loadEventFired");
    page.run(&format!(
        "document.body.innerHTML = '<form method=post action={}></form>'; document.forms[0].submit(); null",
        json!(scene.at(&format!("/console/messages/{request}/resend")))
    ))
    .await;
    loaded.await;
    assert!(
        has(&page, "Formulir ditolak").await,
        "{}",
        page.text().await
    );
    assert_eq!(
        scene
            .story
            .count("SELECT count(*) FROM customer.message")
            .await,
        2
    );
}

/// Pages with a name for their pictures.
fn pages(scene: &Scene, endpoint: &str) -> Vec<(&'static str, String)> {
    let request = scene.requests.last().expect("there are some");
    [
        ("today", "/console".to_owned()),
        ("analytics", "/console/analytics".to_owned()),
        (
            "analytics-past",
            "/console/analytics?date_from=2019-12-01&date_to=2020-01-31".to_owned(),
        ),
        ("messages", "/console/messages".to_owned()),
        ("messages-found", "/console/messages?q=D+123".to_owned()),
        ("messages-none", "/console/messages?q=nobody".to_owned()),
        (
            "messages-faulty",
            "/console/messages?q=ab&date_from=x".to_owned(),
        ),
        ("message", format!("/console/messages/{request}")),
        ("replies", format!("/console/replies?dealer_id={DEALER}")),
        ("replies-choose", "/console/replies".to_owned()),
        ("opt-outs", format!("/console/opt-outs?dealer_id={DEALER}")),
        ("dealers", "/console/dealers".to_owned()),
        ("dealer", format!("/console/dealers/{DEALER}")),
        ("templates", "/console/templates".to_owned()),
        ("template-new", "/console/templates?new=yes".to_owned()),
        (
            "template",
            format!("/console/templates/validation?dealer_id={DEALER}"),
        ),
        ("import", "/console/import".to_owned()),
        ("endpoints", "/console/endpoints".to_owned()),
        (
            "endpoints-of-dealer",
            format!("/console/endpoints?dealer_id={DEALER}"),
        ),
        (
            "endpoint",
            format!("/console/endpoints/{endpoint}?dealer_id={DEALER}"),
        ),
        ("keys", "/console/keys".to_owned()),
        ("audit", "/console/audit".to_owned()),
        ("system", "/console/system".to_owned()),
        ("not-found", "/console/nothing".to_owned()),
        ("login", "/console/login".to_owned()),
    ]
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_well_in_both_languages_and_themes_at_every_width() {
    let scene = Scene::begin(30).await;
    let set = |status: &str, n: usize| {
        let request = &scene.requests[n];
        format!(
            "UPDATE customer.customer_validation_request SET whatsapp_status = '{status}' \
             WHERE id = '{request}';"
        )
    };
    let states = ["READ", "DELIVERED", "FAILED", "ERROR", "NOT_SENT", "READ"];
    let statements: String = (20..)
        .zip(states)
        .map(|(n, status)| set(status, n))
        .collect();
    // Words of a long time are wider than those of a short one.
    let long_ago = "UPDATE customer.lane SET blocked_since = now() - interval '29 days' \
        WHERE blocked_since IS NOT NULL;";
    scene.story.execute_all(&(statements + long_ago)).await;
    let said = [
        (30, "Terima kasih, motornya sudah saya ambil. 🙏"),
        (29, "Stop"),
        (
            28,
            "Apakah bisa dijemput besok jam 10? Saya di Jl. Merdeka 17, hubungi 0812 3456 7890 saja.",
        ),
    ];
    scene.customers_write(&said).await;
    let endpoint = scene.add_endpoint().await;
    let stranger = scene.tab().await;
    let office = scene.logged_in(&scene.office_key).await;
    for (language, theme) in [
        ("id", "light"),
        ("id", "dark"),
        ("en", "light"),
        ("en", "dark"),
    ] {
        for page in [&office, &stranger] {
            for (name, value) in [("console_language", language), ("console_theme", theme)] {
                let cookie = json!({ "name": name, "value": value, "url": scene.at("/console") });
                page.command("Network.setCookie", cookie).await;
            }
        }
        for (name, address) in pages(&scene, &endpoint) {
            let page = if name == "login" { &stranger } else { &office };
            if name == "login" {
                page.command(
                    "Network.deleteCookies",
                    json!({
                        "name": "console_session", "url": scene.at("/console")
                    }),
                )
                .await;
            }
            for wide in [1440, 768, 360] {
                width(page, wide).await;
                page.go(&scene.at(&address)).await;
                let what = format!("{name}-{language}-{theme}-{wide}");
                is_well(page, &what).await;
                picture(page, &what).await;
                if wide != 768 {
                    is_accessible(page, &what).await;
                }
            }
        }
        // The log-in of the other tab took the session of both.
        let key = &scene.office_key;
        office.go(&scene.at("/console/login")).await;
        fill(&office, "#key", key).await;
        click(&office, "main form button").await;
    }
}

/// Where the focus is, as a person would name it.
const FOCUS: &str = "(e => e.tagName + ' ' + (e.getAttribute('aria-label') || e.name || e.textContent.trim().slice(0, 20)))(document.activeElement)";

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_reaches_everything_in_its_order() {
    let scene = Scene::begin(2).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    let mut met: Vec<Value> = Vec::new();
    for _ in 0..40 {
        for kind in ["keyDown", "keyUp"] {
            let tab =
                json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            page.command("Input.dispatchKeyEvent", tab).await;
        }
        let focus = page.run(FOCUS).await;
        if focus
            .as_str()
            .is_some_and(|focus| focus.starts_with("BODY"))
        {
            break;
        }
        met.push(focus);
    }
    let met: Vec<&str> = met.iter().filter_map(Value::as_str).collect();
    assert!(met[0].starts_with("A Langsung ke isi"), "{met:?}");
    let place = |begin: &str| met.iter().position(|one| one.starts_with(begin));
    let order = [
        "A Pesan",
        "INPUT q",
        "SELECT whatsapp_status",
        "BUTTON Cari",
        "INPUT Pilih",
        "A D 123",
    ];
    let places: Vec<_> = order.iter().map(|begin| place(begin)).collect();
    assert!(places.iter().all(Option::is_some), "{met:?}");
    assert!(places.is_sorted(), "{met:?}");
}

#[test]
fn what_is_vendored_is_what_its_readme_says() {
    let readme = include_str!("../../vendor/axe-core/README.md");
    assert!(
        readme.contains(&hex::encode(Sha256::digest(AXE))),
        "{readme}"
    );
    assert!(AXE.starts_with("/*! axe v4.10.3"), "{}", &AXE[..60]);
    let licence = include_str!("../../vendor/axe-core/LICENSE");
    assert!(licence.starts_with("Mozilla Public License, version 2.0"));
}
