use std::error::Error as _;
use std::time::Duration;

use customer_service_client::types::SubmissionBody;
use customer_service_client::{Client, ClientBuilder, Error};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const ID: &str = "23f16411-6eb2-4829-a964-9ad1f0e0cc22";

/// A client that has time for some tries.
pub(crate) fn builder(server: &MockServer) -> ClientBuilder {
    Client::builder(&server.uri())
        .api_key("csk_hidden")
        .deadline(Duration::from_secs(10))
        .attempt_timeout(Duration::from_millis(400))
}

pub(crate) fn client(server: &MockServer) -> Client {
    builder(server).build().expect("a client")
}

pub(crate) fn body() -> SubmissionBody {
    SubmissionBody::example()
}

/// The answer to a submission that is stored.
pub(crate) fn stored() -> ResponseTemplate {
    let body = json!({
        "status": 1, "message": { "confirmation": "Data berhasil disimpan" }, "data": null
    });
    ResponseTemplate::new(200)
        .insert_header("Location", format!("/api/v1/customer/request/{ID}"))
        .set_body_json(body)
}

pub(crate) fn not_stored(status: u16) -> ResponseTemplate {
    let error = match status {
        200 => "Dealer tidak ditemukan atau tidak aktif",
        _ => "Gagal menyimpan data ke database",
    };
    let body = json!({ "status": 0, "message": { "error": error }, "data": null });
    ResponseTemplate::new(status).set_body_json(body)
}

pub(crate) fn refused(status: u16, kind: &str) -> ResponseTemplate {
    let error = json!({ "code": status, "message": "A sentence", "type": kind });
    ResponseTemplate::new(status).set_body_json(json!({ "error": error }))
}

pub(crate) fn data(data: &Value) -> ResponseTemplate {
    let body = json!({ "success": true, "message": "A sentence", "data": data });
    ResponseTemplate::new(200).set_body_json(body)
}

/// Answers with these, one after the other, and with the last one from then on.
pub(crate) async fn answers(all: impl IntoIterator<Item = ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let all: Vec<ResponseTemplate> = all.into_iter().collect();
    let count = std::sync::atomic::AtomicUsize::new(0);
    Mock::given(any())
        .respond_with(move |_: &Request| {
            let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            all[n.min(all.len() - 1)].clone()
        })
        .mount(&server)
        .await;
    server
}

/// What came.
pub(crate) async fn came(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("they are kept")
}

pub(crate) fn header(request: &Request, name: &str) -> String {
    let value = request.headers.get(name).expect("a header");
    value.to_str().expect("text").to_owned()
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// All that an error shows, with its causes.
pub(crate) fn shown(error: &Error) -> String {
    let mut shown = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown += &format!(" {error:?} {error}");
        cause = error.source();
    }
    shown
}
