use std::time::Duration;

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use domain::BoxError;

use crate::connect::{Connector, DatabaseUrl, SchemaName};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock of migrating, together with a hash of the schema's name: "customer" in ASCII.
const LOCK: &str = "hashtextextended($1, 7166182912870475122)";

/// How long to wait for another copy that migrates, and between two looks.
const LOCK_WAIT: Duration = Duration::from_secs(300);
const LOCK_LOOK: Duration = Duration::from_millis(200);

/// A migration must not stop the service that still runs by queueing for a lock in front of it:
/// it gives up soon and is tried again.
const SESSION: &str = "SET lock_timeout TO '3s'; SET statement_timeout TO 0";

/// The tables whose indexes are built concurrently, while others write. A build that was interrupted
/// leaves an index that is never used, and that hinders the next build.
const INDEXED_CONCURRENTLY: [&str; 4] = [
    "audit",
    "customer_validation_request",
    "message",
    "webhook_event",
];

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection.
    #[error("the database cannot be reached; is DATABASE_URL right and PostgreSQL running?")]
    Connect(#[source] BoxError),
    /// The role lacks a right.
    #[error(
        "this database role may not change schema \"{schema}\"; run `customer-service migrate` \
         with a role that may, then start again with this one"
    )]
    Forbidden {
        /// The schema.
        schema: SchemaName,
        /// PostgreSQL's words.
        #[source]
        source: BoxError,
    },
    /// Another copy has been migrating for minutes.
    #[error("another copy of the service has been migrating for more than {} seconds", LOCK_WAIT.as_secs())]
    Locked,
    /// Something passing was in the way: a lock, a restart. What was begun is rolled back or is
    /// begun anew by the next attempt.
    #[error("migrating was interrupted; trying again will do")]
    Interrupted(#[source] BoxError),
    /// A migration failed; it was rolled back.
    #[error("a migration failed")]
    Failed(#[source] BoxError),
}

/// Applies the migrations that are missing. Copies that start together migrate once; a database
/// that is up to date is only read, so that a role without the right to change it will do.
/// Returns how many were applied. Needs a multi-threaded tokio runtime.
///
/// # Errors
/// [`MigrateError`]
pub async fn migrate(url: &DatabaseUrl, schema: &SchemaName) -> Result<usize, MigrateError> {
    let session = format!("SET search_path TO \"{schema}\"; {SESSION}");
    let mut connection = Connector::new(url)
        .map_err(MigrateError::Connect)?
        .connect(&session)
        .await
        .map_err(|error| MigrateError::Connect(error.into()))?;
    if pending(&mut connection, schema).await?.is_empty() {
        return Ok(0);
    }
    lock(&mut connection, schema).await?;
    // Another copy may have done it while we waited.
    let missing = pending(&mut connection, schema).await?.len();
    if missing == 0 {
        return Ok(0);
    }
    create_schema(&mut connection, schema).await?;
    drop_broken_indexes(&mut connection, schema).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = harness
        .run_pending_migrations(MIGRATIONS)
        .map(|applied| applied.len())
        .map_err(|error| refused(error, schema))?;
    // The lock goes with the session; closing it explicitly only makes that prompt.
    let mut connection = harness.into_inner();
    let _ = connection
        .batch_execute("SELECT pg_advisory_unlock_all()")
        .await;
    Ok(applied)
}

/// The names of the embedded migrations that this database does not have.
pub(crate) async fn pending(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> Result<Vec<String>, MigrateError> {
    let applied = applied(connection, schema)
        .await
        .map_err(|error| refused(error.into(), schema))?;
    let embedded: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(MigrateError::Failed)?;
    Ok(embedded
        .iter()
        .map(|migration| migration.name())
        .filter(|name| !applied.contains(&name.version().to_string()))
        .map(ToString::to_string)
        .collect())
}

/// Tells sets of migrations apart.
#[cfg(feature = "testing")]
pub(crate) fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    let embedded: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS
        .migrations()
        .expect("embedded migrations are listed");
    let mut hasher = DefaultHasher::new();
    for migration in embedded {
        migration.name().to_string().hash(&mut hasher);
    }
    hasher.finish()
}

async fn applied(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> QueryResult<Vec<String>> {
    let table: Exists = diesel::sql_query(
        "SELECT EXISTS (SELECT FROM pg_tables \
         WHERE schemaname = $1 AND tablename = '__diesel_schema_migrations') AS yes",
    )
    .bind::<Text, _>(schema.as_str())
    .get_result(connection)
    .await?;
    if !table.yes {
        return Ok(Vec::new());
    }
    let versions: Vec<Version> =
        diesel::sql_query("SELECT version::text FROM __diesel_schema_migrations")
            .load(connection)
            .await?;
    Ok(versions.into_iter().map(|row| row.version).collect())
}

/// Takes the lock by asking again and again: a session that waits inside PostgreSQL holds a
/// snapshot, and an index that is built concurrently waits for every snapshot.
async fn lock(connection: &mut AsyncPgConnection, schema: &SchemaName) -> Result<(), MigrateError> {
    let asking = async {
        loop {
            let lock: Exists =
                diesel::sql_query(format!("SELECT pg_try_advisory_lock({LOCK}) AS yes"))
                    .bind::<Text, _>(schema.as_str())
                    .get_result(connection)
                    .await
                    .map_err(|error| refused(error.into(), schema))?;
            if lock.yes {
                return Ok(());
            }
            tokio::time::sleep(LOCK_LOOK).await;
        }
    };
    tokio::time::timeout(LOCK_WAIT, asking)
        .await
        .unwrap_or(Err(MigrateError::Locked))
}

async fn create_schema(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> Result<(), MigrateError> {
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create even when it exists.
    let exists: Exists =
        diesel::sql_query("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS yes")
            .bind::<Text, _>(schema.as_str())
            .get_result(connection)
            .await
            .map_err(|error| refused(error.into(), schema))?;
    if !exists.yes {
        diesel::sql_query(format!("CREATE SCHEMA \"{schema}\""))
            .execute(connection)
            .await
            .map_err(|error| refused(error.into(), schema))?;
    }
    Ok(())
}

async fn drop_broken_indexes(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> Result<(), MigrateError> {
    let broken: Vec<Name> = diesel::sql_query(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE n.nspname = $1 AND t.relname = ANY ($2) AND NOT i.indisvalid",
    )
    .bind::<Text, _>(schema.as_str())
    .bind::<Array<Text>, _>(&INDEXED_CONCURRENTLY[..])
    .load(connection)
    .await
    .map_err(|error| refused(error.into(), schema))?;
    for index in broken {
        diesel::sql_query(format!("DROP INDEX CONCURRENTLY {}", index.name))
            .execute(connection)
            .await
            .map_err(|error| refused(error.into(), schema))?;
    }
    Ok(())
}

fn refused(source: BoxError, schema: &SchemaName) -> MigrateError {
    // Diesel has no kinds for these, so that the words must do. They are English unless the
    // server's `lc_messages` say otherwise, and then the plain error is still true.
    let words = source.to_string();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    if says(&["permission denied", "must be owner"]) {
        MigrateError::Forbidden {
            schema: schema.clone(),
            source,
        }
    } else if says(&[
        "lock timeout",
        "deadlock",
        "connection",
        "shutting down",
        "starting up",
    ]) {
        MigrateError::Interrupted(source)
    } else {
        MigrateError::Failed(source)
    }
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}
