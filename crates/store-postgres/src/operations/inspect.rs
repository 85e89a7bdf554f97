use domain::ports::StoreError;

use super::migrate::{self, MigrateError};
use crate::connection::{SchemaName, StoreResult, failed};
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

/// Whether the database has every migration of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationState {
    /// All are applied.
    Current,
    /// These are missing.
    Pending(Vec<String>),
}

/// The state of the database, for operators.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// PostgreSQL's version.
    pub server_version: String,
    /// The `synchronous_commit` that the service's sessions set on themselves.
    pub synchronous_commit: String,
    /// The `synchronous_commit` of other programs' sessions; with `off` a crash of the database loses
    /// commits.
    pub default_synchronous_commit: String,
    /// Whether commits are flushed to the disk: without `fsync` a crash of the machine loses data.
    pub fsync: bool,
    /// PENDING requests of an older release without a message: none will be sent.
    pub old_pending: u64,
    /// Lanes whose breaker is open.
    pub blocked_lanes: u64,
}

sql_row! {
    struct InspectionRow {
        server_version: String,
        synchronous_commit: String,
        default_synchronous_commit: String,
        fsync: bool,
        old_pending: i64,
        blocked_lanes: i64,
    }
}

impl PgStore {
    /// Closes the schema gate: every question waits until [`PgStore::bring_up_to_date`] has finished, so that
    /// no statement meets an older schema. Only [`PgStore::migration_state`] is answered meanwhile.
    pub fn wait_for_schema(&self) {
        self.database.gate().close();
    }

    /// Applies the missing migrations, as [`migrate`](crate::migrate()) does, and opens the gate. Returns how
    /// many were applied.
    ///
    /// # Errors
    /// [`MigrateError`]
    pub async fn bring_up_to_date(&self) -> Result<usize, MigrateError> {
        let connector = self.database.connector();
        let applied = migrate::apply_missing(connector, self.database.schema()).await?;
        self.database.gate().open();
        Ok(applied)
    }

    /// The schema that holds our tables.
    #[must_use]
    pub fn schema(&self) -> &SchemaName {
        self.database.schema()
    }

    /// Whether every migration of this program is applied, and thereby whether the database answers and takes
    /// writes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn migration_state(&self) -> Result<MigrationState, StoreError> {
        let schema = self.database.schema().clone();
        self.database
            .ask_early(|mut connection| async move {
                if connection.is_read_only().await.map_err(failed)? {
                    return Err(StoreError::Unavailable("the server takes no writes".into()));
                }
                let pending = migrate::pending(&mut connection, &schema)
                    .await
                    .map_err(StoreError::Unavailable)?;
                Ok(if pending.is_empty() {
                    MigrationState::Current
                } else {
                    MigrationState::Pending(pending.into_iter().map(|one| one.name).collect())
                })
            })
            .await
    }

    /// Reads the state of the database. Counts whole tables: not for probes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn inspect(&self) -> Result<Inspection, StoreError> {
        let statement = Statement::new(sql::Inspect);
        let row: StoreResult<InspectionRow> = self.database.one(statement).await;
        let row = row?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(Inspection {
            server_version: row.server_version,
            synchronous_commit: row.synchronous_commit,
            default_synchronous_commit: row.default_synchronous_commit,
            fsync: row.fsync,
            old_pending: count(row.old_pending),
            blocked_lanes: count(row.blocked_lanes),
        })
    }
}
