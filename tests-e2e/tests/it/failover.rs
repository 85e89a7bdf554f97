//! A database that fails over, or takes no writes for a while.

use std::time::{Duration, Instant};

use local_postgres::{LocalPostgres, Options};
use tests_e2e::{Reply, Service, Story, eventually, submission};
use tokio_postgres::NoTls;

const PATH: &str = "/api/v1/customer/validate-customer";
const READY: &str = "/api/v1/health/ready";

/// What callers are promised, and a little for a busy machine.
const LIMIT: Duration = Duration::from_millis(5_500);

async fn execute(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
}

async fn post(service: &Service, n: u32) -> Reply {
    let began = Instant::now();
    let reply = service.post(PATH, &submission(n)).await.unwrap();
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    reply
}

async fn status_of(service: &Service, path: &str) -> u16 {
    service.get(path).await.unwrap().status
}

/// Nothing can be stored, and everybody is told so in time.
async fn is_out_of_order(service: &Service) {
    for n in 0..4 {
        let reply = post(service, 900 + n).await;
        assert_eq!(reply.status, 503, "{}", reply.text);
        assert!(reply.header("retry-after").is_some());
        assert_eq!(status_of(service, READY).await, 503);
    }
}

/// From here on everything is stored again, without a restart.
async fn is_well_again(service: &Service) {
    eventually("it is ready again", async || {
        (status_of(service, READY).await == 200).then_some(())
    })
    .await;
    // More than there are sessions.
    for n in 0..30 {
        let reply = post(service, 800 + n).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demoted_server_is_out_of_order_until_it_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let url = server.url("customer_service");
    let story = Story::begin_at(&url).await;
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;

    server.demote().unwrap();
    is_out_of_order(&service).await;
    execute(&url, "SELECT pg_promote()").await;
    is_well_again(&service).await;
    assert_eq!(status_of(&service, &path).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_started_at_a_standby_waits_for_its_promotion() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let url = server.url("customer_service");
    let story = Story::begin_at(&url).await;
    server.demote().unwrap();
    let service = story.serve();
    is_out_of_order(&service).await;
    execute(&url, "SELECT pg_promote()").await;
    is_well_again(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_made_read_only_is_out_of_order_until_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalPostgres::start(&Options::durable(folder.path().join("pg"))).unwrap();
    let url = server.url("customer_service");
    let story = Story::begin_at(&url).await;
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    let postgres = server.url("postgres");
    // By the server's own configuration: a default of its database or role is overridden.
    let on = "ALTER SYSTEM SET default_transaction_read_only TO on";
    execute(&postgres, on).await;
    execute(&postgres, "SELECT pg_reload_conf()").await;
    eventually("it is not ready", async || {
        (status_of(&service, READY).await == 503).then_some(())
    })
    .await;
    is_out_of_order(&service).await;
    let writing = format!("{postgres}?options=-cdefault_transaction_read_only%3Doff");
    execute(&writing, "ALTER SYSTEM RESET default_transaction_read_only").await;
    execute(&writing, "SELECT pg_reload_conf()").await;
    is_well_again(&service).await;
    assert_eq!(status_of(&service, &path).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_follows_to_a_standby_that_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let mut primary =
        LocalPostgres::start(&Options::durable(folder.path().join("primary"))).unwrap();
    let standby = primary
        .start_standby(&Options::durable(folder.path().join("standby")))
        .unwrap();
    let story = Story::begin_at(&primary.url("customer_service")).await;
    let (one, other) = (primary.port(), standby.port());
    let hosts = format!("127.0.0.1:{other},127.0.0.1:{one}");
    let url = primary
        .url("customer_service")
        .replace(&format!("127.0.0.1:{one}"), &hosts);
    let story = story.with(
        "DATABASE_URL",
        &format!("{url}?target_session_attrs=read-write"),
    );
    let service = story.serve();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    let behind =
        "SELECT pg_current_wal_lsn() > coalesce(min(replay_lsn), '0/0') FROM pg_stat_replication";
    let client = story.database.connect().await;
    eventually("the standby has everything", async || {
        let row = client.query_one(behind, &[]).await.unwrap();
        (!row.get::<_, bool>(0)).then_some(())
    })
    .await;

    primary.kill().unwrap();
    is_out_of_order(&service).await;
    execute(&standby.url("postgres"), "SELECT pg_promote()").await;
    is_well_again(&service).await;
    assert_eq!(status_of(&service, &path).await, 200);
}
