//! What the API tells whoever watches it, and to whom it shows what was counted.

use std::sync::{Arc, Mutex};

use api::{AnsweredCall, EventResult, Observer, SubmissionResult};
use async_trait::async_trait;
use domain::events::EventTopic;
use domain::ports::MockRequestStore;
use domain::template::TemplateOrigin;
use serde_json::Value;
use testkit::sample;
use tracing::Span;

use crate::client::Call;
use crate::service::{SUBMIT, Service, body, fields_with, unavailable};

const BULK: &str = "/api/v1/customer/validate-customers";

/// Writes down what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn note(&self, words: String) {
        self.0.lock().unwrap().push(words);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[async_trait]
impl Observer for Notes {
    fn answered(&self, call: AnsweredCall<'_>) {
        self.note(format!("{} {} {}", call.method, call.route, call.status));
    }

    fn submitted(&self, result: SubmissionResult) {
        self.note(result.as_str().to_owned());
    }

    fn made_from(&self, origin: TemplateOrigin, messages: u64) {
        self.note(format!("{messages} made from {}", origin.as_str()));
    }

    fn rows_submitted(&self, result: SubmissionResult, rows: u64) {
        self.note(format!("{rows} rows {}", result.as_str()));
    }

    fn event_received(&self, topic: EventTopic, result: EventResult) {
        self.note(format!("{topic:?} {}", result.as_str()));
    }

    fn begins(&self, _: &Span, traceparent: Option<&str>) {
        if let Some(traceparent) = traceparent {
            self.note(traceparent.to_owned());
        }
    }

    fn traceparent(&self, _: &Span) -> Option<String> {
        None
    }

    async fn scrape(&self) -> String {
        "invented 1\n".to_owned()
    }
}

fn watched(replace: impl FnOnce(&mut crate::service::Ports)) -> (Arc<Notes>, Service) {
    let notes = Arc::new(Notes::default());
    let observer = notes.clone();
    let service = Service::with(|ports| {
        ports.observer = Some(observer);
        replace(ports);
    });
    (notes, service)
}

#[tokio::test]
async fn metrics_are_shown_on_this_machine_and_not_through_a_proxy() {
    let (notes, service) = watched(|_| {});
    for path in ["/metrics", "/metrics/"] {
        let reply = service.get(path).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "invented 1\n"));
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
    }
    for header in ["Forwarded", "X-Forwarded-For", "X-Real-IP"] {
        let call = Call::get("/metrics").header(header, "127.0.0.1");
        let reply = service.send(call).await;
        assert_eq!(reply.status, 403, "{header}");
        assert!(!reply.body.contains("invented"));
    }
    assert_eq!(service.send(Call::post("/metrics", "")).await.status, 405);
    assert_eq!(notes.take()[0], "GET /metrics 200");
}

#[tokio::test]
async fn calls_are_told_by_pattern_and_never_by_path() {
    let (notes, service) = watched(|_| {});
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = Call::get("/api/v1/customer/dealer/0009999/requests?q=Adit");
    service.send(call.header("traceparent", traceparent)).await;
    service.get("/of/nobody").await;
    service.send(Call::new("BREW", "/coffee")).await;
    assert_eq!(
        notes.take(),
        [
            traceparent,
            "GET /api/v1/customer/dealer/{dealer_id}/requests 200",
            "GET - 404",
            "OTHER - 404",
        ]
    );
}

#[tokio::test]
async fn what_becomes_of_submissions_is_told() {
    let (notes, service) = watched(|_| {});
    service.put_dealer(|dealer| {
        dealer.id = sample::dealer_id_numbered(1);
        dealer.api_key = None;
    });
    let unconfigured = sample::dealer_id_numbered(1);
    let keyed = |body: String| Call::post(SUBMIT, body).header("Idempotency-Key", "k");
    let of_dealer = |dealer: &str| {
        Call::post(
            SUBMIT,
            serde_json::Value::from(fields_with("dealerId", dealer)).to_string(),
        )
    };
    for (call, result, status) in [
        (keyed(body()), "stored", 200),
        (keyed(body()), "replayed", 200),
        (
            keyed(serde_json::Value::from(fields_with("tipeUnit", "Vario")).to_string()),
            "key_taken",
            422,
        ),
        (of_dealer("nobody"), "unknown_dealer", 200),
        (of_dealer(unconfigured.as_str()), "not_configured", 200),
        (Call::post(SUBMIT, "{}"), "invalid", 422),
        (Call::post(SUBMIT, "{"), "invalid", 422),
    ] {
        service.send(call).await;
        let made = (result == "stored").then(|| "1 made from built_in".to_owned());
        let expected: Vec<String> = [Some(result.to_owned()), made]
            .into_iter()
            .flatten()
            .chain([format!("POST {SUBMIT} {status}")])
            .collect();
        assert_eq!(notes.take(), expected);
    }
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(unavailable()));
    let (notes, service) = watched(|ports| ports.requests = Arc::new(requests));
    service.submit(body()).await;
    assert_eq!(notes.take()[0], "not_stored");
}

#[tokio::test]
async fn what_becomes_of_rows_and_their_messages_is_told_and_nothing_of_a_dry_run() {
    let (notes, service) = watched(|_| {});
    service.save_templates().await;
    let rows = Value::from(vec![
        Value::from(fields_with("idempotencyKey", "k")),
        Value::from(fields_with("template", "servis")),
        Value::from(fields_with("namaPembawa", "Budi")),
        Value::from(fields_with("dealerId", "0000001")),
        Value::from(fields_with("noPol", "")),
    ])
    .to_string();
    let post = |query: &str| Call::post(&format!("{BULK}{query}"), rows.clone());
    let answered = format!("POST {BULK} 200");
    service.send(post("?dry_run=true")).await;
    assert_eq!(notes.take(), [answered.as_str()]);
    service.send(post("")).await;
    assert_eq!(
        notes.take(),
        [
            "3 rows stored",
            "1 rows unknown_dealer",
            "1 rows invalid",
            "1 made from dealer",
            "2 made from built_in",
            &answered
        ]
    );
    // What was stored before makes no message.
    service.send(post("")).await;
    assert_eq!(
        notes.take(),
        [
            "2 rows stored",
            "1 rows replayed",
            "1 rows unknown_dealer",
            "1 rows invalid",
            "1 made from dealer",
            "1 made from built_in",
            &answered
        ]
    );
}

#[tokio::test]
async fn what_becomes_of_reports_is_told() {
    let (notes, service) = watched(|_| {});
    let status = "/api/v1/webhooks/fonnte/{token}/status";
    let path = |token: &str| format!("/api/v1/webhooks/fonnte/{token}/status");
    let token = "invented-token-00000001";
    for (path, body, result, code) in [
        (path(token), r#"{"id":"7","status":"sent"}"#, "kept", 200),
        (path(token), "no JSON", "not_json", 400),
        (
            path("invented-token-99999999"),
            "{}",
            "unknown_address",
            404,
        ),
    ] {
        service.send(Call::post(&path, body)).await;
        assert_eq!(
            notes.take(),
            [format!("Status {result}"), format!("POST {status} {code}")]
        );
    }
}
