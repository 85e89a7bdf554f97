//! What is set on every session.

use domain::access::AuditEntry;
use domain::ports::{AuditLog as _, RequestStore as _};
use local_postgres::{LocalPostgres, Options};
use store_postgres::testing::{TestDatabase, session_settings};
use store_postgres::{DatabaseUrl, PgStore, SchemaName, compare_counts, migrate, recount};
use testkit::sample;
use tokio_postgres::{Client, NoTls};

use crate::backstage::{store, store_at};
use crate::hostile;

/// Notes the settings of each session that inserts a message or a line of the audit. The settings of
/// another session are not visible.
const WATCH: &str = "
    CREATE TABLE customer.seen (name text, value text);
    CREATE FUNCTION customer.look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO customer.seen SELECT name, setting FROM pg_settings WHERE name IN (
            'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
            'synchronous_commit');
        RETURN NULL;
    END $$;
    CREATE TRIGGER look AFTER INSERT ON customer.message
        FOR EACH STATEMENT EXECUTE FUNCTION customer.look();
    CREATE TRIGGER look AFTER INSERT ON customer.audit
        FOR EACH STATEMENT EXECUTE FUNCTION customer.look();";

/// Uses a session of each kind that serves: one for callers, one for everything else.
async fn write_from_every_pool(store: &PgStore, n: u32) {
    let request = sample::request_for(&sample::dealer_id(), n);
    store.accept(&request).await.unwrap();
    let entry = AuditEntry::resent(&sample::author(), request.id, request.message.id);
    store.record(&entry).await.unwrap();
}

async fn seen(client: &Client, name: &str) -> Vec<String> {
    let statement = "SELECT value FROM customer.seen WHERE name = $1";
    let rows = client.query(statement, &[&name]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_has_time_limits() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client.batch_execute(WATCH).await.unwrap();
    write_from_every_pool(&store(&database), 1).await;
    for name in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ] {
        let found = seen(&client, name).await;
        assert_eq!(found.len(), 2, "{name}");
        for milliseconds in found {
            let milliseconds: u32 = milliseconds.parse().unwrap();
            assert!(
                (1..=10_000).contains(&milliseconds),
                "{name} is {milliseconds} ms"
            );
        }
    }
}

/// A server, a database and a role may default to less than what an acknowledgement promises, and a
/// URL may ask for it.
#[tokio::test(flavor = "multi_thread")]
async fn every_session_commits_durably_whatever_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    // Its server has `synchronous_commit=off`.
    let server = LocalPostgres::start(&Options::fast(folder.path().join("pg"))).unwrap();
    let url = server.url("customer_service");
    let client = connect(&url).await;
    // What a migration creates is noted as well.
    client
        .batch_execute(
            "CREATE TABLE public.created (value text);
            CREATE FUNCTION public.look() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO public.created VALUES (current_setting('synchronous_commit'));
            END $$;
            CREATE EVENT TRIGGER look ON ddl_command_end EXECUTE FUNCTION public.look();",
        )
        .await
        .unwrap();
    let parsed = DatabaseUrl::parse(&url).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    migrate(&parsed, &schema).await.unwrap();
    let statement = "SELECT DISTINCT value FROM public.created";
    let rows = client.query(statement, &[]).await.unwrap();
    let created: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(created, ["on"], "of the migrations");

    client
        .batch_execute(&format!("DROP EVENT TRIGGER look; {WATCH}"))
        .await
        .unwrap();
    let asking = format!("{url}?options=-csynchronous_commit%3Doff");
    for (n, (default, url, expected)) in (1..).zip([
        ("", &url, "on"),
        ("ALTER DATABASE customer_service SET synchronous_commit TO off", &url, "on"),
        ("ALTER DATABASE customer_service SET synchronous_commit TO local", &url, "on"),
        ("ALTER ROLE postgres SET synchronous_commit TO remote_write", &url, "on"),
        ("", &asking, "on"),
        // More than what is promised is kept.
        ("ALTER ROLE postgres IN DATABASE customer_service SET synchronous_commit TO remote_apply", &url, "remote_apply"),
    ]) {
        client
            .batch_execute(&format!("TRUNCATE customer.seen; {default}"))
            .await
            .unwrap();
        write_from_every_pool(&store_at(url), n).await;
        let found = seen(&client, "synchronous_commit").await;
        assert_eq!(found, [expected, expected], "{default} {n}");
    }
}

/// Sees the settings of the session that it runs in.
const SETTINGS: &str = "SELECT coalesce(jsonb_object_agg(name, setting), '{}')::text
    FROM pg_catalog.pg_settings";

type Settings = std::collections::BTreeMap<String, String>;

fn parse(settings: &str) -> Settings {
    serde_json::from_str(settings).unwrap()
}

/// Those of these settings that another team has made defaults.
fn hostile_ones(settings: &Settings, names: &[String]) -> Settings {
    let is_one = |(name, _): &(&String, &String)| names.contains(name);
    let ones = settings.iter().filter(is_one);
    ones.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whatever database and role default to: the sessions of the service are the same as on a server where
/// nobody has set anything, and so are those of the commands.
#[tokio::test(flavor = "multi_thread")]
async fn no_session_takes_over_a_default_of_its_database_or_role() {
    let untouched = TestDatabase::migrated().await;
    let client = untouched.connect().await;
    client.batch_execute(&session_settings()).await.unwrap();
    let durable = "SET synchronous_commit TO on";
    client.batch_execute(durable).await.unwrap();
    let row = client.query_one(SETTINGS, &[]).await.unwrap();
    let expected = parse(row.get(0));
    let plain = untouched.connect().await;
    let row = plain.query_one(SETTINGS, &[]).await.unwrap();
    let without_settings = parse(row.get(0));

    for whose in ["DATABASE", "ROLE postgres IN DATABASE"] {
        let database = TestDatabase::empty().await;
        let client = database.connect().await;
        client
            .batch_execute(&format!(
                "CREATE SCHEMA watch; CREATE TABLE watch.seen (what text, settings text);
                CREATE FUNCTION watch.look() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO watch.seen SELECT 'migrating', ({SETTINGS});
                END $$;
                CREATE FUNCTION watch.look_at_rows() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO watch.seen SELECT tg_table_name, ({SETTINGS});
                    RETURN NULL;
                END $$;
                CREATE EVENT TRIGGER look ON ddl_command_end EXECUTE FUNCTION watch.look();"
            ))
            .await
            .unwrap();
        let names = hostile::set_defaults(&client, whose, hostile::FOR_SUPERUSERS).await;
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let schema = SchemaName::parse("customer").unwrap();
        migrate(&url, &schema).await.unwrap();
        client
            .batch_execute(
                "DROP EVENT TRIGGER look;
                CREATE TRIGGER look AFTER INSERT ON customer.message
                    FOR EACH STATEMENT EXECUTE FUNCTION watch.look_at_rows();
                CREATE TRIGGER look AFTER INSERT ON customer.audit
                    FOR EACH STATEMENT EXECUTE FUNCTION watch.look_at_rows();
                CREATE TRIGGER look AFTER INSERT ON customer.request_count_change
                    FOR EACH STATEMENT EXECUTE FUNCTION watch.look_at_rows();",
            )
            .await
            .unwrap();
        write_from_every_pool(&store_at(database.url()), 1).await;
        let seen = |what: &'static str| {
            let statement = "SELECT DISTINCT settings FROM watch.seen WHERE what = $1";
            let client = &client;
            async move {
                let rows = client.query(statement, &[&what]).await.unwrap();
                let all: Vec<Settings> = rows.iter().map(|row| parse(row.get(0))).collect();
                assert!(!all.is_empty(), "{what}");
                all
            }
        };
        for what in ["message", "audit"] {
            for settings in seen(what).await {
                assert_eq!(
                    hostile_ones(&settings, &names),
                    hostile_ones(&expected, &names),
                    "of {what}, {whose}"
                );
            }
        }
        // The commands set less, and have time.
        client
            .batch_execute("DELETE FROM watch.seen WHERE what = 'request_count_change'; TRUNCATE customer.request_count_change")
            .await
            .unwrap();
        let none = compare_counts(&url, &schema, None).await.unwrap();
        assert_eq!((none.wrong, none.requests), (1, 1));
        assert_eq!(recount(&url, &schema).await.unwrap().requests, 1);
        for what in ["migrating", "request_count_change"] {
            for mut settings in seen(what).await {
                let mut expected = hostile_ones(&without_settings, &names);
                for (name, value) in [("search_path", "customer"), ("synchronous_commit", "on")] {
                    expected.insert(name.to_owned(), value.to_owned());
                    assert!(
                        settings[name].contains(value),
                        "{name} is {}",
                        settings[name]
                    );
                    settings.insert(name.to_owned(), value.to_owned());
                }
                for name in [
                    "lock_timeout",
                    "statement_timeout",
                    "idle_in_transaction_session_timeout",
                    "work_mem",
                ] {
                    expected.remove(name);
                    settings.remove(name);
                }
                assert_eq!(
                    hostile_ones(&settings, &names),
                    expected,
                    "of {what}, {whose}"
                );
            }
        }
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
