//! Tests of everything that is given up after a while, on a clock that passes by itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{Bytes, Data};
use api::{Api, ApiAuth, Bulk, BulkOptions, app};
use async_trait::async_trait;
use domain::access::{Access, ApiKeyId, AuditEntry, KeyName, Principal, Visibility};
use domain::analytics::Period;
use domain::ports::{
    Accepted, ApiKeyRecord, ApiKeys, DateRange, DealerAdmin, DealerPage, DealerRecord, DealerStats,
    ExportPart, ExportQuery, Facts, KeyUse, KnownKey, ListPlace, MockOutbox, MockReports,
    NewApiKey, NewestPage, NewestQuery, Page, PageQuery, Reports, RequestStore, SettingsChanged,
    StoreError, Validity,
};
use domain::requests::{NewRequest, Request, RequestId};
use domain::settings::SettingsChange;
use domain::usecases::KeyOrder;
use domain::values::{DealerId, Once};
use futures_util::{Stream, stream};
use secrecy::ExposeSecret as _;
use tables::{Form, Table};
use testkit::{World, sample};
use tokio::time::Instant;

use crate::service::{OFF_HERE, Ports, SUBMIT, api as api_over, body as submission, options};

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A store that never answers.
struct Stuck;

#[async_trait]
impl RequestStore for Stuck {
    async fn accept(&self, _: &NewRequest) -> Result<Accepted, StoreError> {
        std::future::pending().await
    }

    async fn accept_all(&self, _: &[NewRequest]) -> Vec<Result<Accepted, StoreError>> {
        std::future::pending().await
    }

    async fn key_uses(&self, _: &[(DealerId, Once)]) -> Result<Vec<Option<KeyUse>>, StoreError> {
        std::future::pending().await
    }

    async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        std::future::pending().await
    }

    async fn find(&self, _: RequestId, _: &Visibility) -> Result<Option<Request>, StoreError> {
        std::future::pending().await
    }
}

#[async_trait]
impl Reports for Stuck {
    async fn list(&self, _: &PageQuery) -> Result<Page, StoreError> {
        std::future::pending().await
    }

    async fn newest(&self, _: &NewestQuery) -> Result<NewestPage, StoreError> {
        std::future::pending().await
    }

    async fn stats(&self, _: &DealerId, _: DateRange) -> Result<DealerStats, StoreError> {
        std::future::pending().await
    }

    async fn facts(&self, _: Option<DealerId>, _: &Period) -> Result<Facts, StoreError> {
        std::future::pending().await
    }

    async fn part(&self, _: &ExportQuery) -> Result<ExportPart, StoreError> {
        std::future::pending().await
    }
}

#[async_trait]
impl DealerAdmin for Stuck {
    fn keeps_secrets(&self) -> bool {
        true
    }

    async fn page(&self, _: u64, _: u32) -> Result<DealerPage, StoreError> {
        std::future::pending().await
    }

    async fn record(&self, _: &DealerId) -> Result<Option<DealerRecord>, StoreError> {
        std::future::pending().await
    }

    async fn change(
        &self,
        _: &DealerId,
        _: &SettingsChange,
        _: &AuditEntry,
    ) -> Result<SettingsChanged, StoreError> {
        std::future::pending().await
    }
}

/// Keys of which each takes three seconds to be found.
struct Slow(Arc<testkit::MemoryStore>);

#[async_trait]
impl ApiKeys for Slow {
    async fn create(&self, key: &NewApiKey, by: &AuditEntry) -> Result<ApiKeyRecord, StoreError> {
        self.0.create(key, by).await
    }

    async fn list(&self, limit: u32) -> Result<Vec<(ApiKeyRecord, Validity)>, StoreError> {
        ApiKeys::list(&*self.0, limit).await
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<KnownKey>, StoreError> {
        tokio::time::sleep(Duration::from_secs(3)).await;
        ApiKeys::find(&*self.0, id).await
    }

    fn knows(&self, id: ApiKeyId) -> bool {
        self.0.knows(id)
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        by: &AuditEntry,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        self.0.revoke(id, by).await
    }
}

/// Calls an API that is [`stuck`]. Returns status, body and how long it took.
async fn call(request: TestRequest) -> (u16, String, Duration) {
    let request = request
        .peer_addr(([127, 0, 0, 1], 50_000).into())
        .insert_header(("Host", "localhost"));
    call_with(World::new(), OFF_HERE, request).await
}

async fn call_with(world: World, auth: ApiAuth, request: TestRequest) -> (u16, String, Duration) {
    let api = Data::new(stuck(&world, auth));
    let service = init_service(app(api, &options())).await;
    let began = Instant::now();
    let mut request = request.to_request();
    if request.head().headers.contains_key("transfer-encoding") {
        *request.payload() = endless();
    }
    let response = call_service(&service, request).await;
    let status = response.status().as_u16();
    let body = read_body(response).await;
    (
        status,
        String::from_utf8_lossy(&body).into_owned(),
        began.elapsed(),
    )
}

/// A body of which nothing arrives.
fn endless() -> Payload {
    Payload::from(Box::pin(stream::pending()) as BoxedPayloadStream)
}

/// An API whose request store is stuck and whose lanes are taken.
fn stuck(world: &World, auth: ApiAuth) -> Api {
    let mut outbox = MockOutbox::new();
    outbox.expect_begin_call().returning(|_, _, _| Ok(None));
    let mut ports = Ports::of(world);
    ports.requests = Arc::new(Stuck);
    ports.reports = Arc::new(Stuck);
    ports.dealer_admin = Arc::new(Stuck);
    ports.outbox = Arc::new(outbox);
    ports.api_keys = Arc::new(Slow(world.store.clone()));
    ports.auth = auth;
    api_over(world, &ports)
}

#[tokio::test(start_paused = true)]
async fn a_submission_that_the_store_does_not_answer_is_given_up_within_5_seconds() {
    let request = TestRequest::post().uri(SUBMIT).set_payload(submission());
    let (status, body, took) = call(request).await;
    assert_eq!(
        (status, body.as_str()),
        (
            503,
            r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#
        )
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_report_that_the_store_does_not_answer_is_given_up() {
    for path in [
        "/api/v1/customer/dealer/0009999/analytics",
        "/api/v1/customer/analytics",
    ] {
        let (status, _, took) = call(TestRequest::get().uri(path)).await;
        assert_eq!(status, 503);
        assert!(took < Duration::from_secs(16), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_store_does_not_answer_is_given_up_within_5_seconds() {
    for path in [
        "/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22",
        "/api/v1/customer/request/23f16411-6eb2-4829-a964-9ad1f0e0cc22/messages",
        "/api/v1/customer/dealer/0009999/requests",
        "/api/v1/customer/dealer/0009999/stats",
        "/api/v1/customer/dealer/0009999/requests.csv",
        "/api/v1/customer/dealer/0009999/requests.xlsx",
        "/api/v1/admin/dealers",
        "/api/v1/admin/dealers/0009999",
    ] {
        let (status, body, took) = call(TestRequest::get().uri(path)).await;
        assert_eq!(
            (status, body.as_str()),
            (
                503,
                r#"{"error":{"code":503,"message":"The service cannot answer now","type":"Unavailable"}}"#
            )
        );
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_stays_busy_is_told() {
    let request = TestRequest::post()
        .uri("/api/v1/customer/dealer/0009999/test-whatsapp")
        .set_payload(r#"{"target":"081200001234"}"#);
    let (status, body, _) = call(request).await;
    assert_eq!(status, 400);
    assert_eq!(
        body,
        r#"{"error":{"code":400,"message":"The dealer's other messages left no turn for the test within 10 seconds","type":"LaneBusy"}}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up_after_15_seconds() {
    let request = TestRequest::post()
        .uri(SUBMIT)
        .insert_header(("Transfer-Encoding", "chunked"));
    let (status, body, took) = call(request).await;
    assert_eq!(
        (status, body.as_str()),
        (
            408,
            r#"{"error":{"code":408,"message":"The body did not arrive in time","type":"RequestTimeout"}}"#
        )
    );
    assert_eq!(took.as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_takes_long_to_be_found_leaves_less_time_for_the_rest() {
    let world = World::new();
    let order = KeyOrder {
        name: KeyName::parse("x").unwrap(),
        access: Access::unlimited(),
        expires_at: None,
    };
    let author = Principal::operator().author(None);
    let made = world.services().keys.create(order, &author).await.unwrap();
    let request = TestRequest::get()
        .uri("/api/v1/customer/dealer/0009999/stats")
        .insert_header(("X-API-Key", made.secret.expose_secret()));
    let (status, _, took) = call_with(world, ApiAuth::Required, request).await;
    assert_eq!(status, 503);
    assert!((3..5).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_can_be_worked_on_are_refused_at_once() {
    const STATS: &str = "/api/v1/customer/dealer/0009999/stats";
    let api = Data::new(stuck(&World::new(), OFF_HERE));
    let service = init_service(app(api, &options())).await;
    let call = |request: TestRequest| Box::pin(call_service(&service, request.to_request()));
    let body_on_its_way = || {
        let mut submit = TestRequest::post().uri(SUBMIT).to_request();
        *submit.payload() = endless();
        Box::pin(call_service(&service, submit))
    };
    // Those who wait for their callers take no place from the 1,024 after them.
    let mut slow: Vec<_> = (0..100).map(|_| body_on_its_way()).collect();
    let mut waiting: Vec<_> = (0..1_024)
        .map(|_| call(TestRequest::get().uri(STATS)))
        .collect();
    for call in &mut slow {
        assert!(futures_util::poll!(call).is_pending());
    }
    for call in &mut waiting {
        assert!(futures_util::poll!(call).is_pending());
    }
    let began = Instant::now();
    for (request, expected) in [
        (TestRequest::get().uri(STATS), r#""type":"Busy""#),
        (TestRequest::get().uri("/nowhere"), r#""type":"Busy""#),
        (
            TestRequest::post().uri(SUBMIT).set_payload(submission()),
            "Gagal menyimpan data ke database",
        ),
    ] {
        let response = call(request).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
        let body = read_body(response).await;
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(expected), "{body}");
    }
    let health = call(TestRequest::get().uri("/api/v1/health")).await;
    assert_eq!(health.status(), 200);
    assert_eq!(began.elapsed(), Duration::ZERO);
    // One of them goes, and there is room for one.
    waiting.pop();
    let response = call(TestRequest::get().uri("/nowhere")).await;
    assert_eq!(response.status(), 404);
}

const CSV: &str = "/api/v1/customer/dealer/0009999/requests.csv";
const XLSX: &str = "/api/v1/customer/dealer/0009999/requests.xlsx";

/// A call for a file from this address.
fn export(path: &str, address: u8) -> actix_http::Request {
    let request = TestRequest::get().uri(path);
    let request = request.peer_addr(([127, 0, 0, address], 50_000).into());
    request.insert_header(("Host", "localhost")).to_request()
}

/// A call for which there is no place.
async fn assert_busy<B: MessageBody>(response: ServiceResponse<B>) {
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers().get("retry-after").unwrap(), "5");
    let Ok(body) = to_bytes(response.into_body()).await else {
        panic!("the answer breaks off");
    };
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains(r#""type":"Busy""#), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_has_two_of_the_eight_places_for_csv_files() {
    let api = Data::new(stuck(&World::new(), OFF_HERE));
    let service = init_service(app(api, &options())).await;
    let call = |address| Box::pin(call_service(&service, export(CSV, address)));
    let mut held = Vec::new();
    for address in [1, 1, 2, 2, 3, 3, 4] {
        let mut call = call(address);
        assert!(futures_util::poll!(&mut call).is_pending());
        held.push(call);
    }
    assert_busy(call(1).await).await;
    let mut last = call(5);
    assert!(futures_util::poll!(&mut last).is_pending());
    assert_busy(call(6).await).await;
    // One of the first caller's goes, and there is room for one of its own.
    drop(held.remove(0));
    assert!(futures_util::poll!(call(1)).is_pending());
}

#[tokio::test(start_paused = true)]
async fn there_are_places_for_two_workbooks_and_four_tables() {
    let api = Data::new(stuck(&World::new(), OFF_HERE));
    let service = init_service(app(api, &options())).await;
    let workbook = |address| Box::pin(call_service(&service, export(XLSX, address)));
    let (mut first, mut second) = (workbook(1), workbook(2));
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    assert_busy(workbook(3).await).await;
    let table = || {
        let request = TestRequest::post().uri(BULK);
        let request = request.insert_header(("Content-Type", "text/csv"));
        let mut request = request.to_request();
        *request.payload() = endless();
        Box::pin(call_service(&service, request))
    };
    let mut tables: Vec<_> = (0..4).map(|_| table()).collect();
    for table in &mut tables {
        assert!(futures_util::poll!(table).is_pending());
    }
    assert_busy(table().await).await;
    tables.pop();
    assert!(futures_util::poll!(table()).is_pending());
}

const BULK: &str = "/api/v1/customer/validate-customers";

/// A list without an end.
fn endless_list() -> MockReports {
    let mut reports = MockReports::new();
    reports.expect_part().returning(|_| {
        let request = sample::new_request();
        Ok(ExportPart {
            next: Some(ListPlace {
                days: 0,
                micros: 0,
                id: request.id,
            }),
            items: vec![domain::requests::Request::just_stored(&request); 100],
        })
    });
    reports
}

fn with_endless_list() -> Api {
    let world = World::new();
    let mut ports = Ports::of(&world);
    ports.reports = Arc::new(endless_list());
    ports.auth = OFF_HERE;
    api_over(&world, &ports)
}

#[tokio::test(start_paused = true)]
async fn a_file_that_nobody_reads_is_given_up_after_a_minute() {
    let service = init_service(app(Data::new(with_endless_list()), &options())).await;
    let call = || call_service(&service, export(CSV, 1));
    let unread = [call().await, call().await];
    assert_busy(call().await).await;
    let began = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_secs(1));
    while call().await.status() == 503 {
        pace.tick().await;
    }
    let waited = began.elapsed().as_secs();
    assert!((59..=61).contains(&waited), "{waited}");
    for response in unread {
        assert!(to_bytes(response.into_body()).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_read_slowly_is_given_up_after_an_hour() {
    let service = init_service(app(Data::new(with_endless_list()), &options())).await;
    let response = call_service(&service, export(CSV, 1)).await;
    let began = Instant::now();
    let mut body = Box::pin(response.into_body());
    let mut pace = tokio::time::interval(Duration::from_secs(50));
    while let Some(Ok(_)) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        pace.tick().await;
        assert!(began.elapsed() < Duration::from_secs(7_200), "{began:?}");
    }
    assert!(began.elapsed() >= Duration::from_secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn rows_that_the_store_does_not_take_are_refused_after_55_seconds() {
    let world = World::new();
    let mut ports = Ports::of(&world);
    ports.requests = Arc::new(Stuck);
    let intake = world.services_over(&ports).intake;
    let options = BulkOptions {
        seen: Visibility::All,
        dealer: None,
        key: None,
        dry_run: false,
        minimal: false,
        origin: None,
    };
    let wanted = tables::Options {
        most_rows: 10,
        most_unpacked: 0,
        has_dealer: false,
        keep_cells: false,
    };
    let lines = Box::new(std::io::Cursor::new(format!("{0}\n{0}\n", submission())));
    let mut table = Table::open(Form::JsonLines, lines, &wanted).expect("a table");
    let mut bulk = Bulk::new(intake, options);
    let began = Instant::now();
    bulk.take_block(table.next_rows(1).expect("a row")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(55));
    // Nothing more is tried.
    bulk.take_block(table.next_rows(1).expect("a row")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(55));
    let data = bulk.finish(None).await.data;
    assert_eq!((data.accepted, data.rejected), (0, 2));
    assert!(data.items.iter().all(|item| item.may_be_stored_later()));
}
