//! Migrations that build an index concurrently, interrupted and repeated.

use std::path::Path;
use std::time::{Duration, Instant};

use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, MigrateError, SchemaName, migrate};
use tokio::task::JoinSet;
use tokio_postgres::Client;

/// How long building an index may take to come to the point at which it waits.
const LIMIT: Duration = Duration::from_secs(60);

/// A migration that builds an index while others write.
struct Build {
    version: String,
    index: String,
    table: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_index_whose_building_was_interrupted_is_built_anew() {
    let builds = builds();
    assert!(builds.len() >= 5, "the migrations are found");
    let mut tests = JoinSet::new();
    for build in builds {
        tests.spawn(interrupt_and_repeat(build));
    }
    tests.join_all().await;
}

async fn interrupt_and_repeat(build: Build) {
    let database = TestDatabase::migrated().await;
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    let mut client = database.connect().await;
    let Build {
        version,
        index,
        table,
    } = build;
    // A later migration may have dropped it already.
    let undo = format!(
        "SET search_path TO customer; DROP INDEX IF EXISTS {index};
        DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"
    );
    client.batch_execute(&undo).await.unwrap();
    // A transaction that writes: the migration waits for its end.
    let other = client.transaction().await.unwrap();
    let lock = format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE");
    other.batch_execute(&lock).await.unwrap();
    let interrupting = database.connect().await;
    let (migrated, ()) = tokio::join!(migrate(&url, &schema), interrupt_build(&interrupting));
    let error = migrated.unwrap_err();
    assert!(matches!(error, MigrateError::Interrupted(_)), "{error:?}");
    other.rollback().await.unwrap();
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
    let left = client.query(invalid, &[]).await.unwrap();
    assert_eq!(left.len(), 1, "{index} was interrupted");

    assert_eq!(migrate(&url, &schema).await.unwrap(), 1);
    let left = client.query(invalid, &[]).await.unwrap();
    assert!(left.is_empty(), "{index} is valid");
    let built = "SELECT FROM pg_indexes WHERE schemaname = 'customer' AND indexname = $1";
    assert_eq!(client.query(built, &[&index]).await.unwrap().len(), 1);
}

/// Cancels the building of an index as soon as that waits for somebody.
pub(crate) async fn interrupt_build(client: &Client) {
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND query LIKE '%CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    let mut again = tokio::time::interval(Duration::from_millis(20));
    while client.query(cancel, &[]).await.unwrap().is_empty() {
        assert!(began.elapsed() < LIMIT, "it never waited");
        again.tick().await;
    }
}

/// All such migrations, found by their words.
fn builds() -> Vec<Build> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut builds = Vec::new();
    for migration in std::fs::read_dir(folder).unwrap() {
        let path = migration.unwrap().path();
        let Ok(up) = std::fs::read_to_string(path.join("up.sql")) else {
            continue;
        };
        let name = path.file_name().unwrap().to_str().unwrap();
        let version = name.split('_').next().unwrap().replace('-', "");
        let words: Vec<&str> = up
            .lines()
            .filter(|line| !line.starts_with("--"))
            .flat_map(str::split_whitespace)
            .collect();
        for build in words
            .windows(9)
            .filter(|words| words[..3] == ["CREATE", "INDEX", "CONCURRENTLY"])
        {
            assert_eq!(build[3..6], ["IF", "NOT", "EXISTS"], "{name}");
            assert_eq!(build[7], "ON", "{name}");
            builds.push(Build {
                version: version.clone(),
                index: build[6].to_owned(),
                table: build[8].to_owned(),
            });
        }
    }
    builds
}
