//! Pages of the console with many rows, and what open pages cost.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Plan;
use super::fill::{LARGE_DEALER, Rows, fill_until, id_of_text};
use super::process::Copy;
use super::report::{Bound, Must, Report, Row};
use super::reports::{messages_since, until_added_up};
use super::stage::Stage;
use super::statistics::{Latencies, Spread, micros, number};
use super::usage::Usage;
use crate::submission_of;

const DATABASE: &str = "pages";

/// An endpoint has a secret.
const SECRETS_KEY: (&str, &str) = (
    "SECRETS_KEY",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
);

/// As many as head office has.
const DEALERS: u32 = 300;

/// How often each page is asked for; the 95th percentile counts.
const TIMES: usize = 40;

/// What a page may take on the server, in milliseconds.
const PAGE_MS: f64 = 100.0;

/// How many pages are open, and whose: a key has a bound of its own.
const OPEN_PAGES: usize = 200;
const KEYS: usize = 10;

/// What they may cost, in per cent of a processor.
const OPEN_PAGES_PERCENT: f64 = 5.0;

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    stage.progress.say(format!("pages: {} rows", plan.rows));
    stage.installation(DATABASE, DEALERS).await?;
    let rows = Rows {
        count: plan.rows,
        others: DEALERS - 1,
        until: "localtimestamp",
    };
    fill_until(stage, DATABASE, &rows).await?;
    stage
        .execute(DATABASE, &messages_since("current_date - 30"))
        .await?;
    stage.execute(DATABASE, BESIDE).await?;
    stage.execute(DATABASE, "VACUUM (ANALYZE)").await?;
    let copy = stage.serve(DATABASE, &[SECRETS_KEY]).await?;
    until_added_up(stage, DATABASE).await?;
    let endpoint = make_endpoint(&copy).await?;
    for (name, path) in pages(plan.rows, &endpoint) {
        let times = times(&copy, &path).await?;
        let time = Spread::of(&[times.percentile_ms(95)]);
        report.rows.push(Row {
            name: format!(
                "page, {name}, {} rows, 95th percentile",
                number(plan.rows.into())
            ),
            unit: "ms",
            service: time,
            must: Must::new("time", time, Bound::AtMost(PAGE_MS)),
            ..Row::default()
        });
    }
    let cost = open_pages(stage, plan, &copy).await?;
    report.rows.push(Row {
        name: format!("{OPEN_PAGES} open pages with live updates, service and PostgreSQL"),
        unit: "% of a processor",
        service: cost,
        must: Must::new("cost", cost, Bound::AtMost(OPEN_PAGES_PERCENT)),
        ..Row::default()
    });
    stage.note_memory(&copy);
    Ok(())
}

/// What has come in and been done in the same year: 100,000 replies, 20,000 opt-outs, 100,000 lines
/// of the audit.
const BESIDE: &str = "
INSERT INTO customer.reply (dealer_id, phone, name, text, request_id, print)
SELECT dealer_id, no_telp, nama_pembawa, 'Terima kasih', id, sha256(uuid_send(id))
FROM customer.customer_validation_request ORDER BY request_date DESC LIMIT 100000;
INSERT INTO customer.opt_out (dealer_id, phone, opted_out, origin)
SELECT dealer_id, no_telp, true, 'reply'
FROM customer.customer_validation_request ORDER BY request_date LIMIT 20000;
INSERT INTO customer.audit (at, actor, action, dealer_id, detail)
SELECT now() - n * interval '5 min', 'bench', 'dealer.settings', '1000001', '{}'
FROM generate_series(100000, 1, -1) n";

async fn make_endpoint(copy: &Copy) -> anyhow::Result<String> {
    let body = json!({ "url": "http://localhost:9/", "events": ["message.sent"] });
    let path = format!("/api/v1/customer/dealer/{LARGE_DEALER}/endpoints");
    let made = copy.client().post(&path, &body).await?;
    let id = made.json()["data"]["id"].as_str().map(str::to_owned);
    id.with_context(|| made.text.clone())
}

fn pages(rows: u32, endpoint: &str) -> Vec<(&'static str, String)> {
    let newest = id_of_text(rows);
    vec![
        ("today", "/console".to_owned()),
        (
            "today of the dealer with a quarter of all rows",
            format!("/console?dealer_id={LARGE_DEALER}"),
        ),
        ("messages", "/console/messages".to_owned()),
        (
            "messages of that dealer",
            format!("/console/messages?dealer_id={LARGE_DEALER}"),
        ),
        (
            "messages of that dealer in one state",
            format!("/console/messages?dealer_id={LARGE_DEALER}&whatsapp_status=READ"),
        ),
        (
            "messages of a plate",
            "/console/messages?q=D+1234+AD".to_owned(),
        ),
        (
            "messages of a phone",
            "/console/messages?q=081201000000".to_owned(),
        ),
        (
            "messages of a name that nobody has",
            "/console/messages?q=Nobody".to_owned(),
        ),
        ("one message", format!("/console/messages/{newest}")),
        ("replies", "/console/replies".to_owned()),
        ("opt-outs", "/console/opt-outs".to_owned()),
        ("dealers", "/console/dealers".to_owned()),
        ("one dealer", format!("/console/dealers/{LARGE_DEALER}")),
        ("templates", "/console/templates".to_owned()),
        ("one template", "/console/templates/validation".to_owned()),
        ("import", "/console/import".to_owned()),
        ("analytics", "/console/analytics".to_owned()),
        (
            "analytics of that dealer",
            format!("/console/analytics?dealer_id={LARGE_DEALER}"),
        ),
        ("endpoints", "/console/endpoints".to_owned()),
        ("one endpoint", format!("/console/endpoints/{endpoint}")),
        ("keys", "/console/keys".to_owned()),
        ("audit", "/console/audit".to_owned()),
        ("system", "/console/system".to_owned()),
    ]
}

async fn times(copy: &Copy, path: &str) -> anyhow::Result<Latencies> {
    let client = copy.client();
    let mut times = Vec::with_capacity(TIMES);
    // The first one connects.
    for round in 0..=TIMES {
        let began = Instant::now();
        let reply = client.get(path).await?;
        ensure!(
            reply.status == 200,
            "{path}: {} {}",
            reply.status,
            reply.text
        );
        if round > 0 {
            times.push(micros(began.elapsed()));
        }
    }
    Ok(Latencies::of(times))
}

/// What open pages cost while submissions come in, in per cent of a processor.
async fn open_pages(stage: &Stage, plan: &Plan, copy: &Copy) -> anyhow::Result<Option<Spread>> {
    stage.progress.say("pages: live updates");
    let mut keys = Vec::new();
    for n in 0..KEYS {
        let body = json!({ "name": format!("bench {n}"), "scopes": ["read", "write"] });
        let made = copy.client().post("/api/v1/admin/api-keys", &body).await?;
        let key = made.json()["data"]["key"].as_str().map(str::to_owned);
        keys.push(key.with_context(|| made.text.clone())?);
    }
    let copy = stage
        .serve(DATABASE, &[("API_AUTH", "required"), SECRETS_KEY])
        .await?;
    // The first seconds of a copy are dearer: nobody counts them.
    use_with(stage, plan, &copy, &keys, 0).await?;
    let quiet = use_with(stage, plan, &copy, &keys, 0).await?;
    let open = use_with(stage, plan, &copy, &keys, OPEN_PAGES).await?;
    let (Some(quiet), Some(open)) = (quiet, open) else {
        return Ok(None);
    };
    stage.progress.say(format!(
        "pages: {quiet:.2} % of a processor without open pages, {open:.2} % with them"
    ));
    Ok(Spread::of(&[open - quiet]))
}

/// Per cent of a processor with so many pages open.
async fn use_with(
    stage: &Stage,
    plan: &Plan,
    copy: &Copy,
    keys: &[String],
    pages: usize,
) -> anyhow::Result<Option<f64>> {
    let base = format!("http://{}", copy.address);
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut streams = JoinSet::new();
    for key in keys.iter().filter(|_| pages > 0) {
        let logged_in = http
            .post(format!("{base}/console/login"))
            .header("Origin", &base)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("key={key}"))
            .send()
            .await?;
        let cookie = logged_in.headers().get(SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookie.context("a session")?.to_owned();
        for _ in 0..pages / keys.len() {
            let stream = http.get(format!("{base}/console/live"));
            let mut stream = stream.header(COOKIE, &cookie).send().await?;
            ensure!(stream.status() == 200, "no stream: {}", stream.status());
            streams.spawn(async move { while let Ok(Some(_)) = stream.chunk().await {} });
        }
    }
    let seconds = plan.run * 4;
    let before = stage.usage(&[copy]);
    let began = Instant::now();
    let client = copy.client();
    let posting = async {
        let mut pace = tokio::time::interval(Duration::from_millis(200));
        let dealers: Vec<String> = (1..=DEALERS).map(|n| (1_000_000 + n).to_string()).collect();
        for dealer in dealers.iter().cycle() {
            pace.tick().await;
            let body = submission_of(dealer, 1);
            let key = format!("Bearer {}", keys[0]);
            let headers = [(AUTHORIZATION.as_str(), &*key)];
            let path = "/api/v1/customer/validate-customer";
            let stored = client
                .send(Method::POST, path, Some(&body), &headers)
                .await?;
            ensure!(stored.status == 200, "not stored: {}", stored.text);
        }
        Ok(())
    };
    if let Ok(failed) = timeout(seconds, posting).await {
        failed?;
    }
    ensure!(streams.try_join_next().is_none(), "a stream has ended");
    let (Some(before), Some(after)) = (before, stage.usage(&[copy])) else {
        return Ok(None);
    };
    let used: Usage = after.per_call_since(before, 1);
    Ok(Some(
        (used.service + used.postgres) / began.elapsed().as_micros() as f64 * 100.0,
    ))
}
