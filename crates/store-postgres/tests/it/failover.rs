//! Servers that fail over, or take no writes for a while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::access::{AuditCursor, Visibility};
use domain::ports::{AuditLog as _, RequestStore as _, StoreError};
use domain::requests::RequestId;
use local_postgres::{LocalPostgres, Options};
use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, MigrationState, PgStore, PoolOptions, SchemaName, migrate};
use testkit::sample;
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{Client, NoTls};

use crate::backstage::{store_at, store_with};

/// What callers are promised.
const LIMIT: Duration = Duration::from_secs(5);

/// How long a server may take for what it is told to do.
const SERVER_LIMIT: Duration = Duration::from_secs(30);

/// A server of its own with a migrated database.
async fn server(folder: &tempfile::TempDir) -> LocalPostgres {
    let server = LocalPostgres::start(&Options::fast(folder.path().join("pg"))).unwrap();
    let url = DatabaseUrl::parse(&server.url("customer_service")).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    migrate(&url, &schema).await.unwrap();
    server
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn execute(server: &LocalPostgres, statement: &str) {
    let client = connect(&server.url("postgres")).await;
    client.batch_execute(statement).await.unwrap();
}

/// Stores a request that nobody has stored before.
async fn accept(store: &PgStore) -> Result<RequestId, StoreError> {
    let request = sample::request_for(&sample::dealer_id(), rand_number());
    store.accept(&request).await.map(|_| request.id)
}

fn rand_number() -> u32 {
    uuid::Uuid::new_v4().as_u128() as u32 % 100_000_000
}

async fn is_ready(store: &PgStore) -> bool {
    store.migration_state().await.ok() == Some(MigrationState::Current)
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(20));
    while !is_so().await {
        assert!(began.elapsed() < SERVER_LIMIT, "never came about: {what}");
        again.tick().await;
    }
}

/// The processes of the service's sessions.
async fn sessions(client: &Client) -> BTreeSet<i32> {
    let statement = "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'customer-service'";
    let rows = client.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Ends the service's sessions, so that the next ones are new.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'customer-service'";

/// A default is no lock: any session may set another value, and ours do.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_write_although_their_database_or_role_defaults_to_reading() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    let store = store_at(&server.url("customer_service"));
    for whose in [
        "DATABASE customer_service",
        "ROLE postgres",
        "ROLE ALL",
        "ROLE postgres IN DATABASE customer_service",
    ] {
        let client = connect(&server.url("postgres")).await;
        let on = format!("ALTER {whose} SET default_transaction_read_only TO on");
        client.batch_execute(&on).await.unwrap();
        client.batch_execute(END_SESSIONS).await.unwrap();
        eventually("it stores", async || accept(&store).await.is_ok()).await;
        let fresh = store_at(&server.url("customer_service"));
        accept(&fresh).await.unwrap();
        assert!(is_ready(&fresh).await, "{whose}");
        let off = format!(
            "SET default_transaction_read_only TO off;
            ALTER {whose} RESET default_transaction_read_only"
        );
        client.batch_execute(&off).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_become_read_only_cost_those_in_use_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    let store = store_at(&server.url("customer_service"));
    // Several sessions of each kind.
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let after = Some(AuditCursor(i64::MAX));
                store.page(after, 1).await.unwrap();
                accept(&store).await.unwrap();
            })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap();
    }
    let client = connect(&server.url("customer_service")).await;
    let before = sessions(&client).await;
    assert!(before.len() >= 2, "{before:?}");

    execute(
        &server,
        "ALTER SYSTEM SET default_transaction_read_only TO on",
    )
    .await;
    execute(&server, "SELECT pg_reload_conf()").await;
    eventually("a write is refused", async || accept(&store).await.is_err()).await;
    assert!(!is_ready(&store).await, "no session can write");
    let client = connect(&server.url("customer_service")).await;
    client
        .batch_execute("SET default_transaction_read_only TO off")
        .await
        .unwrap();
    let reset = "ALTER SYSTEM RESET default_transaction_read_only";
    client.batch_execute(reset).await.unwrap();
    client
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    eventually("it is ready again", async || is_ready(&store).await).await;
    accept(&store).await.unwrap();
    let after = sessions(&client).await;
    assert!(
        before.is_disjoint(&after),
        "sessions that could not write are used again: {before:?}, {after:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demoted_server_is_not_ready_until_it_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(&folder).await;
    let store = store_at(&server.url("customer_service"));
    let stored = accept(&store).await.unwrap();
    server.demote().unwrap();
    for _ in 0..3 {
        assert!(is_unavailable(&accept(&store).await));
        assert!(!is_ready(&store).await);
    }
    execute(&server, "SELECT pg_promote()").await;
    accept(&store).await.unwrap();
    assert!(is_ready(&store).await);
    let found = store.find(stored, &Visibility::All).await.unwrap();
    assert!(found.is_some());
}

/// The address of a database on two servers.
fn on_both(one: &LocalPostgres, other: &LocalPostgres, query: &str) -> String {
    let url = one.url("customer_service");
    let both = format!("127.0.0.1:{},127.0.0.1:{}", one.port(), other.port());
    format!(
        "{}{query}",
        url.replace(&format!("127.0.0.1:{}", one.port()), &both)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut primary = server(&folder).await;
    let standby = primary
        .start_standby(&Options::fast(folder.path().join("standby")))
        .unwrap();
    // Whatever is asked for: a session that cannot write is of no use.
    let stores: Vec<_> = [
        "",
        "?target_session_attrs=any",
        "?target_session_attrs=read-write",
        "?target_session_attrs=primary",
        "?load_balance_hosts=random",
    ]
    .into_iter()
    .flat_map(|query| {
        [
            on_both(&primary, &standby, query),
            on_both(&standby, &primary, query),
        ]
    })
    .map(|url| (store_at(&url), url))
    .collect();
    let mut last = None;
    for (store, url) in &stores {
        let stored = accept(store).await;
        last = Some(stored.unwrap_or_else(|error| panic!("{url}: {error:?}")));
    }
    let copied = connect(&standby.url("customer_service")).await;
    let statement = "SELECT FROM customer.message WHERE request_id = $1::text::uuid";
    let id = last.unwrap().to_string();
    eventually("the standby has it", async || {
        copied.query_opt(statement, &[&id]).await.unwrap().is_some()
    })
    .await;

    primary.kill().unwrap();
    for (store, url) in &stores {
        assert!(is_unavailable(&accept(store).await), "{url}");
        assert!(!is_ready(store).await, "{url}");
    }
    execute(&standby, "SELECT pg_promote()").await;
    for (store, url) in &stores {
        let stored = accept(store).await;
        stored.unwrap_or_else(|error| panic!("{url}: {error:?}"));
        assert!(is_ready(store).await, "{url}");
        let id = RequestId(id.parse().unwrap());
        assert!(store.find(id, &Visibility::All).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_answers_keeps_nobody_from_the_next_one() {
    let database = TestDatabase::migrated().await;
    // Accepts connections into its backlog and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap();
    let (before, after) = database.url().split_once('@').unwrap();
    let (host, rest) = after.split_once('/').unwrap();
    for hosts in [format!("{silent},{host}"), format!("{host},{silent}")] {
        let store = store_at(&format!("{before}@{hosts}/{rest}"));
        let began = Instant::now();
        accept(&store).await.unwrap();
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    }
}

/// A network between the service and its database that can swallow everything.
struct Network {
    port: u16,
    is_silent: Arc<AtomicBool>,
}

impl Network {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let is_silent = Arc::new(AtomicBool::new(false));
        let network = Self {
            port: listener.local_addr().unwrap().port(),
            is_silent: is_silent.clone(),
        };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let is_silent = is_silent.clone();
                tokio::spawn(async move { carry(near, far, &is_silent).await });
            }
        });
        network
    }
}

/// Carries what is written either way; nothing is closed, and nothing is carried, while it is silent.
async fn carry(near: TcpStream, far: TcpStream, is_silent: &AtomicBool) {
    let mut buffer = vec![0; 65_536];
    loop {
        tokio::select! {
            ready = near.readable() => ready.unwrap(),
            ready = far.readable() => ready.unwrap(),
        }
        if is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        for (from, to) in [(&near, &far), (&far, &near)] {
            match from.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => {
                    let mut rest = &buffer[..read];
                    while !rest.is_empty() {
                        to.writable().await.unwrap();
                        if let Ok(written) = to.try_write(rest) {
                            rest = &rest[written..];
                        }
                    }
                }
                Err(_) => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_costs_only_the_sessions_in_use() {
    let database = TestDatabase::migrated().await;
    let (before, after) = database.url().split_once('@').unwrap();
    let (host, rest) = after.split_once('/').unwrap();
    let (_, port) = host.split_once(':').unwrap();
    let network = Network::to(port.parse().unwrap()).await;
    let hosts = format!("127.0.0.1:{},{host}", network.port);
    let store = store_at(&format!("{before}@{hosts}/{rest}"));
    // Fills the pools with sessions over the network.
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.audit, customer.message")
        .await
        .unwrap();
    let asking: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let _ = store.page(None, 1).await;
            })
        })
        .collect();
    let storing = tokio::spawn({
        let store = store.clone();
        async move { accept(&store).await }
    });
    let watching = database.connect().await;
    eventually("all have sessions", async || {
        sessions(&watching).await.len() >= 7
    })
    .await;
    lock.rollback().await.unwrap();
    for asked in asking {
        asked.await.unwrap();
    }
    storing.await.unwrap().unwrap();

    network.is_silent.store(true, Ordering::Relaxed);
    let began = Instant::now();
    assert!(is_unavailable(&accept(&store).await));
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    // All others are known to be lost by now: each would cost seconds.
    let began = Instant::now();
    for _ in 0..6 {
        store.page(None, 1).await.unwrap();
        accept(&store).await.unwrap();
    }
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_after_a_while_whether_they_are_used_or_not() {
    let database = TestDatabase::migrated().await;
    let options = PoolOptions {
        life: Duration::from_millis(400),
        ..PoolOptions::default()
    };
    let store = store_with(database.url(), &options);
    let client = database.connect().await;
    store.page(None, 1).await.unwrap();
    accept(&store).await.unwrap();
    let first = sessions(&client).await;
    assert_eq!(first.len(), 2);
    // One pool is used all the time.
    eventually("they are replaced", async || {
        accept(&store).await.unwrap();
        sessions(&client).await.is_disjoint(&first)
    })
    .await;
    // The other one has made no new session.
    eventually("none is kept", async || sessions(&client).await.is_empty()).await;
    accept(&store).await.unwrap();
}

/// By its SQLSTATE alone: the words are the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_session_ends_it_and_one_of_the_statement_does_not() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let options = PoolOptions {
        size: 1,
        callers: 1,
        ..PoolOptions::default()
    };
    let store = store_with(database.url(), &options);
    for (state, ends) in [
        ("25006", true),
        ("57P01", true),
        ("57P02", true),
        ("57P03", true),
        ("57P05", true),
        ("08000", true),
        ("08003", true),
        ("08006", true),
        ("08P01", true),
        ("57014", false),
        ("55P03", false),
        ("22001", false),
        ("22P05", false),
        ("23505", false),
        ("40P01", false),
        ("P0001", false),
    ] {
        accept(&store).await.unwrap();
        let before = sessions(&client).await;
        client
            .batch_execute(&format!(
                "CREATE FUNCTION customer.fail() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'always the same words' USING ERRCODE = '{state}'; END $$;
                CREATE TRIGGER fail BEFORE INSERT ON customer.message
                    FOR EACH STATEMENT EXECUTE FUNCTION customer.fail();"
            ))
            .await
            .unwrap();
        let refused = accept(&store).await;
        let lasts = ["22", "23", "P0"].contains(&&state[..2]);
        let is_told = matches!(refused, Err(StoreError::Rejected(_)));
        assert_eq!(
            (is_told, is_unavailable(&refused)),
            (lasts, !lasts),
            "{state}"
        );
        client
            .batch_execute("DROP FUNCTION customer.fail() CASCADE")
            .await
            .unwrap();
        accept(&store).await.unwrap();
        let after = sessions(&client).await;
        assert_eq!(before.is_disjoint(&after), ends, "{state}");
    }
}
