//! 1.3: pages of a dealer's requests.

use std::sync::Arc;

use chrono::NaiveDate;
use domain::ports::{MockDealerDirectory, MockReports, Page, RequestStore as _};
use serde_json::Value;
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;

use crate::service::{Service, corrupt, unavailable};

const PATH: &str = "/api/v1/customer/dealer/0009999/requests";

/// Stores requests made at 08:00 on these days of January 2026, and at the same second on one.
async fn with_requests(days: &[u32]) -> Service {
    let service = Service::start();
    for (n, day) in (0..).zip(days) {
        let created = sample::morning(2026, 1, *day);
        let request = sample::request_at(&sample::dealer_id(), n, created);
        service.world.store.accept(&request).await.unwrap();
    }
    service
}

fn names(reply: &crate::client::Reply) -> Vec<String> {
    let json = reply.json();
    let items = json["data"]["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            item["nama_pembawa"]
                .as_str()
                .unwrap()
                .replace("Pelanggan ", "")
        })
        .collect()
}

/// `page`, `page_size`, `total` and `total_pages`.
fn numbers(reply: &crate::client::Reply) -> [u64; 4] {
    let json = reply.json();
    ["page", "page_size", "total", "total_pages"].map(|key| json["data"][key].as_u64().unwrap())
}

fn fault(kind: &str, name: &str, msg: &str, input: &str) -> String {
    let input = Value::from(input);
    format!(r#"{{"type":"{kind}","loc":["query","{name}"],"msg":"{msg}","input":{input}}}"#)
}

#[tokio::test]
async fn a_page_has_these_keys_in_this_order() {
    let service = Service::start();
    service.get(PATH).await.is(
        200,
        r#"{"success":true,"message":"Found 0 requests","data":{"items":[],"total":0,"page":1,"page_size":10,"total_pages":0,"next_cursor":null}}"#,
    );
    let row = OldRow::sample(&sample::dealer_id(), 3);
    service.world.store.insert_old_row(&row).await;
    let item = service.item(row.id).await;
    service.get(&format!("{PATH}?page_size=2")).await.is(
        200,
        &format!(
            r#"{{"success":true,"message":"Found 1 requests","data":{{"items":[{item}],"total":1,"page":1,"page_size":2,"total_pages":1,"next_cursor":null}}}}"#
        ),
    );
}

#[tokio::test]
async fn the_newest_come_first_and_pages_never_overlap() {
    let service = with_requests(&[5, 7, 6, 6, 5, 7, 6]).await;
    let mut seen = Vec::new();
    for page in 1..=4 {
        let reply = service
            .get(&format!("{PATH}?page={page}&page_size=2"))
            .await;
        assert!(reply.body.contains("Found 7 requests"), "{reply:?}");
        assert_eq!(numbers(&reply), [page, 2, 7, 4]);
        seen.extend(names(&reply));
    }
    // By day, and within the same second by id, both descending.
    assert_eq!(seen, ["5", "1", "6", "3", "2", "4", "0"]);
}

#[tokio::test]
async fn without_a_query_the_first_ten_are_shown() {
    let service = with_requests(&[5; 11]).await;
    let reply = service.get(PATH).await;
    assert_eq!(names(&reply).len(), 10);
    assert_eq!(numbers(&reply), [1, 10, 11, 2]);
    let reply = service.get(&format!("{PATH}/?page=2")).await;
    assert_eq!(names(&reply), ["0"]);
}

#[tokio::test]
async fn a_page_past_the_end_is_empty() {
    let service = with_requests(&[5, 6, 7]).await;
    for page in [2, 3, 1_000_000, i64::MAX.unsigned_abs()] {
        let reply = service.get(&format!("{PATH}?page={page}")).await;
        assert_eq!(reply.status, 200);
        assert!(names(&reply).is_empty());
        assert_eq!(numbers(&reply), [page, 10, 3, 1]);
    }
}

#[tokio::test]
async fn days_are_inclusive_and_may_be_open_empty_or_inverted() {
    let service = with_requests(&[5, 6, 7]).await;
    for (query, found) in [
        ("date_from=2026-01-06", 2),
        ("date_to=2026-01-06", 2),
        ("date_from=2026-01-06&date_to=2026-01-06", 1),
        ("date_from=&date_to=", 3),
        ("date_from=&date_to=2026-01-05", 1),
        ("date_from=2026-01-07&date_to=2026-01-05", 0),
        ("date_from=0001-01-01&date_to=9999-12-31", 3),
        ("date_from=2026%2D01%2D06", 2),
        ("unknown=1&date_from=2026-01-06", 2),
        ("date_from=2026-01-05&date_from=2026-01-07", 1),
    ] {
        let reply = service.get(&format!("{PATH}?{query}")).await;
        assert_eq!(numbers(&reply)[2], found, "{query}");
    }
    let reply = service
        .get(&format!("{PATH}?date_from=2026-01-07&date_to=2026-01-05"))
        .await;
    reply.is(
        200,
        r#"{"success":true,"message":"Found 0 requests","data":{"items":[],"total":0,"page":1,"page_size":10,"total_pages":0,"next_cursor":null}}"#,
    );
}

#[tokio::test]
async fn a_page_is_past_the_end_or_no_page_and_never_another_one() {
    let service = Service::start();
    let row = OldRow::sample(&sample::dealer_id(), 1);
    service.world.store.insert_old_row(&row).await;
    for page in [
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999",
    ] {
        let reply = service.get(&format!("{PATH}?page={page}")).await;
        reply.is_invalid(&[&format!(
            r#"{{"type":"less_than_equal","loc":["query","page"],"msg":"Input should be less than or equal to 9223372036854775807","input":"{page}"}}"#
        )]);
    }
    for page in [4_294_967_296, i64::MAX] {
        for size in [1, 100] {
            let path = format!("{PATH}?page={page}&page_size={size}");
            let reply = service.get(&path).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let data = &reply.json()["data"];
            assert_eq!(data["items"], serde_json::json!([]), "{page}");
            assert_eq!(data["total"], 1);
            assert_eq!(data["page"], page);
            assert_eq!(data["next_cursor"], Value::Null);
        }
    }
}

#[tokio::test]
async fn numbers_out_of_range_or_none_are_422() {
    let service = Service::start();
    let nan = "Input should be a valid integer, unable to parse string as an integer";
    let low = "Input should be greater than or equal to 1";
    for name in ["page", "page_size"] {
        for value in ["x", "1.5", "1e3", "0x1", "--1", "null"] {
            let reply = service.get(&format!("{PATH}?{name}={value}")).await;
            reply.is_invalid(&[&fault("int_parsing", name, nan, value)]);
        }
        let reply = service.get(&format!("{PATH}?{name}=")).await;
        reply.is_invalid(&[&fault("int_parsing", name, nan, "")]);
        for value in ["0", "-1", "-99999999999999999999999"] {
            let reply = service.get(&format!("{PATH}?{name}={value}")).await;
            reply.is_invalid(&[&fault("greater_than_equal", name, low, value)]);
        }
    }
    for value in ["101", "99999999999999999999999"] {
        let reply = service.get(&format!("{PATH}?page_size={value}")).await;
        let high = "Input should be less than or equal to 100";
        reply.is_invalid(&[&fault("less_than_equal", "page_size", high, value)]);
    }
    for size in ["1", "100", "+7", "%207%20"] {
        assert_eq!(
            service
                .get(&format!("{PATH}?page_size={size}"))
                .await
                .status,
            200,
            "{size}"
        );
    }
}

#[tokio::test]
async fn what_is_no_day_is_a_422() {
    let service = Service::start();
    let msg = "Input should be a valid date in the form YYYY-MM-DD";
    for path in [PATH, "/api/v1/customer/dealer/0009999/stats"] {
        for name in ["date_from", "date_to"] {
            for value in [
                "gestern",
                "2026-02-30",
                "2026-1-1",
                "31/12/2019",
                "2026-01-05T00:00:00",
                "20260105",
                "0000-01-01",
                "2026-13-01",
                "10000-01-01",
                "0",
            ] {
                let reply = service.get(&format!("{path}?{name}={value}")).await;
                reply.is_invalid(&[&fault("date_from_datetime_parsing", name, msg, value)]);
            }
            let reply = service.get(&format!("{path}?{name}=%20")).await;
            reply.is_invalid(&[&fault("date_from_datetime_parsing", name, msg, " ")]);
        }
    }
}

#[tokio::test]
async fn every_bad_value_is_listed_in_order() {
    let service = Service::start();
    let query = "date_to=b&date_from=a&page_size=0&page=%FF%00%22";
    let reply = service.get(&format!("{PATH}?{query}")).await;
    let date = "Input should be a valid date in the form YYYY-MM-DD";
    reply.is_invalid(&[
        &fault(
            "int_parsing",
            "page",
            "Input should be a valid integer, unable to parse string as an integer",
            "\u{fffd}\0\"",
        ),
        &fault(
            "greater_than_equal",
            "page_size",
            "Input should be greater than or equal to 1",
            "0",
        ),
        &fault("date_from_datetime_parsing", "date_from", date, "a"),
        &fault("date_from_datetime_parsing", "date_to", date, "b"),
    ]);
}

#[tokio::test]
async fn a_dealer_that_is_unknown_or_inactive_is_not_found() {
    let service = Service::start();
    for rest in ["requests", "stats"] {
        for dealer in [
            "0000001",
            "1",
            "%00%00%00%00",
            "%FF%FF%FF%FF",
            "00099990009999",
            "%20%20%20%20",
        ] {
            let reply = service
                .get(&format!("/api/v1/customer/dealer/{dealer}/{rest}"))
                .await;
            reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
        }
    }
    // What is wrong with the call comes first.
    let path = "/api/v1/customer/dealer/0000001/requests?page=0";
    assert_eq!(service.get(path).await.status, 422);
    service.put_dealer(|dealer| dealer.active = false);
    service
        .get(PATH)
        .await
        .is_error(404, "DealerNotFound", "Dealer not found or inactive");
}

#[tokio::test]
async fn another_dealers_requests_are_not_shown() {
    let service = with_requests(&[5, 6]).await;
    service.world.store.put_dealer(sample::dealer_numbered(1));
    let other = sample::dealer_id_numbered(1);
    let reply = service
        .get(&format!("/api/v1/customer/dealer/{other}/requests"))
        .await;
    assert_eq!(numbers(&reply), [1, 10, 0, 0]);
}

#[tokio::test]
async fn a_list_can_be_followed_by_cursors() {
    let service = Service::start();
    for n in 1..=5 {
        let row = OldRow::sample(&sample::dealer_id(), n);
        service.world.store.insert_old_row(&row).await;
    }
    let first = service.get(&format!("{PATH}?page_size=2")).await.json();
    let cursor = first["data"]["next_cursor"].as_str().unwrap().to_owned();
    assert!(
        cursor.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{cursor}"
    );
    let path = |cursor: &str| format!("{PATH}?page_size=2&cursor={cursor}");
    let second = service.get(&path(&cursor)).await.json();
    assert_eq!(second["data"]["page"], Value::Null);
    assert_eq!(second["data"]["total"], 5);
    let third = service
        .get(&path(second["data"]["next_cursor"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(third["data"]["next_cursor"], Value::Null);
    let ids: Vec<String> = [&first, &second, &third]
        .iter()
        .flat_map(|page| page["data"]["items"].as_array().unwrap())
        .map(|item| item["request_time"].as_str().unwrap().to_owned())
        .collect();
    let times = [5, 4, 3, 2, 1].map(|n| format!("08:00:0{n}"));
    assert_eq!(ids, times);

    for page in ["abc", "0", "-1", "", "7"] {
        let beside = format!("{}&page={page}", path(&cursor));
        let beside = service.get(&beside).await;
        assert_eq!(beside.status, 200, "{beside:?}");
        assert_eq!(beside.json()["data"], second["data"], "{page}");
    }
    let without = service.get(&format!("{PATH}?page=abc&cursor=")).await;
    assert_eq!(without.status, 422, "an empty cursor is as if absent");

    let msg = "Value error, Expected the next_cursor of the same list";
    for (path, cursor) in [
        (format!("{PATH}?cursor=x"), "x"),
        (format!("{PATH}?cursor=x&page=x"), "x"),
        (
            format!("{PATH}?request_status=FAILED&cursor={cursor}"),
            &*cursor,
        ),
        (
            format!("{PATH}?date_from=2026-01-01&cursor={cursor}"),
            &*cursor,
        ),
    ] {
        let fault = fault("value_error", "cursor", msg, cursor);
        let body = format!(r#"{{"detail":[{fault}]}}"#);
        service.get(&path).await.is(422, &body);
    }
}

#[tokio::test]
async fn a_list_can_be_narrowed() {
    let service = Service::start();
    for n in 1..=3 {
        let row = OldRow::sample(&sample::dealer_id(), n);
        service.world.store.insert_old_row(&row).await;
    }
    for (query, total) in [
        ("request_status=PENDING,FAILED", 3),
        ("request_status=FAILED", 0),
        ("whatsapp_status=NOT_SENT&request_status=", 3),
        ("q=bud", 3),
        ("q=D123AD&whatsapp_status=READ", 0),
        ("q=%2B62821", 3),
        ("q=nobody", 0),
    ] {
        let reply = service.get(&format!("{PATH}?{query}")).await;
        assert_eq!(reply.json()["data"]["total"], total, "{query}");
    }
    for (query, fault) in [
        (
            "request_status=PENDING,SENT",
            r#"{"type":"enum","loc":["query","request_status"],"msg":"Input should be 'PENDING', 'PROCESSED' or 'FAILED'","input":"PENDING,SENT","ctx":{"expected":"'PENDING', 'PROCESSED' or 'FAILED'"}}"#,
        ),
        (
            "q=ab",
            r#"{"type":"string_too_short","loc":["query","q"],"msg":"String should have at least 3 characters","input":"ab","ctx":{"min_length":3}}"#,
        ),
        (
            "q=abc%00",
            r#"{"type":"value_error","loc":["query","q"],"msg":"Value error, Control characters are not allowed","input":"abc\u0000"}"#,
        ),
    ] {
        let body = format!(r#"{{"detail":[{fault}]}}"#);
        service.get(&format!("{PATH}?{query}")).await.is(422, &body);
    }
}

#[tokio::test]
async fn the_store_is_asked_for_what_the_query_says() {
    let mut reports = MockReports::new();
    reports
        .expect_list()
        .withf(|query| {
            query.page == 3
                && query.page_size == 100
                && query.range.from == NaiveDate::from_ymd_opt(2026, 1, 5)
                && query.range.to.is_none()
        })
        .returning(|_| {
            Ok(Page {
                last: None,
                items: Vec::new(),
                total: 201,
                has_more: false,
            })
        });
    let service = Service::with(|ports| ports.reports = Arc::new(reports));
    let reply = service
        .get(&format!("{PATH}?page=3&page_size=100&date_from=2026-01-05"))
        .await;
    assert_eq!(numbers(&reply), [3, 100, 201, 3]);
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503_and_a_broken_one_a_500() {
    for rest in ["requests", "stats"] {
        let path = format!("/api/v1/customer/dealer/0009999/{rest}");
        let mut reports = MockReports::new();
        reports.expect_list().returning(|_| Err(unavailable()));
        reports.expect_stats().returning(|_, _| Err(unavailable()));
        let service = Service::with(|ports| ports.reports = Arc::new(reports));
        let reply = service.get(&path).await;
        reply.is_error(503, "Unavailable", "The service cannot answer now");
        assert_eq!(reply.header("retry-after"), Some("5"));

        let mut dealers = MockDealerDirectory::new();
        dealers.expect_find().returning(|_| Err(corrupt()));
        let service = Service::with(|ports| ports.dealers = Arc::new(dealers));
        let reply = service.get(&path).await;
        reply.is_error(500, "InternalServerError", "Internal server error");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_goes_on() {
    let mut reports = MockReports::new();
    reports
        .expect_list()
        .returning(|_| panic!("an invented panic"));
    let service = Service::with(|ports| ports.reports = Arc::new(reports));
    let reply = service.get(PATH).await;
    reply.is_error(500, "InternalServerError", "Internal server error");
    assert_eq!(service.get("/api/v1/health").await.status, 200);
}
