//! Lists and files of any length.

use customer_service_client::Error;
use customer_service_client::types::{ExportQuery, RangeQuery};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::*;

const LIST: &str = "/api/v1/customer/dealer/0009999/requests";

fn item(n: u32) -> Value {
    json!({
        "id": n.to_string(), "dealer_id": "0009999", "request_date": null, "request_time": null,
        "nama_pembawa": null, "no_telp": null, "tipe_unit": null, "no_pol": null,
        "request_status": "PENDING", "whatsapp_status": "NOT_SENT", "fonnte_response": null, "created_by": null,
        "created_date": null, "last_modified_by": null, "last_modified_date": null
    })
}

fn page(items: std::ops::Range<u32>, next: Option<&str>) -> ResponseTemplate {
    let items: Vec<Value> = items.map(item).collect();
    data(&json!({
        "items": items, "total": 5, "page": null, "page_size": 100, "total_pages": 1, "next_cursor": next
    }))
}

/// A list of two pages, of which the second one may be refused.
async fn server(second: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(LIST))
        .and(query_param_is_missing("cursor"))
        .and(query_param("page_size", "100"))
        .and(query_param("q", "D 123"))
        .and(query_param("date_from", "2026-11-01"))
        .respond_with(page(0..3, Some("c1")))
        .mount(&server)
        .await;
    Mock::given(path(LIST))
        .and(query_param("cursor", "c1"))
        .and(query_param("q", "D 123"))
        .respond_with(second)
        .mount(&server)
        .await;
    server
}

fn filter() -> ExportQuery {
    ExportQuery {
        range: RangeQuery {
            date_from: Some("2026-11-01".to_owned()),
            date_to: None,
        },
        q: Some("D 123".to_owned()),
        ..ExportQuery::default()
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page_when_it_is_needed() {
    let server = server(page(3..5, None)).await;
    let mut list = client(&server).dealer_requests("0009999", &filter());
    assert_eq!(came(&server).await.len(), 0);
    for n in 0..3 {
        let item = list.next().await.expect("an entry").expect("no error");
        assert_eq!(item.id, n.to_string());
    }
    assert_eq!(came(&server).await.len(), 1);
    let rest: Vec<_> = list.try_collect().await.expect("no error");
    assert_eq!(rest.len(), 2);
    assert_eq!(came(&server).await.len(), 2);
}

#[tokio::test]
async fn a_list_ends_with_its_first_error() {
    let server = server(refused(401, "Unauthorized")).await;
    let mut list = client(&server).dealer_requests("0009999", &filter());
    for _ in 0..3 {
        assert!(list.next().await.expect("an entry").is_ok());
    }
    assert!(matches!(
        list.next().await,
        Some(Err(Error::Unauthorized(_)))
    ));
    assert!(list.next().await.is_none());
}

#[tokio::test]
async fn a_file_is_read_by_parts_and_has_a_name() {
    let disposition = r#"attachment; filename="requests-0009999.csv""#;
    let file = ResponseTemplate::new(200)
        .insert_header("Content-Disposition", disposition)
        .set_body_string("id\r\n1\r\n");
    let server = answers([ResponseTemplate::new(503), file]).await;
    let client = client(&server);
    let file = client
        .export_dealer_requests_csv("0009999", &filter())
        .await;
    let file = file.expect("a file");
    assert_eq!(file.file_name(), Some("requests-0009999.csv"));
    assert_eq!(file.whole().await.expect("all of it"), b"id\r\n1\r\n");
}
