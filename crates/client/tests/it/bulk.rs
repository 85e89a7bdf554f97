//! Submissions of any number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use customer_service_client::types::RowBody;
use customer_service_client::{BulkOptions, Error, IdempotencyKey, Table};
use futures_util::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::*;

fn row() -> RowBody {
    RowBody {
        submission: body(),
        idempotency_key: None,
    }
}

fn options(key: &str) -> BulkOptions {
    BulkOptions {
        idempotency_key: Some(IdempotencyKey::parse(key).expect("a key")),
        ..BulkOptions::default()
    }
}

/// The answer to these lines: every row is stored, but for those of which `fault` says something.
fn answer(request: &Request, fault: impl Fn(usize) -> Option<&'static str>) -> ResponseTemplate {
    let lines = request.body.split(|byte| *byte == b'\n');
    let rows = lines.filter(|line| !line.is_empty()).count();
    let items: Vec<Value> = (1..=rows)
        .map(|row| match fault(row) {
            None => json!({ "row": row, "status": 1, "request_id": ID }),
            Some(kind) => json!({ "row": row, "status": 0, "error": "Gagal", "type": kind }),
        })
        .collect();
    ResponseTemplate::new(200).set_body_json(json!({
        "status": 1, "message": { "confirmation": "" },
        "data": { "accepted": rows, "rejected": 0, "items": items, "replayed": 0, "queues": [] }
    }))
}

/// A service that answers by a number of the call, from 0.
async fn service(
    by_call: impl Fn(usize, &Request) -> ResponseTemplate + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    let calls = AtomicUsize::new(0);
    Mock::given(any())
        .respond_with(move |request: &Request| {
            by_call(calls.fetch_add(1, Ordering::Relaxed), request)
        })
        .mount(&server)
        .await;
    server
}

fn keys(request: &Request) -> Vec<String> {
    let text = String::from_utf8(request.body.clone()).expect("text");
    let key = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        row["idempotencyKey"].as_str().expect("a key").to_owned()
    };
    text.lines().map(key).collect()
}

#[tokio::test]
async fn a_stream_is_sent_in_blocks_under_keys_that_count_over_all_of_it() {
    let server = service(|_, request| answer(request, |_| None)).await;
    let pulled = Arc::new(AtomicUsize::new(0));
    let counted = pulled.clone();
    let rows = (0..2_500).map(move |n| {
        counted.fetch_add(1, Ordering::Relaxed);
        RowBody {
            idempotency_key: (n == 1).then(|| "own".to_owned()),
            ..row()
        }
    });
    let mut stored = client(&server).submit_all(stream::iter(rows), &options("K"));
    assert_eq!(stored.idempotency_key().as_str(), "K");
    assert_eq!(stored.next().await.expect("a row").expect("stored").row, 1);
    // Nothing is read ahead of the block.
    assert_eq!(pulled.load(Ordering::Relaxed), 1_000);
    let rest: Vec<_> = stored.try_collect().await.expect("no error");
    let numbers: Vec<usize> = rest.iter().map(|item| item.row).collect();
    assert_eq!(numbers, (2..=2_500).collect::<Vec<_>>());
    let came = came(&server).await;
    assert_eq!(came.len(), 3);
    assert_eq!(keys(&came[0])[..3], ["K/1", "own", "K/3"]);
    assert_eq!(keys(&came[2])[0], "K/2001");
    assert_eq!(keys(&came[2]).len(), 500);
}

#[tokio::test]
async fn blocks_are_no_larger_than_the_service_takes() {
    let server = service(|_, request| answer(request, |_| None)).await;
    let rows = (0..20).map(|_| {
        let mut row = row();
        row.submission.tipe_unit = "x".repeat(1_000_000);
        row
    });
    let stored = client(&server).submit_all(stream::iter(rows), &options("K"));
    let all: Vec<_> = stored.try_collect().await.expect("no error");
    let numbers: Vec<usize> = all.iter().map(|item| item.row).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let came = came(&server).await;
    assert!(came.iter().all(|request| request.body.len() < 5_000_000));
    let keys: Vec<String> = came.iter().flat_map(keys).collect();
    assert_eq!(keys, (1..=20).map(|n| format!("K/{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn rows_that_can_be_stored_later_are_sent_again() {
    let server = service(|n, request| {
        answer(request, move |row| match (n, row) {
            (0, 2) => Some("Unavailable"),
            (_, 3) => Some("NotStorable"),
            _ => None,
        })
    })
    .await;
    let rows = stream::iter((0..3).map(|_| row()));
    let stored = client(&server).submit_all(rows, &options("K"));
    let items: Vec<_> = stored.try_collect().await.expect("no error");
    let status: Vec<u8> = items.iter().map(|item| item.status).collect();
    assert_eq!(status, [1, 1, 0]);
    let came = came(&server).await;
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].body, came[1].body);
}

#[tokio::test]
async fn a_stream_that_breaks_off_tells_the_key_to_go_on_with() {
    let server = service(|n, request| match n {
        0 => answer(request, |_| None),
        _ => ResponseTemplate::new(502),
    })
    .await;
    let client = builder(&server).bulk_deadline(Duration::from_millis(400));
    let client = client.build().expect("a client");
    let rows = stream::iter((0..1_500).map(|_| row()));
    let mut stored = client.submit_all(rows, &BulkOptions::default());
    for _ in 0..1_000 {
        assert!(stored.next().await.expect("a row").is_ok());
    }
    match stored.next().await {
        Some(Err(Error::Unknown {
            idempotency_key: Some(key),
            ..
        })) => {
            assert_eq!(&key, stored.idempotency_key());
        }
        other => panic!("{other:?}"),
    }
    assert!(stored.next().await.is_none());
}

#[tokio::test]
async fn a_table_is_sent_as_it_is() {
    let server = service(|n, request| match n {
        0 => ResponseTemplate::new(503),
        _ => answer(request, |_| None),
    })
    .await;
    let options = BulkOptions {
        dealer_id: Some("0009999".to_owned()),
        dry_run: true,
        minimal: true,
        ..options("K")
    };
    let table = Table::csv("nama;telepon\nAdit;0812");
    assert!(!format!("{table:?}").contains("Adit"));
    let bulk = client(&server).validate_customers(&table, &options).await;
    assert_eq!(bulk.expect("an answer").data.accepted, 2);
    let came = came(&server).await;
    assert_eq!(came.len(), 2);
    let last = &came[1];
    assert_eq!(last.url.query(), Some("dry_run=true&dealer_id=0009999"));
    for (name, value) in [
        ("content-type", "text/csv"),
        ("prefer", "return=minimal"),
        ("idempotency-key", "K"),
    ] {
        assert_eq!(header(last, name), value);
    }
}
