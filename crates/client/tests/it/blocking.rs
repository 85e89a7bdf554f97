//! The client without async.

use customer_service_client::BulkOptions;
use customer_service_client::types::{ReplyListQuery, RowBody};
use serde_json::json;

use crate::support::*;

#[test]
fn calls_wait_and_lists_are_iterators() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the service");
    let reply = json!({
        "id": ID, "at": "2026-11-22T09:31:02.101300Z", "phone": "081200001234", "name": null, "text": "Ya",
        "request_id": null
    });
    let page = data(&json!({ "items": [reply], "next_cursor": null }));
    let rejected = json!({
        "status": 0, "message": { "error": "" }, "data": { "accepted": 0, "rejected": 1, "items": [
            { "row": 1, "status": 0, "error": "Gagal" }
        ], "replayed": 0, "queues": [] }
    });
    let rejected = wiremock::ResponseTemplate::new(200).set_body_json(rejected);
    let server = runtime.block_on(answers([stored(), page.clone(), page, rejected]));
    let client = builder(&server).build_blocking().expect("a client");
    assert_eq!(
        client
            .validate_customer(&body())
            .expect("stored")
            .request_id,
        ID
    );
    let query = ReplyListQuery::default();
    let page = client.list_request_replies(ID, &query).expect("a page");
    assert_eq!(page.items.len(), 1);
    let texts: Vec<_> = client.dealer_replies("0009999").collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(
        texts[0].as_ref().expect("a reply").text.as_deref(),
        Some("Ya")
    );
    let row = RowBody {
        submission: body(),
        idempotency_key: None,
    };
    let (_, rows) = client.submit_all([row], &BulkOptions::default());
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows[0].as_ref().expect("an answer").status, 0);
    // Clones may be used by several threads at once.
    let other = client.clone();
    std::thread::spawn(move || drop(other))
        .join()
        .expect("no panic");
    assert!(!format!("{client:?}").contains("csk_hidden"));
}
