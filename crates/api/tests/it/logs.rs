//! 1.7: every call leaves a line with its id, and no line tells what is nobody's business.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use domain::ports::MockRequestStore;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::client::Call;
use crate::service::{SUBMIT, Service, body, unavailable};

/// What the whole test binary logged, as JSON lines.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .init();
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// The lines about a call.
    fn about(&self, request_id: &str) -> Vec<Value> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&log);
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["span"]["http.request_id"] == request_id)
            .collect()
    }
}

/// Sends a call under an id and returns the lines about it, the last of which is the answer's.
async fn lines(service: &Service, id: &str, call: Call) -> Vec<Value> {
    let log = &*LOG;
    service.send(call.header("X-Request-Id", id)).await;
    log.about(id)
}

#[tokio::test]
async fn every_call_leaves_a_line_with_its_id_route_and_status() {
    let _ = &*LOG;
    let service = Service::start();
    let item = "/api/v1/customer/request/{request_id}";
    for (n, (call, status, route)) in (0..).zip([
        (Call::post(SUBMIT, body()), 200, SUBMIT),
        (Call::post(SUBMIT, "{"), 422, SUBMIT),
        (Call::new("PUT", SUBMIT), 405, SUBMIT),
        (Call::get("/api/v1/customer/request/17"), 404, item),
        (Call::get("/api/v1/health/"), 200, "/api/v1/health"),
        (Call::get("/nothing/of/ours"), 404, "-"),
    ]) {
        let id = format!("logs-answered-{n}");
        let method = call.method;
        let lines = lines(&service, &id, call).await;
        let last = lines.last().expect("a line");
        assert_eq!(last["level"], "INFO");
        assert_eq!(last["fields"]["http.method"], method);
        assert_eq!(last["fields"]["http.route"], route);
        assert_eq!(last["fields"]["http.status"], status);
        assert!(last["fields"]["http.duration_ms"].is_number());
    }
}

#[tokio::test]
async fn a_stored_request_is_named_and_its_person_is_not() {
    let _ = &*LOG;
    let service = Service::start();
    let lines = lines(&service, "logs-stored", Call::post(SUBMIT, body())).await;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["fields"]["dealer.id"], "0009999");
    assert!(lines[0]["fields"]["request.id"].is_string());
    let text = Value::from(lines).to_string();
    for told in ["Adit", "82148523421", "BeAT", "D 123 AD"] {
        assert!(!text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn paths_and_queries_are_not_logged() {
    let _ = &*LOG;
    let service = Service::start();
    let path = "/api/v1/customer/dealer/0812345678/requests?q=Adit";
    let text = Value::from(lines(&service, "logs-path", Call::get(path)).await).to_string();
    assert!(text.contains("{dealer_id}"), "{text}");
    assert!(
        !text.contains("0812345678") && !text.contains("Adit"),
        "{text}"
    );
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_cause() {
    let _ = &*LOG;
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(unavailable()));
    requests
        .expect_find()
        .returning(|_, _| panic!("an invented panic"));
    let service = Service::with(|ports| ports.requests = Arc::new(requests));
    let lines_of_failure = lines(&service, "logs-failed", Call::post(SUBMIT, body())).await;
    let levels: Vec<&Value> = lines_of_failure.iter().map(|line| &line["level"]).collect();
    assert_eq!(levels, ["ERROR", "INFO"]);
    let causes = lines_of_failure[0]["fields"]["error.causes"]
        .as_str()
        .unwrap();
    assert!(
        causes.contains("hunter2"),
        "the log keeps what the caller may not see: {causes}"
    );

    let find = Call::get("/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22");
    let lines_of_panic = lines(&service, "logs-panicked", find).await;
    let levels: Vec<&Value> = lines_of_panic.iter().map(|line| &line["level"]).collect();
    assert_eq!(levels, ["ERROR", "INFO"]);
    assert_eq!(lines_of_panic[1]["fields"]["http.status"], 500);
}

#[tokio::test]
async fn a_line_says_which_key_and_never_its_secret() {
    let _ = &*LOG;
    let service = crate::access::closed();
    let (id, key) =
        crate::access::key(&service, Some(0), &[domain::access::Scope::Write], None).await;
    let call = Call::post(SUBMIT, body()).header("X-API-Key", &key);
    let all = lines(&service, "logs-key", call).await;
    assert_eq!(all.len(), 2);
    for line in &all {
        assert_eq!(line["span"]["key.id"], id.to_string());
        assert_eq!(line["span"]["key.name"], "Bengkel");
    }
    let text = Value::from(all).to_string();
    assert!(!text.contains(&key[22..]), "{text}");

    let wrong = "csk_not-a-key";
    let call = Call::post(SUBMIT, body()).header("X-API-Key", wrong);
    let refused = lines(&service, "logs-refused", call).await;
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["level"], "INFO");
    assert_eq!(refused[0]["fields"]["http.status"], 401);
    assert_eq!(refused[0]["fields"]["http.route"], SUBMIT);
    assert!(!Value::from(refused).to_string().contains(wrong));
}
