use std::time::Duration;

use async_trait::async_trait;
use domain::{Backlog, Check, Health};
use store_postgres::{MigrationState, PgStore};

use super::dispatch::Heartbeat;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_millis(900);

/// How long the dispatcher's loop may take to go round.
const LOOP_LIMIT: Duration = Duration::from_secs(30);

/// How long past-due work may stand still. What Fonnte does plays no part: a message that waits
/// for it is not past due.
const PROGRESS_LIMIT: Duration = Duration::from_secs(60);

/// Looks at the database, the migrations and the dispatcher's loop.
pub(crate) struct ServiceHealth {
    store: PgStore,
    heartbeat: Heartbeat,
}

impl ServiceHealth {
    pub(crate) fn new(store: PgStore, heartbeat: Heartbeat) -> Self {
        Self { store, heartbeat }
    }
}

#[async_trait]
impl Health for ServiceHealth {
    async fn checks(&self) -> Vec<Check> {
        let state = tokio::time::timeout(PATIENCE, self.store.migration_state()).await;
        let state = state.ok().and_then(Result::ok);
        vec![
            check("database", state.is_some()),
            Check {
                name: "database_schema",
                finding: self.store.schema().to_string(),
                passed: true,
            },
            check("migrations", state == Some(MigrationState::Current)),
            check("dispatcher", self.heartbeat.age() < LOOP_LIMIT),
            check("delivery", self.heartbeat.standstill() < PROGRESS_LIMIT),
        ]
    }

    async fn backlog(&self) -> Option<Vec<Backlog>> {
        let backlog = tokio::time::timeout(PATIENCE, self.store.backlog()).await;
        backlog.ok()?.ok()
    }
}

fn check(name: &'static str, passed: bool) -> Check {
    let finding = if passed { "healthy" } else { "unhealthy" };
    Check {
        name,
        finding: finding.to_owned(),
        passed,
    }
}
