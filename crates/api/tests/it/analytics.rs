//! 2.7: what is told about the requests of some days.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use domain::ports::{MockReports, RequestStore as _};
use domain::values::jakarta_time;
use serde_json::Value;
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;

use crate::client::Call;
use crate::service::{Service, unavailable};

const PATH: &str = "/api/v1/customer/dealer/0009999/analytics";
const OF_ALL: &str = "/api/v1/customer/analytics";

/// Requests of the sample dealer at these hours of 22 November 2026, a Sunday, with these statuses.
async fn with_requests(requests: &[(u32, Option<&str>)]) -> Service {
    let service = Service::start();
    for (n, (hour, status)) in (0..).zip(requests) {
        let mut row = OldRow::sample(&sample::dealer_id(), n);
        row.requested = sample::morning(2026, 11, 22)
            .date()
            .and_hms_opt(*hour, 30, 0)
            .unwrap();
        row.whatsapp_status = status.map(str::to_owned);
        service.world.store.insert_old_row(&row).await;
    }
    service
}

#[tokio::test]
async fn a_period_has_these_keys_in_this_order() {
    let service = with_requests(&[(15, Some("READ")), (15, Some("FAILED")), (16, None)]).await;
    let none = "0,".repeat(23) + "0";
    let idle = format!("[{none}],").repeat(6);
    let sunday = "0,".repeat(15) + "2,1," + &"0,".repeat(6) + "0";
    let zeros =
        r#""requests":0,"sent":0,"delivered":0,"read":0,"failed":0,"unknown":0,"not_sent":0}"#;
    let counts =
        r#""requests":3,"sent":1,"delivered":1,"read":1,"failed":1,"unknown":0,"not_sent":1}"#;
    let seconds = r#"{"p50":null,"p95":null,"p99":null}"#;
    let expected = format!(
        concat!(
            r#"{{"success":true,"message":"Analytics retrieved","data":{{"bucket":"day","series":["#,
            r#"{{"start":"2026-11-21",{zeros},{{"start":"2026-11-22",{counts}],"totals":{{{counts},"#,
            r#""failures":[],"send_seconds":{seconds},"delivery_seconds":{seconds},"read_seconds":{seconds},"#,
            r#""units":[{{"unit_type":"Vario 125","requests":3}}],"hours":[{idle}[{sunday}]]"#
        ),
        zeros = zeros,
        counts = counts,
        seconds = seconds,
        idle = idle,
        sunday = sunday
    );
    let range = "date_from=2026-11-21&date_to=2026-11-22";
    let own = service.get(&format!("{PATH}?{range}&bucket=day")).await;
    own.is(200, &format!("{expected}}}}}"));
    let all = service.get(&format!("{OF_ALL}?{range}")).await;
    let dealers =
        format!(r#","dealers":[{{"dealer_id":"0009999","dealer_name":"Dealer Demo",{counts}]"#);
    all.is(200, &format!("{expected}{dealers}}}}}"));
}

#[tokio::test]
async fn a_bucket_begins_at_an_hour_a_day_a_monday_or_the_first() {
    let service = with_requests(&[(15, None)]).await;
    for (bucket, count, first, at, start) in [
        ("hour", 48, "2026-11-21T00:00:00", 39, "2026-11-22T15:00:00"),
        ("day", 2, "2026-11-21", 1, "2026-11-22"),
        ("week", 1, "2026-11-16", 0, "2026-11-16"),
        ("month", 1, "2026-11-01", 0, "2026-11-01"),
    ] {
        let range = "date_from=2026-11-21&date_to=2026-11-22";
        let reply = service
            .get(&format!("{PATH}?{range}&bucket={bucket}"))
            .await;
        let data = &reply.json()["data"];
        assert_eq!(data["bucket"], bucket);
        let series = data["series"].as_array().unwrap();
        assert_eq!(series.len(), count);
        assert_eq!(series[0]["start"], first);
        assert_eq!(
            (&series[at]["start"], &series[at]["requests"]),
            (&start.into(), &1.into())
        );
    }
}

#[tokio::test]
async fn the_last_thirty_days_are_told_by_default() {
    let service = Service::start();
    let today = jakarta_time(sample::now()).date();
    let first = today - TimeDelta::days(29);
    for query in ["", "?date_from=&date_to=&bucket="] {
        let reply = service.get(&format!("{PATH}{query}")).await;
        let data = &reply.json()["data"];
        let series = data["series"].as_array().unwrap();
        assert_eq!((series.len(), &data["bucket"]), (30, &"day".into()));
        assert_eq!(series[0]["start"], first.to_string());
        assert_eq!(series[29]["start"], today.to_string());
    }
    let reply = service
        .get(&format!("{PATH}?date_from=2026-11-22&date_to=2026-11-21"))
        .await;
    assert_eq!(reply.json()["data"]["series"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_is_wrong_with_the_query_is_told() {
    let service = Service::start();
    for path in [PATH, OF_ALL] {
        let faulty = service
            .get(&format!(
                "{path}?date_from=x&date_to=2026-13-01&bucket=year"
            ))
            .await;
        let date = "Input should be a valid date in the form YYYY-MM-DD";
        faulty.is_invalid(&[
            &format!(r#"{{"type":"date_from_datetime_parsing","loc":["query","date_from"],"msg":"{date}","input":"x"}}"#),
            &format!(r#"{{"type":"date_from_datetime_parsing","loc":["query","date_to"],"msg":"{date}","input":"2026-13-01"}}"#),
            r#"{"type":"enum","loc":["query","bucket"],"msg":"Input should be 'hour', 'day', 'week' or 'month'","input":"year","ctx":{"expected":"'hour', 'day', 'week' or 'month'"}}"#,
        ]);
        for (from, bucket, status) in [
            ("2026-10-23", "hour", 200),
            ("2026-10-22", "hour", 422),
            ("2024-02-28", "day", 200),
            ("2024-02-26", "day", 422),
            ("2024-02-26", "week", 200),
            ("0001-01-01", "month", 422),
        ] {
            let query = format!("date_from={from}&date_to=2026-11-22&bucket={bucket}");
            let reply = service.get(&format!("{path}?{query}")).await;
            assert_eq!(reply.status, status, "{query}: {reply:?}");
            if status == 422 {
                let fault = &reply.json()["detail"][0];
                assert_eq!(fault["loc"], serde_json::json!(["query", "date_from"]));
                assert_eq!(
                    (&fault["type"], &fault["input"]),
                    (&"value_error".into(), &from.into())
                );
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_know_is_told_nothing() {
    let service = Service::start();
    for dealer in ["0000000", "x"] {
        let path = format!("/api/v1/customer/dealer/{dealer}/analytics");
        let reply = service.get(&path).await;
        reply.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    }
    service.put_dealer(|dealer| dealer.active = false);
    assert_eq!(service.get(PATH).await.status, 404);
    let service = Service::with(|ports| ports.auth = api::ApiAuth::Required);
    for path in [PATH, OF_ALL] {
        assert_eq!(service.get(path).await.status, 401);
    }
}

#[tokio::test]
async fn a_store_that_is_busy_or_away_is_a_503() {
    let service = Service::with(|ports| {
        let mut reports = MockReports::new();
        reports.expect_facts().returning(|_, _| Err(unavailable()));
        ports.reports = Arc::new(reports);
    });
    for path in [PATH, OF_ALL] {
        let reply = service.get(path).await;
        reply.is_error(503, "Unavailable", "The service cannot answer now");
    }
}

/// Dropped with the question that it belongs to.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whoever closes the connection wants no answer.
#[tokio::test]
async fn a_caller_who_leaves_ends_the_question() {
    use domain::analytics::Period;
    use domain::ports::{DateRange, DealerStats, ExportPart, ExportQuery, Facts, Page, PageQuery};
    use domain::ports::{Reports, StoreError};
    use domain::values::DealerId;

    struct Slow(Arc<AtomicBool>, Arc<tokio::sync::Notify>);

    #[async_trait::async_trait]
    impl Reports for Slow {
        async fn list(&self, _: &PageQuery) -> Result<Page, StoreError> {
            Err(unavailable())
        }

        async fn newest(
            &self,
            _: &domain::ports::NewestQuery,
        ) -> Result<domain::ports::NewestPage, StoreError> {
            Err(unavailable())
        }

        async fn stats(&self, _: &DealerId, _: DateRange) -> Result<DealerStats, StoreError> {
            Err(unavailable())
        }

        async fn facts(&self, _: Option<DealerId>, _: &Period) -> Result<Facts, StoreError> {
            let _dropped = Dropped(self.0.clone());
            self.1.notify_one();
            std::future::pending().await
        }

        async fn part(&self, _: &ExportQuery) -> Result<ExportPart, StoreError> {
            Err(unavailable())
        }
    }

    let (ended, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(tokio::sync::Notify::new()),
    );
    let service = Service::with(|ports| {
        ports.reports = Arc::new(Slow(ended.clone(), asked.clone()));
    });
    let mut connection = service.connect().await;
    let head = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.write(head).await;
    asked.notified().await;
    assert!(!ended.load(Ordering::Relaxed));
    drop(connection);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !ended.load(Ordering::Relaxed) {
        assert!(std::time::Instant::now() < deadline, "the question goes on");
        tokio::task::yield_now().await;
    }
}

/// A request that came in here, and its message.
#[tokio::test]
async fn a_submission_is_counted_at_once() {
    let service = Service::start();
    let request = sample::new_request();
    service.world.store.accept(&request).await.unwrap();
    let call = Call::get(&format!(
        "{PATH}?date_from=2019-12-31&date_to=2019-12-31&bucket=hour"
    ));
    let reply = service.send(call).await;
    let data = &reply.json()["data"];
    assert_eq!(data["totals"]["not_sent"], 1);
    assert_eq!(data["series"][15]["requests"], 1);
    assert_eq!(data["units"][0]["unit_type"], "BeAT Street");
}
