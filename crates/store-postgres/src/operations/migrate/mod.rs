//! Brings the schema up to date while the previous release may still be running.

mod hindrance;

use std::time::{Duration, Instant};

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use domain::ports::BoxError;
use tokio_postgres::error::SqlState;

use self::hindrance::Hindrance;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Connector, DatabaseUrl, SchemaName, Session};
use crate::operations::shortcomings::{Shortcoming, wrong_encoding};
use crate::sql::sql_row;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock of migrations: a hash of the schema's name, seeded with "customer" in ASCII.
const LOCK: &str = "hashtextextended($1, 7166182912870475122)";

/// Time limit for another copy's migrating and for locks of other sessions, and the pause between two looks
/// at that copy.
const LOCK_WAIT: Duration = Duration::from_secs(300);
const LOCK_LOOK: Duration = Duration::from_millis(200);

/// How long a migration waits for a lock that blocks readers and writers behind it: at most 300 ms for three
/// tables in a row, but long enough for the statements of a service under load to end.
const SHORT_WAIT: Duration = Duration::from_millis(80);

/// The first back-off, in which blocked sessions go first; it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The tables whose indexes are built concurrently. An interrupted build leaves an invalid index, which is
/// never used and blocks the next build.
const INDEXED_CONCURRENTLY: [&str; 4] = [
    "audit",
    "customer_validation_request",
    "message",
    "webhook_event",
];

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection, or none that can write.
    #[error(
        "the database cannot be reached, or takes no writes; is DATABASE_URL right and PostgreSQL running?"
    )]
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
    /// The database's encoding does not hold every text.
    #[error("{0}")]
    Encoding(Shortcoming),
    /// Something temporary was in the way: a lock, a restart. An unfinished migration is rolled back, or
    /// begun anew by the next attempt.
    #[error("migrating was interrupted; trying again will do")]
    Interrupted(#[source] BoxError),
    /// A migration failed; it was rolled back.
    #[error("a migration failed")]
    Failed(#[source] BoxError),
}

/// Applies the missing migrations. Copies that start together migrate once. A database that is up to date is
/// only read, so that a role without the right to change it suffices. Waits are logged. Returns how many were
/// applied.
///
/// # Errors
/// [`MigrateError`]
pub async fn migrate(url: &DatabaseUrl, schema: &SchemaName) -> Result<usize, MigrateError> {
    let connector = Connector::new(url).map_err(MigrateError::Connect)?;
    apply_missing(&connector, schema).await
}

/// Like `migrate`, over sessions of this connector.
pub(crate) async fn apply_missing(
    connector: &Connector,
    schema: &SchemaName,
) -> Result<usize, MigrateError> {
    apply_until(connector, schema, None).await
}

/// Like `apply_missing`, up to and with this version.
pub(crate) async fn apply_until(
    connector: &Connector,
    schema: &SchemaName,
    last: Option<&str>,
) -> Result<usize, MigrateError> {
    let mut session = connect(connector, schema).await?;
    let encoding = wrong_encoding(&mut session, schema).await;
    if let Some(wrong) = encoding.map_err(|error| refused(&session, error.into(), schema))? {
        return Err(MigrateError::Encoding(wrong));
    }
    if missing(&mut session, schema).await?.is_empty() {
        return Ok(0);
    }
    lock(&mut session, schema).await?;
    // Another copy may have applied them during the wait for the lock.
    let mut missing = missing(&mut session, schema).await?;
    missing.retain(|one| last.is_none_or(|last| *one.version <= *last));
    if missing.is_empty() {
        return Ok(0);
    }
    tracing::info!(migrations.missing = missing.len(), "migrating");
    create_schema(&mut session, schema).await?;
    drop_broken_indexes(&mut session, schema).await?;
    let mut hindrance = Hindrance::of(&mut session, connector).await;
    for migration in &missing {
        session = apply(session, migration, schema, &mut hindrance).await?;
    }
    // The lock ends with the session; the explicit unlock only makes that prompt.
    let _ = session
        .batch_execute("SELECT pg_advisory_unlock_all()")
        .await;
    Ok(missing.len())
}

/// A migration that a database does not have.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    /// Its version and what it does.
    pub(crate) name: String,
    version: String,
    /// Whether it is one transaction. Else it takes no lock that blocks readers or writers.
    in_transaction: bool,
}

async fn missing(session: &mut Session, schema: &SchemaName) -> Result<Vec<Missing>, MigrateError> {
    pending(session, schema)
        .await
        .map_err(|error| refused(session, error, schema))
}

/// The embedded migrations that this database lacks, in their order.
pub(crate) async fn pending(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> Result<Vec<Missing>, BoxError> {
    let applied = applied(connection, schema).await?;
    let embedded: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations()?;
    let mut missing: Vec<Missing> = embedded
        .iter()
        .map(|migration| Missing {
            name: migration.name().to_string(),
            version: migration.name().version().to_string(),
            in_transaction: migration.metadata().run_in_transaction(),
        })
        .filter(|one| !applied.contains(&one.version))
        .collect();
    missing.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(missing)
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

/// Steps outside a transaction may take as long as they need, because they block no other session.
async fn connect(connector: &Connector, schema: &SchemaName) -> Result<Session, MigrateError> {
    let settings = format!(
        "SET search_path TO \"{schema}\"; SET statement_timeout TO 0; SET lock_timeout TO {}; \
         SET idle_in_transaction_session_timeout TO '10s'",
        LOCK_WAIT.as_millis()
    );
    connector
        .connect(&settings)
        .await
        .map_err(|error| MigrateError::Connect(error.into()))
}

/// Applies one migration. Without its locks it backs off, lets blocked sessions go first and tries again.
async fn apply(
    mut session: Session,
    migration: &Missing,
    schema: &SchemaName,
    hindrance: &mut Hindrance,
) -> Result<Session, MigrateError> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = if migration.in_transaction {
            SHORT_WAIT
        } else {
            LOCK_WAIT
        };
        let setting = format!("SET lock_timeout TO {}", wait.as_millis());
        session
            .batch_execute(&setting)
            .await
            .map_err(|error| refused(&session, error.into(), schema))?;
        session.answers().forget();
        let version = migration.version.clone();
        let mut running = tokio::task::spawn_blocking(move || run(session, &version));
        let (back, outcome) = tokio::select! {
            done = &mut running => done,
            () = hindrance.watch() => running.await,
        }
        .map_err(|ended| MigrateError::Interrupted(ended.into()))?;
        session = back;
        let Err(error) = outcome else {
            return Ok(session);
        };
        let is_locked = session.sqlstate() == Some(SqlState::LOCK_NOT_AVAILABLE);
        if !is_locked || !migration.in_transaction || began.elapsed() > LOCK_WAIT {
            return Err(refused(&session, error, schema));
        }
        hindrance.wait_for_lock(&migration.name);
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Runs a migration to its end, on a thread that it may block.
fn run(session: Session, version: &str) -> (Session, Result<(), BoxError>) {
    let mut harness = AsyncMigrationHarness::new(session);
    let run = |harness: &mut AsyncMigrationHarness<Session>| {
        // Creates the table of versions, where it is missing.
        harness.applied_migrations()?;
        let embedded: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations()?;
        let migration = embedded
            .iter()
            .find(|one| one.name().version().to_string() == version)
            .ok_or("it is not embedded")?;
        harness.run_migration(&**migration).map(drop)
    };
    let outcome = run(&mut harness);
    (harness.into_inner(), outcome)
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
    .one_row(connection)
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

/// Polls for the lock: a session that waits inside PostgreSQL holds a snapshot, and a concurrent index build
/// waits for every snapshot.
async fn lock(session: &mut Session, schema: &SchemaName) -> Result<(), MigrateError> {
    let began = Instant::now();
    let mut has_told = false;
    loop {
        let lock: Exists = diesel::sql_query(format!("SELECT pg_try_advisory_lock({LOCK}) AS yes"))
            .bind::<Text, _>(schema.as_str())
            .one_row(session)
            .await
            .map_err(|error| refused(session, error.into(), schema))?;
        if lock.yes {
            return Ok(());
        }
        if began.elapsed() > LOCK_WAIT {
            return Err(MigrateError::Locked);
        }
        if !has_told {
            has_told = true;
            tracing::info!("another copy of the service is migrating; waiting for it");
        }
        tokio::time::sleep(LOCK_LOOK).await;
    }
}

async fn create_schema(session: &mut Session, schema: &SchemaName) -> Result<(), MigrateError> {
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create even when it exists.
    let exists: Exists =
        diesel::sql_query("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS yes")
            .bind::<Text, _>(schema.as_str())
            .one_row(session)
            .await
            .map_err(|error| refused(session, error.into(), schema))?;
    if !exists.yes {
        diesel::sql_query(format!("CREATE SCHEMA \"{schema}\""))
            .execute(session)
            .await
            .map_err(|error| refused(session, error.into(), schema))?;
    }
    Ok(())
}

async fn drop_broken_indexes(
    session: &mut Session,
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
    .load(session)
    .await
    .map_err(|error| refused(session, error.into(), schema))?;
    for index in broken {
        diesel::sql_query(format!("DROP INDEX CONCURRENTLY {}", index.name))
            .execute(session)
            .await
            .map_err(|error| refused(session, error.into(), schema))?;
    }
    Ok(())
}

/// Classifies an error by its SQLSTATE; without one the connection was lost.
fn refused(session: &Session, source: BoxError, schema: &SchemaName) -> MigrateError {
    let Some(state) = session.sqlstate() else {
        return MigrateError::Interrupted(source);
    };
    let passes = matches!(
        state,
        SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::READ_ONLY_SQL_TRANSACTION
    );
    // Cancelled, shut down, disconnected.
    if passes || state.code().starts_with("57") || state.code().starts_with("08") {
        MigrateError::Interrupted(source)
    } else if state == SqlState::INSUFFICIENT_PRIVILEGE {
        MigrateError::Forbidden {
            schema: schema.clone(),
            source,
        }
    } else {
        MigrateError::Failed(source)
    }
}

sql_row! {
    struct Exists {
        yes: bool,
    }
}

sql_row! {
    struct Version {
        version: String,
    }
}

sql_row! {
    struct Name {
        name: String,
    }
}
