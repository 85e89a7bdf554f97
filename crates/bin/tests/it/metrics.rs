//! What `/metrics` shows: that it can be read, that alerts and dashboard can rely on it, and that its
//! labels are few.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use store_postgres::testing::TestDatabase;

use crate::running::{NOWHERE, Running};

const ALERTS: &str = include_str!("../../../../docker/monitoring/alerts.yml");
const DASHBOARD: &str =
    include_str!("../../../../docker/monitoring/grafana/dashboards/customer-service.json");

/// An account that sent something today and has little left.
const LOW_QUOTA: &str = "INSERT INTO customer.lane (dealer_id, last_sent_at, quota_left)
    VALUES ('0009999', now(), 3)";

/// Everything that can be shown.
async fn everything() -> String {
    let database = TestDatabase::migrated().await;
    database
        .connect()
        .await
        .execute(LOW_QUOTA, &[])
        .await
        .expect("a lane");
    let service = Running::start(database.url());
    service.get("/api/v1/health/live").await;
    // The first count of the queue comes a moment after the start.
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut again = tokio::time::interval(Duration::from_millis(50));
    let text = loop {
        again.tick().await;
        let (_, text) = service.get("/metrics").await;
        if text.contains("customer_service_lowest_quota") {
            break text;
        }
        assert!(Instant::now() < deadline, "{text}");
    };
    service.stop().await;
    text
}

/// One value.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads Prometheus text as strictly as its description has it: each family once, its lines
/// together beneath its HELP and TYPE.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let mut families = BTreeMap::new();
    let mut samples = Vec::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split_once(' ').expect("a help text").0.to_owned();
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(name, family);
            let before = families.insert(name.to_owned(), kind.to_owned());
            assert_eq!(before, None, "{name} stands twice");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect(line);
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
            None => (series, ""),
        };
        let suffixes: &[&str] = match families[&family].as_str() {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        let of_family = suffixes
            .iter()
            .any(|suffix| name == format!("{family}{suffix}"));
        assert!(of_family, "{line} stands beneath {family}");
        samples.push(Sample {
            name: name.to_owned(),
            labels: parse_labels(labels),
            value: value.parse().expect(line),
        });
    }
    (families, samples)
}

/// None of ours holds a quotation mark or a backslash.
fn parse_labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").expect(text);
        let (value, rest) = rest.split_once('"').expect(text);
        labels.insert(name.to_owned(), value.to_owned());
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

fn value(samples: &[Sample], name: &str) -> f64 {
    let found = samples.iter().find(|sample| sample.name == name);
    found.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_and_dashboard_name_only_what_can_be_read() {
    let (families, samples) = parse(&everything().await);
    assert_eq!(families["customer_service_http_requests_total"], "counter");
    assert_eq!(
        families["customer_service_http_request_duration_seconds"],
        "histogram"
    );
    assert_eq!(families["customer_service_messages"], "gauge");
    let shown: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    for (file, text, least) in [("alerts", ALERTS, 12), ("dashboard", DASHBOARD, 25)] {
        let named = names_in(text);
        assert!(named.len() >= least, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&shown).collect();
        assert_eq!(unknown, [] as [&&str; 0], "{file}");
    }
    let value = |name| value(&samples, name);
    assert!((value("customer_service_lowest_quota") - 3.0).abs() < 0.1);
    assert!(value("process_resident_memory_bytes") > 1_000_000.0);
    assert!(value("process_open_fds") > 2.0);
    assert!(value("process_start_time_seconds") > 1_600_000_000.0);

    let names: BTreeSet<&str> = samples
        .iter()
        .flat_map(|sample| sample.labels.keys().map(String::as_str))
        .collect();
    let known = [
        "asked", "cause", "change", "le", "method", "origin", "outcome", "profile", "result",
        "route", "state", "status", "topic", "version",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), known);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_within_a_second() {
    let service = Running::start(NOWHERE);
    let began = Instant::now();
    let (_, text) = service.get("/metrics").await;
    assert!(began.elapsed() < Duration::from_millis(1_500));
    let (families, samples) = parse(&text);
    let up = value(&samples, "customer_service_database_up");
    assert!(up < 0.5, "{up}");
    assert!(!families.contains_key("customer_service_messages"));
    assert!(families.contains_key("customer_service_pool_size"));
    service.stop().await;
}

/// Everything in these texts that looks like the name of a metric of ours or of the process.
fn names_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("customer_service_") || word.starts_with("process_"))
        .collect()
}

#[test]
fn every_alert_says_what_to_do() {
    let alerts = ALERTS.matches("- alert: ").count();
    assert!(alerts >= 10);
    for part in ["expr:", "severity:", "summary:", "runbook:"] {
        assert_eq!(ALERTS.matches(part).count(), alerts, "{part}");
    }
}
