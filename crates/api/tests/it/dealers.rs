//! 1.4: a dealer's counts.

use std::sync::Arc;

use domain::ports::{DealerStats, MockReports, RequestStore as _};
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;

use crate::service::Service;

const PATH: &str = "/api/v1/customer/dealer/0009999/stats";

fn with_stats(stats: DealerStats) -> Service {
    let mut reports = MockReports::new();
    reports.expect_stats().returning(move |_, _| Ok(stats));
    Service::with(|ports| ports.reports = Arc::new(reports))
}

#[tokio::test]
async fn the_counts_have_these_keys_in_this_order() {
    let service = with_stats(DealerStats {
        total: 9,
        delivered: 3,
        failed: 2,
        sent: 5,
        not_sent: 1,
        pending_requests: 4,
        processed_requests: 6,
        failed_requests: 7,
    });
    for path in [PATH.to_owned(), format!("{PATH}/")] {
        service.get(&path).await.is(
            200,
            concat!(
                r#"{"success":true,"message":"Dealer statistics retrieved","data":{"#,
                r#""dealer_id":"0009999","dealer_name":"Dealer Demo","is_active":true,"#,
                r#""has_fonnte_config":true,"created_at":"2025-06-01T08:00:00","#,
                r#""updated_at":"2025-06-02T08:00:00","total_requests":9,"delivered_count":3,"#,
                r#""failed_count":2,"sent_count":5,"not_sent_count":1,"#,
                r#""delivery_percentage":33.33,"pending_requests":4,"processed_requests":6,"#,
                r#""failed_requests":7}}"#
            ),
        );
    }
}

#[tokio::test]
async fn a_dealer_without_requests_or_times_has_zeros_and_nulls() {
    let service = Service::start();
    service.put_dealer(|dealer| {
        dealer.created_at = None;
        dealer.updated_at = None;
        dealer.api_key = None;
    });
    service.get(PATH).await.is(
        200,
        concat!(
            r#"{"success":true,"message":"Dealer statistics retrieved","data":{"#,
            r#""dealer_id":"0009999","dealer_name":"Dealer Demo","is_active":true,"#,
            r#""has_fonnte_config":false,"created_at":null,"updated_at":null,"#,
            r#""total_requests":0,"delivered_count":0,"failed_count":0,"sent_count":0,"#,
            r#""not_sent_count":0,"delivery_percentage":0.0,"pending_requests":0,"#,
            r#""processed_requests":0,"failed_requests":0}}"#
        ),
    );
}

#[tokio::test]
async fn the_percentage_has_two_decimals_at_most() {
    for (delivered, total, shown) in [
        (1, 1, "100.0"),
        (1, 2, "50.0"),
        (2, 3, "66.67"),
        (1, 8, "12.5"),
        (0, 5, "0.0"),
        (1, 100_000, "0.0"),
    ] {
        let service = with_stats(DealerStats {
            total,
            delivered,
            ..DealerStats::default()
        });
        let reply = service.get(PATH).await;
        let shown = format!(r#""delivery_percentage":{shown},"#);
        assert!(reply.body.contains(&shown), "{shown} {}", reply.body);
    }
}

#[tokio::test]
async fn every_status_is_counted_where_it_belongs() {
    let service = Service::start();
    let store = &service.world.store;
    let dealer = sample::dealer_id();
    for (n, (request, whatsapp)) in (1..).zip([
        ("PENDING", "NOT_SENT"),
        ("PROCESSED", "SENT"),
        ("PROCESSED", "DELIVERED"),
        ("PROCESSED", "READ"),
        ("FAILED", "FAILED"),
        ("FAILED", "ERROR"),
    ]) {
        let row = OldRow::sample(&dealer, n).with_statuses(request, whatsapp);
        store.insert_old_row(&row).await;
    }
    // A missing status counts as that of a request that waits.
    store.insert_old_row(&OldRow::sample(&dealer, 7)).await;
    let data = service.get(PATH).await.json()["data"].clone();
    for (key, count) in [
        ("total_requests", 7),
        ("sent_count", 3),
        ("delivered_count", 2),
        ("failed_count", 2),
        ("not_sent_count", 2),
        ("pending_requests", 2),
        ("processed_requests", 3),
        ("failed_requests", 2),
    ] {
        assert_eq!(data[key], count, "{key}");
    }
    assert_eq!(data["delivery_percentage"], 28.57);
}

#[tokio::test]
async fn the_range_narrows_the_counts() {
    let service = Service::start();
    for (n, day) in (0..).zip([5, 6, 7]) {
        let created = sample::morning(2026, 1, day);
        let request = sample::request_at(&sample::dealer_id(), n, created);
        service.world.store.accept(&request).await.unwrap();
    }
    for (query, found) in [
        ("", 3),
        ("date_from=2026-01-06", 2),
        ("date_from=2026-01-06&date_to=2026-01-06", 1),
        ("date_from=&date_to=", 3),
        ("date_from=2026-01-07&date_to=2026-01-05", 0),
    ] {
        let data = service.get(&format!("{PATH}?{query}")).await.json();
        assert_eq!(data["data"]["total_requests"], found, "{query}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_no_configuration() {
    let service = Service::start();
    service.put_dealer(|dealer| dealer.api_url = Some("https://evil.example/send".to_owned()));
    let data = service.get(PATH).await.json();
    assert_eq!(data["data"]["has_fonnte_config"], false);
}

#[tokio::test]
async fn an_unknown_or_inactive_dealer_is_not_found() {
    let service = Service::start();
    let reply = service.get("/api/v1/customer/dealer/0000001/stats").await;
    reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    service.put_dealer(|dealer| dealer.active = false);
    service
        .get(PATH)
        .await
        .is_error(404, "DealerNotFound", "Dealer not found or inactive");
}
