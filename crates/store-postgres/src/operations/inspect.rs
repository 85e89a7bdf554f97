use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use domain::ports::StoreError;

use super::migrate;
use crate::connection::{SchemaName, StoreResult, failed};
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// Whether the database has every migration of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationState {
    /// It has.
    Current,
    /// These are missing.
    Pending(Vec<String>),
}

/// What an operator wants to know about the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// PostgreSQL's version.
    pub server_version: String,
    /// The `synchronous_commit` of the service's sessions, which they set on themselves.
    pub synchronous_commit: String,
    /// What it would be otherwise, as it is for other programs; with `off` a crash of the database loses
    /// commits.
    pub default_synchronous_commit: String,
    /// Whether a commit is on the disk at all: without `fsync` a crash of the machine loses data.
    pub fsync: bool,
    /// Requests of an older service that are PENDING and have no message: they get none.
    pub old_pending: u64,
    /// Lanes whose breaker is open.
    pub blocked_lanes: u64,
}

#[derive(QueryableByName)]
struct InspectionRow {
    #[diesel(sql_type = Text)]
    server_version: String,
    #[diesel(sql_type = Text)]
    synchronous_commit: String,
    #[diesel(sql_type = Text)]
    default_synchronous_commit: String,
    #[diesel(sql_type = Bool)]
    fsync: bool,
    #[diesel(sql_type = BigInt)]
    old_pending: i64,
    #[diesel(sql_type = BigInt)]
    blocked_lanes: i64,
}

impl PgStore {
    /// The schema that holds our tables.
    #[must_use]
    pub fn schema(&self) -> &SchemaName {
        self.database.schema()
    }

    /// Whether every migration of this program has been applied; also tells whether the database answers at
    /// all, and takes writes.
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

    /// Looks around. Counts whole tables: for people, not for probes.
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
