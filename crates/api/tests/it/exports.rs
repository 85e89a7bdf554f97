//! 2.7: a dealer's list as a file.

use std::sync::Arc;

use domain::ports::{MockReports, Page, RequestStore as _};
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;

use crate::client::{Call, Reply};
use crate::service::{Service, unavailable};

const CSV: &str = "/api/v1/customer/dealer/0009999/requests.csv";
const XLSX: &str = "/api/v1/customer/dealer/0009999/requests.xlsx";
const HEADER: &str = "id,dealer_id,request_date,request_time,nama_pembawa,no_telp,tipe_unit,no_pol,request_status,whatsapp_status,created_by,created_date,last_modified_by,last_modified_date";

#[tokio::test]
async fn a_csv_file_has_the_keys_of_an_item_and_its_values() {
    let service = Service::start();
    begins(&service.get(CSV).await, &[HEADER]);
    let request = sample::new_request();
    service.world.store.accept(&request).await.unwrap();
    let mut row = OldRow::sample(&sample::dealer_id(), 1);
    row.customer_name = "=HYPERLINK(\"http://x\"), Budi".to_owned();
    service.world.store.insert_old_row(&row).await;
    let reply = service.get(CSV).await;
    let old = format!(
        "{},0009999,2026-01-05,08:00:01,\"'=HYPERLINK(\"\"http://x\"\"), Budi\",'+62 821-4852-3421,Vario 125,d123ad,PENDING,NOT_SENT,,,,",
        row.id
    );
    let new = format!(
        "{},0009999,2019-12-31,15:40:50,Adit,082148523421,BeAT Street,D 123 AD,PENDING,NOT_SENT,api,2019-12-31T15:40:50,api,2019-12-31T15:40:50",
        request.id
    );
    begins(&reply, &[HEADER, &old, &new]);
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let keys = service
        .get("/api/v1/customer/dealer/0009999/requests")
        .await;
    let keys = keys.json()["data"]["items"][0].as_object().unwrap().clone();
    let keys: Vec<&str> = keys
        .keys()
        .map(String::as_str)
        .filter(|key| *key != "fonnte_response")
        .collect();
    assert_eq!(reply.body.lines().next(), Some(&*keys.join(",")));
}

/// Whether so many lines begin like that: new columns may only follow.
#[track_caller]
fn begins(reply: &Reply, lines: &[&str]) {
    assert_eq!(reply.status, 200);
    let found: Vec<&str> = reply.body.split_terminator("\r\n").collect();
    assert_eq!(found.len(), lines.len(), "{found:?}");
    for (found, line) in found.iter().zip(lines) {
        assert!(found.starts_with(line), "{found} {line}");
    }
}

#[tokio::test]
async fn a_file_is_named_after_dealer_and_dates() {
    let service = Service::start();
    for (path, ending) in [(CSV, "csv"), (XLSX, "xlsx")] {
        for (query, name) in [
            ("", "0009999"),
            ("date_from=2026-11-01", "0009999-from-2026-11-01"),
            ("date_to=2026-11-30", "0009999-to-2026-11-30"),
            (
                "date_from=2026-11-01&date_to=2026-11-30",
                "0009999-2026-11-01-2026-11-30",
            ),
        ] {
            let reply = service.get(&format!("{path}?{query}")).await;
            let expected = format!("attachment; filename=\"requests-{name}.{ending}\"");
            assert_eq!(reply.header("content-disposition"), Some(expected.as_str()));
        }
    }
}

#[tokio::test]
async fn filters_are_those_of_the_list() {
    let service = Service::start();
    for n in 0..4 {
        let row = OldRow::sample(&sample::dealer_id(), n);
        let row = if n == 2 {
            row.with_statuses("PROCESSED", "READ")
        } else {
            row
        };
        service.world.store.insert_old_row(&row).await;
    }
    for (query, lines) in [
        ("", 5),
        ("whatsapp_status=READ,SENT", 2),
        ("request_status=PENDING", 4),
        ("q=Budi", 5),
        ("q=Adit", 1),
        ("date_from=2026-01-06", 1),
        // Only lists have pages.
        ("page=7&page_size=x&cursor=y", 5),
    ] {
        let reply = service.get(&format!("{CSV}?{query}")).await;
        assert_eq!(reply.body.lines().count(), lines, "{query}");
    }
    for path in [CSV, XLSX] {
        let reply = service
            .get(&format!("{path}?date_from=x&request_status=y&q=z"))
            .await;
        let places = reply.json()["detail"].as_array().unwrap().len();
        assert_eq!((reply.status, places), (422, 3), "{reply:?}");
        let path = path.replace("0009999", "0000000");
        let unknown = service.get(&path).await;
        unknown.is_error(404, "DealerNotFound", "Dealer not found or inactive");
    }
}

/// It comes in chunks, and all of it.
#[tokio::test]
async fn a_long_list_is_written_part_by_part() {
    let service = Service::start();
    for n in 0..4_500 {
        let row = OldRow::sample(&sample::dealer_id(), n);
        service.world.store.insert_old_row(&row).await;
    }
    let mut connection = service.connect().await;
    connection
        .write(format!(
            "GET {CSV} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
        .await;
    let all = connection.rest().await;
    assert!(all.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(all.ends_with("\r\n0\r\n\r\n"), "it has come to its end");
    assert_eq!(all.matches(",0009999,").count(), 4_500);
    assert_eq!(all.matches("id,dealer_id").count(), 1);
    let reply = service.send(Call::get(XLSX)).await;
    assert_eq!(reply.status, 200);
}

/// A file whose end cannot be read is no whole file.
#[tokio::test]
async fn a_file_that_cannot_be_finished_ends_with_the_connection() {
    let whole = Service::start();
    for n in 0..2_500 {
        let row = OldRow::sample(&sample::dealer_id(), n);
        whole.world.store.insert_old_row(&row).await;
    }
    let store = whole.world.store.clone();
    let service = Service::with(|ports| {
        ports.reports = Arc::new(Broken(store));
    });
    let mut connection = service.connect().await;
    connection
        .write(format!(
            "GET {CSV} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
        .await;
    let all = connection.rest().await;
    assert!(all.matches(",0009999,").count() > 0);
    assert!(
        !all.ends_with("\r\n0\r\n\r\n"),
        "it does not look like the whole"
    );
}

/// A store whose second part holds something that cannot be read.
struct Broken(Arc<testkit::MemoryStore>);

#[async_trait::async_trait]
impl domain::ports::Reports for Broken {
    async fn list(
        &self,
        query: &domain::ports::PageQuery,
    ) -> Result<Page, domain::ports::StoreError> {
        domain::ports::Reports::list(&*self.0, query).await
    }

    async fn newest(
        &self,
        query: &domain::ports::NewestQuery,
    ) -> Result<domain::ports::NewestPage, domain::ports::StoreError> {
        self.0.newest(query).await
    }

    async fn stats(
        &self,
        dealer: &domain::values::DealerId,
        range: domain::ports::DateRange,
    ) -> Result<domain::ports::DealerStats, domain::ports::StoreError> {
        self.0.stats(dealer, range).await
    }

    async fn facts(
        &self,
        dealer: Option<domain::values::DealerId>,
        period: &domain::analytics::Period,
    ) -> Result<domain::ports::Facts, domain::ports::StoreError> {
        self.0.facts(dealer, period).await
    }

    async fn part(
        &self,
        query: &domain::ports::ExportQuery,
    ) -> Result<domain::ports::ExportPart, domain::ports::StoreError> {
        if query.after.is_some() {
            return Err(crate::service::corrupt());
        }
        self.0.part(query).await
    }
}

#[tokio::test]
async fn a_workbook_has_at_most_100_000_rows() {
    let service = Service::with(|ports| {
        let mut reports = MockReports::new();
        reports.expect_list().returning(|_| {
            Ok(Page {
                items: Vec::new(),
                total: 100_001,
                has_more: true,
                last: None,
            })
        });
        ports.reports = Arc::new(reports);
    });
    let reply = service.get(&format!("{XLSX}?date_from=2026-01-01")).await;
    reply.is_invalid(&[r#"{"type":"value_error","loc":["query","date_from"],"msg":"Value error, A workbook has at most 100,000 rows: narrow the range with date_from and date_to","input":"2026-01-01"}"#]);
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503() {
    let service = Service::with(|ports| {
        let mut reports = MockReports::new();
        reports.expect_list().returning(|_| Err(unavailable()));
        reports.expect_part().returning(|_| Err(unavailable()));
        ports.reports = Arc::new(reports);
    });
    for path in [CSV, XLSX] {
        let reply = service.get(path).await;
        reply.is_error(503, "Unavailable", "The service cannot answer now");
    }
}
