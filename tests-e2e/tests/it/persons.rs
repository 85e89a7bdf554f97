//! What is nobody's business is nowhere: not in the logs, not in the answers, not in a dump.

use std::process::Command;

use fonnte_simulator::{Fault, LifeCycle, Stage};
use local_postgres::Programs;
use reqwest::Method;
use serde_json::{Value, json};
use store_postgres::testing::TestDatabase;
use tests_e2e::{DEALER, Database, KEY, Reply, Service, Story, eventually, output};

const SUBMIT: &str = "/api/v1/customer/validate-customer";
const SETTINGS: &str = "/api/v1/admin/dealers/0009999/settings";

/// 32 bytes that seal nothing but this story.
const SECRETS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

const WEBHOOK_SECRET: &str = "webhook-secret-of-the-story";

const NAME: &str = "Zulkarnain Wirabuana";
const PLATE: &str = "D 7713 ZWB";

/// The digits that every spelling of the phone has.
const SUBSCRIBER: &str = "81377712345";

/// A caller with a key, who keeps every answer.
struct Office<'a> {
    service: &'a Service,
    key: String,
    answers: Vec<(String, Reply)>,
}

impl Office<'_> {
    async fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let key = self.key.clone();
        self.call_with(method, path, body, &[("X-API-Key", &key)])
            .await
    }

    async fn call_with(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let what = format!("{method} {path}");
        let reply = self.service.send(method, path, body, headers);
        let reply = reply.await.expect("the service answers");
        self.answers.push((what, reply.clone()));
        reply
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Posts a submission, and returns its path.
    async fn submit(&mut self, phone: &str) -> String {
        let reply = self.post(SUBMIT, &submission(phone)).await;
        assert_eq!(reply.json()["status"], 1, "{}", reply.text);
        reply.header("location").expect("it says where").to_owned()
    }

    async fn shows(&mut self, path: &str, status: &str) {
        let key = self.key.clone();
        let service = self.service;
        eventually(&format!("{path} is {status}"), async || {
            let headers = [("X-API-Key", key.as_str())];
            let reply = service.send(Method::GET, path, None, &headers).await.ok()?;
            (reply.json()["data"]["whatsapp_status"] == status).then_some(())
        })
        .await;
    }
}

fn submission(phone: &str) -> Value {
    json!({
        "namaPembawa": NAME,
        "noTelp": phone,
        "tipeUnit": "BeAT Street",
        "noPol": PLATE,
        "createdTime": "31/12/2019 15:40:50",
        "modifiedTime": "31/12/2019 15:40:50",
        "dealerId": DEALER,
    })
}

/// The whole database as text.
fn dump(story: &Story) -> String {
    let programs = Programs::find().expect("server programs");
    let output = Command::new(programs.dir().join("pg_dump"))
        .args(["--dbname", story.database.url()])
        .output()
        .expect("pg_dump can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("COPY customer.message"));
    text
}

/// A text without what may stand between the digits of a phone.
fn bare(text: &str) -> String {
    text.replace([' ', '-', '.', '(', ')'], "")
}

fn assert_without(text: &str, parts: &[&str], what: &str) {
    for part in parts {
        if let Some(at) = text.find(part) {
            let line = text[..at].rfind('\n').map_or(0, |start| start + 1);
            panic!(
                "{what} contains {part}: {}",
                text[line..].lines().next().unwrap_or_default()
            );
        }
    }
}

async fn story() -> Story {
    let database = Database::Shared(TestDatabase::migrated().await);
    let story = Story::without_dealers(database)
        .await
        .with("SECRETS_KEY", SECRETS_KEY)
        .with("API_AUTH", "required")
        .with("LOG_LEVEL", "TRACE");
    story.add_dealer(DEALER, None).await;
    story
}

fn office_key(story: &Story) -> String {
    let name = "Kantor, HP 0813-7771-2345";
    let arguments = ["api-key", "create", "--name", name, "--scope", "admin"];
    let made = output(&arguments, &story.settings());
    assert!(made.status.success());
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

/// Sets the dealer's secrets and has the simulator report.
async fn settle_in(story: &Story, office: &mut Office<'_>) {
    let secrets = json!({"fonnte_api_key": KEY, "webhook_secret": WEBHOOK_SECRET});
    let set = office.call(Method::PATCH, SETTINGS, Some(&secrets)).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let urls = set.json()["data"]["webhooks"].clone();
    story
        .simulator
        .update(KEY, |switches| {
            switches.webhooks.status_url = urls["status"].as_str().map(str::to_owned);
            switches.webhooks.connect_url = urls["device"].as_str().map(str::to_owned);
            switches.webhooks.secret = Some(WEBHOOK_SECRET.to_owned());
            switches.life_cycle = LifeCycle::until(Stage::Read).every(20);
        })
        .expect("the device is there");
}

/// Everything that can be done, well and badly.
async fn full_run(story: &Story, office: &mut Office<'_>) {
    let mut paths = Vec::new();
    for phone in ["081377712345", "+62 813-7771-2345", "6281377712345"] {
        let path = office.submit(phone).await;
        office.shows(&path, "READ").await;
        paths.push(path);
    }
    let refused = format!("target 62{SUBSCRIBER} ({NAME}, {PLATE}) invalid");
    let blocked = format!("invalid token for +62 813-7771-2345 ({NAME})");
    for (fault, ends) in [
        (Fault::Reason { text: refused }, "FAILED"),
        (Fault::Reason { text: blocked }, "READ"),
        (Fault::html(), "READ"),
        (Fault::Drop { queued: true }, "READ"),
    ] {
        let faults = vec![fault.once()];
        let update = story
            .simulator
            .update(KEY, |switches| switches.faults = faults);
        update.expect("the device is there");
        let path = office.submit("081377712345").await;
        office.shows(&path, ends).await;
        paths.push(path);
    }
    let key = office.key.clone();
    let headers = [
        ("X-API-Key", key.as_str()),
        ("Idempotency-Key", "once-0813-7771-2345"),
        ("X-Request-Id", "job-0813-7771-2345"),
    ];
    for _ in 0..2 {
        let body = submission("081377712345");
        office
            .call_with(Method::POST, SUBMIT, Some(&body), &headers)
            .await;
    }
    let mut later = submission("081377712345");
    later["sendAt"] = json!((chrono::Utc::now() + chrono::TimeDelta::days(2)).to_rfc3339());
    let later = office.post(SUBMIT, &later).await;
    paths.push(later.header("location").expect("it is stored").to_owned());
    // Refused in every way that quotes what was sent.
    for (field, value) in [
        ("noTelp", "0813777123450000"),
        ("createdTime", NAME),
        ("dealerId", "0000001"),
    ] {
        let mut body = submission("081377712345");
        body[field] = json!(value);
        office.post(SUBMIT, &body).await;
    }
    office
        .post(SUBMIT, &json!(format!("{NAME} 0{SUBSCRIBER}")))
        .await;
    for path in [
        format!("/api/v1/customer/request/0{SUBSCRIBER}"),
        format!(
            "/nothing/0{SUBSCRIBER}?phone=0{SUBSCRIBER}&name={}",
            NAME.replace(' ', "%20")
        ),
        format!("/api/v1/customer/dealer/{DEALER}/requests?page_size=100&q=0{SUBSCRIBER}"),
        format!("/api/v1/customer/dealer/{DEALER}/stats?date_from=0{SUBSCRIBER}"),
        format!("/api/v1/customer/dealer/{DEALER}/stats"),
        "/api/v1/admin/dealers".to_owned(),
        "/api/v1/admin/api-keys".to_owned(),
        "/api/v1/health/detailed".to_owned(),
        "/metrics".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        office.get(&path).await;
    }
    let body = submission("081377712345");
    for wrong in [KEY, "csk_0123456789abcdef_0", WEBHOOK_SECRET] {
        let headers = [("X-API-Key", wrong)];
        office
            .call_with(Method::POST, SUBMIT, Some(&body), &headers)
            .await;
    }
    let test = format!("/api/v1/customer/dealer/{DEALER}/test-whatsapp");
    office
        .post(&test, &json!({"target": "0813 7771 2345"}))
        .await;
    office.call(Method::POST, &test, None).await;
    let resend = format!("{}/resend", paths[0]);
    let headers = [
        ("X-API-Key", key.as_str()),
        ("X-Request-Id", "resend_6281377712345"),
    ];
    let resent = office.call_with(Method::POST, &resend, None, &headers);
    assert_eq!(resent.await.status, 202);
    office.shows(&paths[0], "READ").await;
    for path in &paths {
        office.get(&format!("{path}/messages")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_answer_or_dump_tells_secrets_or_persons() {
    let story = story().await;
    let key = office_key(&story);
    let service = story.serve();
    let mut office = Office {
        service: &service,
        key: key.clone(),
        answers: Vec::new(),
    };
    eventually("the copy is ready", async || {
        let reply = service.get("/api/v1/health/ready").await.ok()?;
        (reply.status == 200).then_some(())
    })
    .await;
    settle_in(&story, &mut office).await;
    full_run(&story, &mut office).await;

    let export = office
        .post("/api/v1/admin/export", &json!({"phone": "081377712345"}))
        .await;
    let items = export.json()["data"]["items"]
        .as_array()
        .map_or(0, Vec::len);
    assert_eq!(items, 9, "{}", export.text);
    let words = "SELECT count(*) FROM customer.message WHERE reason LIKE '%[nomor]%'
        AND concat(reason, attempts::text) !~ '7771'";
    assert_eq!(story.count(words).await, 1);
    let secrets = [KEY, key.as_str(), WEBHOOK_SECRET, SECRETS_KEY];
    let before = dump(&story);
    assert!(
        before.contains(NAME) && before.contains(SUBSCRIBER),
        "the dump is one"
    );
    assert_without(&before, &secrets, "the dump");

    let stats = format!("/api/v1/customer/dealer/{DEALER}/stats");
    let total = office.get(&stats).await.json()["data"]["total_requests"].clone();
    let erasure = json!({"phone": "+62 813-7771-2345"});
    let erased = office.post("/api/v1/admin/erasure", &erasure).await;
    assert_eq!(erased.json()["data"]["requests"], 9, "{}", erased.text);
    assert_eq!(
        office.get(&stats).await.json()["data"]["total_requests"],
        total
    );
    office.get("/api/v1/admin/audit?page_size=100").await;
    let after = dump(&story);
    assert_without(&after, &secrets, "the dump after the erasure");
    assert_without(
        &after,
        &[NAME, "Zulkarnain", "Wirabuana", PLATE, "D7713ZWB"],
        "the dump after the erasure",
    );
    assert_without(&bare(&after), &[SUBSCRIBER], "the dump after the erasure");

    let answers = std::mem::take(&mut office.answers);
    assert!(answers.len() > 40, "{}", answers.len());
    for (what, reply) in &answers {
        let headers = format!("{:?}", reply.headers);
        // Where a caller sends a secret as something else, it is told back only to that caller.
        assert_without(&reply.text, &secrets, what);
        assert_without(&headers, &secrets, what);
        assert_without(&bare(&headers), &[SUBSCRIBER], what);
        if reply.status < 300 && (what.contains("/admin/audit") || what.contains("/metrics")) {
            assert_without(&bare(&reply.text), &[SUBSCRIBER], what);
            assert_without(&reply.text, &[NAME], what);
        }
    }
    let (status, log) = service.terminate().await;
    assert!(status.success());
    let log = log.join("\n");
    assert!(
        log.contains("person erased") && log.contains("0813*****345"),
        "{log}"
    );
    assert_without(&log, &secrets, "the log");
    assert_without(
        &log,
        &[NAME, "Zulkarnain", PLATE, "Terima kasih"],
        "the log",
    );
    assert_without(&bare(&log), &[SUBSCRIBER], "the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_personal_data_is_erased_and_young_is_not() {
    let story = Story::begin().await.with("RETENTION_DAYS", "30");
    let service = story.serve();
    let (old, young) = (
        story.submit(&service, 1).await,
        story.submit(&service, 2).await,
    );
    for path in [&old, &young] {
        story.status(&service, path, "SENT").await;
    }
    service.terminate().await;
    let id = old.rsplit('/').next().expect("a path");
    for statement in [
        "UPDATE customer.message SET created_at = created_at - INTERVAL '31 days',
            sent_at = sent_at - INTERVAL '31 days' WHERE request_id = $1::text::uuid",
        "UPDATE customer.customer_validation_request SET
            last_modified_date = last_modified_date - INTERVAL '31 days'
            WHERE id = $1::text::uuid",
    ] {
        assert_eq!(story.execute(statement, &[&id]).await, 1);
    }
    let service = story.serve();
    let item = eventually("the old one is erased", async || {
        let reply = service.get(&old).await.ok()?;
        let item = reply.json()["data"].clone();
        (item["no_telp"] == "[dihapus]").then_some(item)
    })
    .await;
    assert_eq!(item["whatsapp_status"], "SENT");
    eventually("the pass is over", async || {
        let log = service.log().join("\n");
        log.contains("looked for old personal data").then_some(())
    })
    .await;
    let kept = service.get(&young).await.expect("an answer").json();
    assert_eq!(kept["data"]["no_telp"], "081200000002");
}
