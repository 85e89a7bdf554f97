use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Backlog, Check, Health};
use store_postgres::{MigrationState, PgStore};

use super::trial::LatestTrial;
use super::watched::{Heartbeat, LatestBacklog};
use crate::one_answer::OneAnswer;

/// Cache time of the checks: health needs no key, so callers must not be able to load the database with it.
const FRESH: Duration = Duration::from_secs(1);

/// Time limit for the database's answer: less than [`FRESH`].
const PATIENCE: Duration = Duration::from_millis(900);

/// The longest time for one round of the dispatcher's loop.
const LOOP_LIMIT: Duration = Duration::from_secs(30);

/// The longest standstill of due work. Fonnte's state does not matter: a message that waits for it is not
/// due.
const PROGRESS_LIMIT: Duration = Duration::from_secs(60);

/// Checks the database, the migrations and the dispatcher's loop.
pub(crate) struct ServiceHealth {
    store: PgStore,
    heartbeat: Heartbeat,
    database: OneAnswer<Option<MigrationState>>,
    backlog: LatestBacklog,
    trial: LatestTrial,
}

impl ServiceHealth {
    pub(crate) fn new(
        store: PgStore,
        heartbeat: Heartbeat,
        backlog: LatestBacklog,
        trial: LatestTrial,
    ) -> Self {
        Self {
            store,
            heartbeat,
            database: OneAnswer::fresh_for(FRESH),
            backlog,
            trial,
        }
    }

    /// The state of the migrations; `None` where the database does not answer or takes no writes.
    async fn migration_state(&self) -> Option<MigrationState> {
        let store = self.store.clone();
        let asked = self.database.get(|| async move {
            let state = tokio::time::timeout(PATIENCE, store.migration_state()).await;
            state.ok().and_then(Result::ok)
        });
        asked.await.flatten()
    }
}

#[async_trait]
impl Health for ServiceHealth {
    async fn checks(&self) -> Vec<Check> {
        let state = self.migration_state().await;
        vec![
            check("database", state.is_some() && self.trial.is_well()),
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
        self.backlog.get()
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
