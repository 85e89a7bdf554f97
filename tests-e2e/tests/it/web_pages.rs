//! A page of somebody else in a browser on the same machine, while no keys are asked for.

use serde_json::{Value, json};
use tests_e2e::{Browser, Page, Service, Story, eventually, submission};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const KEYS: &str = "/api/v1/admin/api-keys";
const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// What a page gets that wants to become admin.
const ORDER: &str = r#"{"name":"page","scopes":["admin"]}"#;

/// Serves an empty page to everybody, and returns its port.
async fn page_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 8_192];
                let _ = connection.read(&mut head).await;
                let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\nConnection: close\r\n\r\n<!doctype html><p>page";
                let _ = connection.write_all(page.as_bytes()).await;
            });
        }
    });
    port
}

fn at(service: &Service, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", service.port())
}

/// The status and text that a script gets; null where its browser shows it nothing.
async fn fetch(page: &Page, url: &str, init: Value) -> Value {
    let script = format!(
        "fetch({}, {init}).then(async r => r.type === 'opaque' ? null : [r.status, await r.text()], () => null)",
        json!(url)
    );
    page.run(&script).await
}

/// How many calls of that kind had this answer.
async fn answers(service: &Service, route: &str, status: u16) -> f64 {
    let series = format!(
        "customer_service_http_requests_total{{method=\"POST\",route=\"{route}\",status=\"{status}\"}} "
    );
    let text = service.get("/metrics").await.expect("an answer").text;
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.map_or(0.0, |count| count.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_page_changes_nothing_and_a_listed_one_may() {
    let story = Story::begin().await;
    let service = story.serve();
    let (strangers, listeds) = (page_server().await, page_server().await);
    let listed = format!("http://127.0.0.1:{listeds},http://localhost:{listeds}");
    let story = story.with("ALLOWED_ORIGINS", &listed);
    let service_that_lists = story.serve();
    let browser = Browser::start(&[]).await;

    // Of the same site and of another one.
    for host in ["127.0.0.1", "localhost"] {
        let page = browser.open(&format!("http://{host}:{strangers}/")).await;
        let (keys, submit) = (at(&service, KEYS), at(&service, SUBMIT));
        for (url, body) in [
            (&keys, ORDER.to_owned()),
            (&submit, submission(1).to_string()),
        ] {
            let text = json!(body);
            // None of these asks with a preflight first.
            page.run(&format!(
                "(async () => {{
                    const send = init => fetch({url}, {{method: 'POST', ...init}}).catch(() => null);
                    await send({{body: {text}}});
                    await send({{body: {text}, mode: 'no-cors', credentials: 'include'}});
                    await send({{body: new Blob([{text}])}});
                    navigator.sendBeacon({url}, new Blob([{text}]));
                    const form = document.createElement('form');
                    Object.assign(form, {{action: {url}, method: 'post', enctype: 'text/plain', target: {url}}});
                    const input = document.createElement('input');
                    Object.assign(input, {{name: {text}.slice(0, -1) + ',\"x\":\"', value: '\"}}'}});
                    const frame = document.createElement('iframe');
                    frame.name = {url};
                    form.append(input);
                    document.body.append(frame, form);
                    await new Promise(answered => {{ frame.onload = answered; form.submit(); }});
                }})()",
                url = json!(url)
            ))
            .await;
        }
        let json = json!({ "Content-Type": "application/json" });
        let asked = json!({ "method": "POST", "headers": json, "body": ORDER });
        assert_eq!(fetch(&page, &keys, asked).await, Value::Null);
        let read = fetch(&page, &at(&service, "/api/v1/admin/dealers"), json!({})).await;
        assert_eq!(read, Value::Null);
    }
    for route in [KEYS, SUBMIT] {
        eventually(&format!("all calls to {route} came"), async || {
            (answers(&service, route, 403).await >= 10.0).then_some(())
        })
        .await;
    }
    assert_eq!(
        story.count("SELECT count(*) FROM customer.api_key").await,
        0
    );
    let requests = "SELECT count(*) FROM customer.customer_validation_request";
    assert_eq!(story.count(requests).await, 0);

    for host in ["127.0.0.1", "localhost"] {
        let page = browser.open(&format!("http://{host}:{listeds}/")).await;
        let headers = json!({ "Content-Type": "application/json", "Idempotency-Key": host });
        let body = submission(2).to_string();
        let init = json!({ "method": "POST", "headers": headers, "body": body });
        let stored = fetch(&page, &at(&service_that_lists, SUBMIT), init).await;
        assert_eq!(stored[0], 200, "{host}: {stored}");
    }
    assert_eq!(story.count(requests).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_resolves_to_this_machine_is_answered_nothing() {
    let story = Story::begin().await;
    let service = story.serve();
    story.submit(&service, 1).await;
    let browser = Browser::start(&["--host-resolver-rules=MAP evil.test 127.0.0.1"]).await;

    // To the browser the service is now a part of the stranger's site.
    let page = browser
        .open(&format!("http://evil.test:{}/", service.port()))
        .await;
    for (path, init) in [
        ("/api/v1/customer/dealer/0009999/requests", json!({})),
        ("/api/v1/admin/dealers", json!({})),
        ("/api/v1/%61dmin/audit", json!({})),
        ("/metrics", json!({})),
        (KEYS, json!({ "method": "POST", "body": ORDER })),
        (
            SUBMIT,
            json!({ "method": "POST", "body": submission(2).to_string() }),
        ),
    ] {
        let answer = fetch(&page, path, init).await;
        assert_eq!(answer[0], 403, "{path}: {answer}");
        let text = answer[1].as_str().expect("a text");
        assert!(text.contains("\"ForeignHost\""), "{path}: {text}");
    }
    assert_eq!(
        story.count("SELECT count(*) FROM customer.api_key").await,
        0
    );

    // The service's own page goes on.
    for host in ["127.0.0.1", "localhost"] {
        let page = browser
            .open(&format!("http://{host}:{}/docs", service.port()))
            .await;
        let headers = json!({ "Content-Type": "application/json" });
        let order = json!({ "method": "POST", "headers": headers, "body": ORDER });
        let made = fetch(&page, KEYS, order).await;
        assert_eq!(made[0], 201, "{host}: {made}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_drawn_under_its_own_policy() {
    let story = Story::begin().await;
    let service = story.serve();
    let browser = Browser::start(&["--window-size=1280,900"]).await;
    let page = browser.open(&at(&service, "/docs")).await;
    eventually("every operation is drawn", async || {
        let drawn = page.run("document.querySelectorAll('.opblock').length");
        (drawn.await.as_u64() >= Some(20)).then_some(())
    })
    .await;
    assert!(page.text().await.contains("customer-service"));
    let picture = page.picture().await;
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000);

    // Within a page of somebody else it is not.
    let page = browser
        .open(&format!("http://127.0.0.1:{}/", page_server().await))
        .await;
    let framed = format!(
        "new Promise(done => {{
            const frame = document.createElement('iframe');
            frame.onload = () => done(frame.contentWindow.length);
            frame.src = {};
            document.body.append(frame);
        }})",
        json!(at(&service, "/docs"))
    );
    page.run(&framed).await;
    let tree = page.command("Page.getFrameTree", json!({})).await;
    let frame = &tree["frameTree"]["childFrames"][0]["frame"];
    let shown = frame["unreachableUrl"].as_str().unwrap_or_default();
    assert!(shown.ends_with("/docs"), "{frame}");
}
