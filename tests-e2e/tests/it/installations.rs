use store_postgres::testing::TestDatabase;
use tests_e2e::{DEALER, Database, KEY, Story, output};

/// What the Python service left behind, in short; all columns are in the tests of the store.
const EXISTING: &str = "
CREATE SCHEMA customer;
CREATE TABLE customer.customer_validation_request (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) NOT NULL, request_date DATE NOT NULL, request_time TIME NOT NULL,
    nama_pembawa VARCHAR(255) NOT NULL, no_telp VARCHAR(20) NOT NULL,
    tipe_unit VARCHAR(100) NOT NULL, no_pol VARCHAR(20) NOT NULL,
    request_status VARCHAR(20) DEFAULT 'PENDING', whatsapp_status VARCHAR(20) DEFAULT 'NOT_SENT',
    fonnte_response JSON, created_by VARCHAR(100), created_date TIMESTAMP DEFAULT NOW(),
    last_modified_by VARCHAR(100), last_modified_date TIMESTAMP DEFAULT NOW());
CREATE SCHEMA dealer_integration;
CREATE TABLE dealer_integration.dealers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) UNIQUE NOT NULL, dealer_name VARCHAR(255) NOT NULL,
    fonnte_api_key VARCHAR(255), fonnte_api_url VARCHAR(255) DEFAULT 'https://api.fonnte.com/send',
    is_active BOOLEAN DEFAULT TRUE, created_at TIMESTAMP, updated_at TIMESTAMP,
    api_key VARCHAR(255));
INSERT INTO customer.customer_validation_request
    (id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
     request_status, whatsapp_status, fonnte_response, created_by, created_date, last_modified_by, last_modified_date)
VALUES ('00000000-0000-4000-8000-000000000001', '0009999', '2025-01-02', '03:04:05', 'Budi',
    '0821-4852-3421', 'Vario', 'd123ad', NULL, NULL, '{ \"b\": 1,  \"a\": [] }', NULL, NULL, NULL, NULL);
";

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_installation_is_taken_over_as_it_is() {
    let database = TestDatabase::empty().await;
    database
        .connect()
        .await
        .batch_execute(EXISTING)
        .await
        .unwrap();
    let story = Story::without_dealers(Database::Shared(database)).await;
    story.add_dealer(DEALER, Some(KEY)).await;
    let service = story.serve();
    tests_e2e::eventually("it is ready", async || {
        let reply = service.get("/api/v1/health/ready").await.ok()?;
        (reply.status == 200).then_some(())
    })
    .await;

    let old = service
        .get("/api/v1/customer/request/00000000-0000-4000-8000-000000000001")
        .await
        .unwrap();
    assert_eq!(
        old.text,
        r#"{"success":true,"message":"Request found","data":{"id":"00000000-0000-4000-8000-000000000001","dealer_id":"0009999","request_date":"2025-01-02","request_time":"03:04:05","nama_pembawa":"Budi","no_telp":"0821-4852-3421","tipe_unit":"Vario","no_pol":"d123ad","request_status":"PENDING","whatsapp_status":"NOT_SENT","fonnte_response":{ "b": 1,  "a": [] },"created_by":null,"created_date":null,"last_modified_by":null,"last_modified_date":null}}"#
    );
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    assert_eq!(
        story.simulator.message_count(),
        1,
        "the old row gets no message"
    );

    let doctor = output(&["doctor"], &story.settings());
    let shown = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        shown.contains("1 requests were left PENDING by an older service"),
        "{shown}"
    );
    assert_eq!(doctor.status.code(), Some(0), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_the_rights_of_the_readme_serves() {
    let database = TestDatabase::migrated().await;
    let url = database.url_serving().await;
    let story = Story::without_dealers(Database::Shared(database))
        .await
        .with("DATABASE_URL", &url)
        .with("RETENTION_DAYS", "30");
    story.add_dealer(DEALER, Some(KEY)).await;
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let person = serde_json::json!({"phone": "081200000001"});
    let erased = service.post("/api/v1/admin/erasure", &person).await;
    let erased = erased.expect("the service answers");
    assert_eq!(erased.json()["data"]["requests"], 1, "{}", erased.text);
    let doctor = output(&["doctor"], &story.settings());
    assert_eq!(doctor.status.code(), Some(0), "{doctor:?}");
    let (status, log) = service.terminate().await;
    assert!(status.success());
    let log = log.join("\n");
    assert!(!log.contains("permission denied"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_holds_every_table() {
    let database = TestDatabase::empty().await;
    let story = Story::without_dealers(Database::Shared(database))
        .await
        .with("DB_SCHEMA", "bengkel");
    let migrated = output(&["migrate"], &story.settings());
    assert!(migrated.status.success(), "{migrated:?}");
    story.add_dealer(DEALER, Some(KEY)).await;
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    assert_eq!(story.count("SELECT count(*) FROM bengkel.message").await, 1);
    assert_eq!(
        story
            .count("SELECT count(*) FROM pg_namespace WHERE nspname = 'customer'")
            .await,
        0
    );
    let detailed = service.get("/api/v1/health/detailed").await.unwrap();
    assert_eq!(detailed.json()["checks"]["database_schema"], "bengkel");
}
