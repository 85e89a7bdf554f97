//! Tests of what is shown: that it can be read, that alerts and dashboard can rely on it, and that it
//! tells nothing about anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::{AnsweredCall, Observer as _, SubmissionResult};
use domain::{Backlog, MessageState};
use store_postgres::{DatabaseUrl, PgStore, PoolOptions, SchemaName, Standing};

use super::gauges::write_queue;
use super::text::Text;
use super::{Gauges, Metrics};
use crate::serve::{Heartbeat, LatestBacklog};

const ALERTS: &str = include_str!("../../../../docker/monitoring/alerts.yml");
const DASHBOARD: &str =
    include_str!("../../../../docker/monitoring/grafana/dashboards/customer-service.json");

/// Nobody listens there.
const NOWHERE: &str = "postgresql://nobody@127.0.0.1:1/nothing";

fn metrics() -> Metrics {
    let url = DatabaseUrl::parse(NOWHERE).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    let store = PgStore::new(&url, schema, &PoolOptions::default()).unwrap();
    let backlog = LatestBacklog::default();
    let gauges = Gauges::new(store, Heartbeat::default(), backlog, "1.2.3");
    Metrics::new(gauges, false).unwrap()
}

/// Everything that can be shown.
async fn everything() -> String {
    let metrics = metrics();
    metrics.answered(AnsweredCall {
        method: "POST",
        route: "/api/v1/customer/dealer/{dealer_id}/requests",
        status: "200",
        took: Duration::from_millis(3),
    });
    metrics.submitted(SubmissionResult::Stored);
    let mut text = Text::default();
    let backlog = [Backlog {
        state: MessageState::Queued,
        messages: 7,
        oldest_past_due: Some(Duration::from_millis(1_500)),
    }];
    let standing = Standing {
        past_due: 3,
        oldest_unhindered: None,
        blocked_lanes: 2,
        oldest_block: Some(Duration::from_secs(60)),
        lowest_quota: Some(3),
        low_on_quota: 1,
        expiring: 1,
    };
    write_queue(&mut text, &backlog, &standing);
    metrics.scrape().await + &text.finish()
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

fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> f64 {
    let found = samples.iter().find(|sample| {
        sample.name == name && label.is_none_or(|(label, value)| sample.labels[label] == value)
    });
    found.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[tokio::test]
async fn the_text_can_be_read_and_says_what_was_counted() {
    let (families, samples) = parse(&everything().await);
    assert_eq!(families["customer_service_http_requests_total"], "counter");
    assert_eq!(
        families["customer_service_http_request_duration_seconds"],
        "histogram"
    );
    assert_eq!(families["customer_service_messages"], "gauge");
    let value = |name, label| value(&samples, name, label);
    let stored = Some(("result", "stored"));
    #[expect(clippy::float_cmp, reason = "small counts are exact")]
    {
        assert_eq!(value("customer_service_http_requests_total", None), 1.0);
        assert_eq!(value("customer_service_submissions_total", stored), 1.0);
        let queued = Some(("state", "QUEUED"));
        assert_eq!(value("customer_service_messages", queued), 7.0);
        assert_eq!(
            value("customer_service_oldest_past_due_seconds", queued),
            1.5
        );
        let version = Some(("version", "1.2.3"));
        assert_eq!(value("customer_service_build_info", version), 1.0);
    }
    assert!(value("process_resident_memory_bytes", None) > 1_000_000.0);
    assert!(value("process_open_fds", None) > 2.0);
    assert!(value("process_start_time_seconds", None) > 1_600_000_000.0);
}

#[tokio::test]
async fn a_database_that_is_away_is_told_within_a_second() {
    let metrics = metrics();
    let began = std::time::Instant::now();
    let text = metrics.scrape().await;
    assert!(began.elapsed() < Duration::from_millis(1_500));
    let (families, samples) = parse(&text);
    let up = value(&samples, "customer_service_database_up", None);
    assert!(up < 0.5, "{up}");
    assert!(!families.contains_key("customer_service_messages"));
    assert!(families.contains_key("customer_service_pool_size"));
}

#[tokio::test]
async fn labels_are_few_and_tell_nothing_about_anybody() {
    let (_, samples) = parse(&everything().await);
    let names: BTreeSet<&str> = samples
        .iter()
        .flat_map(|sample| sample.labels.keys().map(String::as_str))
        .collect();
    let known = [
        "asked", "cause", "change", "le", "method", "outcome", "profile", "result", "route",
        "state", "status", "topic", "version",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), known);
}

/// Everything in these texts that looks like the name of a metric of ours or of the process.
fn names_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("customer_service_") || word.starts_with("process_"))
        .collect()
}

#[tokio::test]
async fn alerts_and_dashboard_name_only_what_is_shown() {
    let (_, samples) = parse(&everything().await);
    let shown: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    for (file, text, least) in [("alerts", ALERTS, 12), ("dashboard", DASHBOARD, 25)] {
        let named = names_in(text);
        assert!(named.len() >= least, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&shown).collect();
        assert_eq!(unknown, [] as [&&str; 0], "{file}");
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let alerts = ALERTS.matches("- alert: ").count();
    assert!(alerts >= 10);
    for part in ["expr:", "severity:", "summary:", "runbook:"] {
        assert_eq!(ALERTS.matches(part).count(), alerts, "{part}");
    }
}
