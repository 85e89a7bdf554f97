//! Databases as they are found: empty, of an existing installation, under another schema, with a
//! role that may do little.

use std::sync::Arc;

use domain::access::Visibility;
use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::ports::{
    DateRange, DealerDirectory as _, EventStore as _, Outbox as _, Reports as _, RequestStore as _,
    Settlement,
};
use store_postgres::testing::{TestDatabase, grants_for};
use store_postgres::{
    DatabaseUrl, MigrateError, MigrationState, PgStore, PoolOptions, SchemaName, Shortcoming,
    compare_counts, migrate,
};
use testkit::sample;
use tokio_postgres::Client;

use crate::backstage::{store, store_at};
use crate::interrupted::interrupt_build;

/// The tables of an existing installation, with a row that its service left PENDING.
pub(crate) const EXISTING: &str = "
CREATE SCHEMA customer;
CREATE TABLE customer.customer_validation_request (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    request_time TIME NOT NULL,
    nama_pembawa VARCHAR(255) NOT NULL,
    no_telp VARCHAR(20) NOT NULL,
    tipe_unit VARCHAR(100) NOT NULL,
    no_pol VARCHAR(20) NOT NULL,
    request_status VARCHAR(20) DEFAULT 'PENDING',
    whatsapp_status VARCHAR(20) DEFAULT 'NOT_SENT',
    fonnte_response JSON,
    created_by VARCHAR(100),
    created_date TIMESTAMP DEFAULT NOW(),
    last_modified_by VARCHAR(100),
    last_modified_date TIMESTAMP DEFAULT NOW()
);
CREATE SCHEMA dealer_integration;
CREATE TABLE dealer_integration.dealers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) UNIQUE NOT NULL,
    dealer_name VARCHAR(255) NOT NULL,
    fonnte_api_key VARCHAR(255),
    fonnte_api_url VARCHAR(255) DEFAULT 'https://api.fonnte.com/send',
    is_active BOOLEAN DEFAULT TRUE,
    api_key VARCHAR(255),
    secret_key VARCHAR(255),
    created_at TIMESTAMP, updated_at TIMESTAMP
);
INSERT INTO dealer_integration.dealers (dealer_id, dealer_name, fonnte_api_key, secret_key)
    VALUES ('0009999', 'Dealer Lama', 'key', 'of another service');
INSERT INTO customer.customer_validation_request
    (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol)
    VALUES ('0009999', '2025-01-02', '03:04:05', 'Budi', '0821-4852-3421', 'Vario', 'd123ad');
";

fn schema(name: &str) -> SchemaName {
    SchemaName::parse(name).unwrap()
}

async fn migrate_as_owner(database: &TestDatabase, name: &str) -> usize {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate(&url, &schema(name)).await.unwrap()
}

async fn count(client: &Client, statement: &str) -> i64 {
    client.query_one(statement, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_made_ready() {
    let database = TestDatabase::empty().await;
    assert!(migrate_as_owner(&database, "customer").await > 0);
    assert_eq!(migrate_as_owner(&database, "customer").await, 0);
    let store = store(&database);
    assert_eq!(
        store.migration_state().await.unwrap(),
        MigrationState::Current
    );
    store.accept(&sample::new_request()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_installation_keeps_its_rows_and_gets_no_messages_for_them() {
    let database = TestDatabase::empty().await;
    let client = database.connect().await;
    client.batch_execute(EXISTING).await.unwrap();
    migrate_as_owner(&database, "customer").await;

    let store = store(&database);
    assert_eq!(store.inspect().await.unwrap().old_pending, 1);
    assert_eq!(
        count(&client, "SELECT count(*) FROM customer.message").await,
        0
    );
    let claims = store
        .claim(
            domain::ports::WorkerId(uuid::Uuid::nil()),
            10,
            sample::policy().lease,
        )
        .await
        .unwrap();
    assert!(claims.is_empty());
    let dealer = store
        .dealers()
        .find(&sample::dealer_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dealer.name, "Dealer Lama");
    let stats = store
        .stats(&sample::dealer_id(), Default::default())
        .await
        .unwrap();
    assert_eq!(
        (stats.total, stats.pending_requests, stats.not_sent),
        (1, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn going_down_and_up_again_keeps_every_request() {
    let database = TestDatabase::empty().await;
    let client = database.connect().await;
    client.batch_execute(EXISTING).await.unwrap();
    migrate_as_owner(&database, "customer").await;
    store(&database)
        .accept(&sample::new_request())
        .await
        .unwrap();

    undo(&client, "").await;
    client
        .batch_execute("DROP TABLE __diesel_schema_migrations")
        .await
        .unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM customer_validation_request").await,
        2
    );
    assert_eq!(
        count(&client, "SELECT count(*) FROM dealer_integration.dealers").await,
        1
    );

    assert!(migrate_as_owner(&database, "customer").await > 0);
    assert_eq!(
        count(&client, "SELECT count(*) FROM customer_validation_request").await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_ours_lives_in_the_configured_schema() {
    let database = TestDatabase::empty().await;
    migrate_as_owner(&database, "other_name").await;
    let client = database.connect().await;
    let elsewhere = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN
        ('other_name', 'dealer_integration', 'pg_catalog', 'information_schema')";
    assert_eq!(count(&client, elsewhere).await, 0);
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let store = PgStore::new(&url, schema("other_name"), &PoolOptions::default()).unwrap();
    let request = sample::new_request();
    store.accept(&request).await.unwrap();
    assert!(
        store
            .find(request.id, &Visibility::All)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_start_together_migrate_once() {
    let database = Arc::new(TestDatabase::empty().await);
    let copies: Vec<_> = (0..4)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { migrate_as_owner(&database, "customer").await })
        })
        .collect();
    let mut applied = Vec::new();
    for copy in copies {
        applied.push(copy.await.unwrap());
    }
    applied.sort_unstable();
    assert_eq!(applied[..3], [0, 0, 0]);
    assert!(applied[3] > 0);
}

/// A role that may log in and nothing else, named after the database so that tests do not meet.
async fn make_role(database: &TestDatabase, client: &Client, rights: &str) -> String {
    let name: String = client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let role = format!("role_{name}");
    let rights = rights.replace("{role}", &role);
    client
        .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'; {rights}"))
        .await
        .unwrap();
    database.url_as(&role, "pw")
}

async fn drop_role(client: &Client) {
    let name: String = client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    client
        .batch_execute(&format!("DROP OWNED BY role_{name}; DROP ROLE role_{name}"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serving_role_needs_no_right_to_create() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let url = make_role(&database, &client, &grants_for("{role}")).await;
    let parsed = DatabaseUrl::parse(&url).unwrap();
    assert_eq!(migrate(&parsed, &schema("customer")).await.unwrap(), 0);
    serve_a_little(&store_at(&url)).await;
    drop_role(&client).await;
}

/// An owner may have taken the right to call functions from everybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_serving_role_may_call_what_its_statements_call() {
    let database = TestDatabase::empty().await;
    let client = database.connect().await;
    let hardening = "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC";
    client.batch_execute(hardening).await.unwrap();
    assert!(migrate_as_owner(&database, "customer").await > 0);
    let url = make_role(&database, &client, &grants_for("{role}")).await;
    let store = store_at(&url);
    serve_a_little(&store).await;
    let worker = domain::ports::WorkerId(uuid::Uuid::nil());
    let request = sample::request_for(&sample::dealer_id_numbered(1), 7);
    store.accept(&request).await.unwrap();
    let claims = store.claim(worker, 10, sample::policy().lease).await;
    for claim in claims.unwrap() {
        let sent = Settlement {
            message: Some((request.message.id, MessageChange::Sent(Receipt::default()))),
            lane: LaneChange::Ready {
                pause: std::time::Duration::ZERO,
            },
            attempt: None,
            called: true,
            call: None,
            account_fingerprint: None,
        };
        store.settle(&claim.lease, &sent).await.unwrap();
    }
    drop_role(&client).await;
}

/// Tables that were not there when the rights were granted.
#[tokio::test(flavor = "multi_thread")]
async fn a_serving_role_has_the_tables_of_later_migrations() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    // As long as there was no `request_count`.
    undo(&client, "20261122000015").await;
    // The release before did not have these tables.
    let grants = grants_for("{role}").replace(
        ",\n    customer.message_seconds_change, customer.console_session,\n    customer.reply, customer.opt_out, customer.opt_out_confirmation, customer.endpoint,\n    customer.event, customer.event_delivery",
        "",
    );
    let url = make_role(&database, &client, &grants).await;
    assert!(migrate_as_owner(&database, "customer").await > 0);
    serve_a_little(&store_at(&url)).await;

    let later = "CREATE TABLE customer.later (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT)";
    client.batch_execute(later).await.unwrap();
    let serving = connect(&url).await;
    let everything = "INSERT INTO customer.later (name) VALUES ('a');
        UPDATE customer.later SET name = 'b' WHERE name = 'a';
        DELETE FROM customer.later";
    serving.batch_execute(everything).await.unwrap();
    drop(serving);
    drop_role(&client).await;
}

/// Undoes this migration and all after it.
async fn undo(client: &Client, first: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut migrations: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    migrations.sort();
    client
        .batch_execute("SET search_path TO customer")
        .await
        .unwrap();
    for migration in migrations.iter().rev() {
        let name = migration.file_name().unwrap().to_str().unwrap();
        let version = name.split('_').next().unwrap().replace('-', "");
        if *version < *first {
            break;
        }
        let down = std::fs::read_to_string(migration.join("down.sql")).unwrap();
        client.batch_execute(&down).await.unwrap();
    }
    client
        .execute(
            "DELETE FROM __diesel_schema_migrations WHERE version >= $1",
            &[&first],
        )
        .await
        .unwrap();
}

/// What a copy of the service does all day.
async fn serve_a_little(store: &PgStore) {
    let request = sample::new_request();
    store.accept(&request).await.unwrap();
    let worker = domain::ports::WorkerId(uuid::Uuid::nil());
    let claims = store.claim(worker, 10, sample::policy().lease).await;
    assert_eq!(claims.unwrap().len(), 1);
    let dealer = sample::dealer_id();
    assert!(store.dealers().find(&dealer).await.unwrap().is_none());
    assert!(!store.add_up_counts().await.unwrap());
    let stats = store.stats(&dealer, Default::default()).await.unwrap();
    assert_eq!(stats.total, 1);
    assert!(store.inspect().await.is_ok());
    assert_eq!(store.forget_old_keys().await.unwrap(), 0);
    assert_eq!(store.forget_old_events().await.unwrap(), 0);
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_migrate_is_told_what_to_do() {
    let database = TestDatabase::empty().await;
    let client = database.connect().await;
    let url = make_role(&database, &client, "").await;
    let parsed = DatabaseUrl::parse(&url).unwrap();
    let error = migrate(&parsed, &schema("customer")).await.unwrap_err();
    assert!(matches!(error, MigrateError::Forbidden { .. }), "{error:?}");
    assert!(
        error.to_string().contains("customer-service migrate"),
        "{error}"
    );
    drop_role(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_whose_building_was_interrupted_is_built_anew() {
    let database = TestDatabase::empty().await;
    let mut client = database.connect().await;
    client.batch_execute(EXISTING).await.unwrap();
    // A snapshot from before stops the building of an index, and not the steps before it.
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let other = client.transaction().await.unwrap();
    let snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1";
    other.batch_execute(snapshot).await.unwrap();
    let interrupting = database.connect().await;
    let name = schema("customer");
    let (migrated, ()) = tokio::join!(migrate(&url, &name), interrupt_build(&interrupting));
    let error = migrated.unwrap_err();
    assert!(matches!(error, MigrateError::Interrupted(_)), "{error:?}");
    other.rollback().await.unwrap();
    let client = database.connect().await;
    let broken = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(count(&client, broken).await, 1);

    assert!(migrate_as_owner(&database, "customer").await > 0);
    assert_eq!(count(&client, broken).await, 0);
    let built =
        "SELECT count(*) FROM pg_indexes WHERE indexname = 'customer_validation_request_list'";
    assert_eq!(count(&client, built).await, 1);
}

/// The service of this schema stores a request, and its counts are right.
async fn serves_in(url: &str, name: &str, requests: u32) {
    let url = DatabaseUrl::parse(url).unwrap();
    migrate(&url, &schema(name)).await.unwrap();
    let store = PgStore::new(&url, schema(name), &PoolOptions::default()).unwrap();
    assert!(store.shortcomings().await.unwrap().is_empty());
    let request = sample::request_for(&sample::dealer_id(), requests);
    store.accept(&request).await.unwrap();
    let dealer = sample::dealer_id();
    let counted = store.stats(&dealer, DateRange::default()).await.unwrap();
    assert_eq!(counted.total, u64::from(requests));
    let wrong = compare_counts(&url, &schema(name), None).await.unwrap();
    assert_eq!(wrong.wrong, 0);
}

/// Renamed, by a release that held its name and by this one, and with another schema of the old name
/// that must not be touched.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_was_renamed_is_served_under_its_new_name() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let url = database.url();
    serves_in(url, "customer", 1).await;
    undo(&client, "20261130000075").await;
    client
        .batch_execute("ALTER SCHEMA customer RENAME TO renamed")
        .await
        .unwrap();
    serves_in(url, "renamed", 2).await;
    client
        .batch_execute("ALTER SCHEMA renamed RENAME TO \"_again\"")
        .await
        .unwrap();
    let other = DatabaseUrl::parse(url).unwrap();
    migrate(&other, &schema("renamed")).await.unwrap();
    serves_in(url, "_again", 3).await;
    // Other programs write without any search path of ours.
    client
        .batch_execute(
            "INSERT INTO _again.customer_validation_request
                (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol)
                VALUES ('0009999', '2025-01-02', '03:04', 'A', '0812', 'B', 'C');
            UPDATE _again.customer_validation_request SET request_status = 'FAILED';
            DELETE FROM _again.customer_validation_request WHERE nama_pembawa = 'A'",
        )
        .await
        .unwrap();
    serves_in(url, "_again", 4).await;
    let elsewhere = "SELECT (SELECT count(*) FROM renamed.request_count_change)
        + (SELECT count(*) FROM renamed.customer_validation_request)";
    assert_eq!(count(&client, elsewhere).await, 0);
}

/// The role that serves a schema which an older release left and somebody renamed is told who must do it.
#[tokio::test(flavor = "multi_thread")]
async fn a_serving_role_cannot_mend_a_renamed_schema_and_says_so() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let serving = database.url_serving().await;
    undo(&client, "20261130000075").await;
    client
        .batch_execute("ALTER SCHEMA customer RENAME TO renamed")
        .await
        .unwrap();
    let parsed = DatabaseUrl::parse(&serving).unwrap();
    let error = migrate(&parsed, &schema("renamed")).await.unwrap_err();
    assert!(matches!(error, MigrateError::Forbidden { .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("customer-service migrate"), "{words}");
    let store = PgStore::new(&parsed, schema("renamed"), &PoolOptions::default()).unwrap();
    let told = store.shortcomings().await.unwrap();
    let lost = |found: &Shortcoming| matches!(found, Shortcoming::LostFunction { .. });
    assert!(told.iter().all(lost), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
    migrate(
        &DatabaseUrl::parse(database.url()).unwrap(),
        &schema("renamed"),
    )
    .await
    .unwrap();
    serves_in(&serving, "renamed", 1).await;
}

/// A session of its caller with tables of the same names first in its path changes nothing, and neither
/// is its own path changed.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_use_no_path_of_their_caller_and_leave_it_alone() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client
        .batch_execute(
            "CREATE TEMP TABLE request_count_change (LIKE customer.request_count_change);
            SET search_path TO pg_temp, public;
            INSERT INTO customer.customer_validation_request
                (dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol)
                VALUES ('0009999', '2025-01-02', '03:04', 'A', '0812', 'B', 'C')",
        )
        .await
        .unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM pg_temp.request_count_change").await,
        0
    );
    let row = client.query_one("SHOW search_path", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "pg_temp, public");
    let there = "SELECT count(*) FROM customer.request_count_change";
    assert_eq!(count(&client, there).await, 1);
}
