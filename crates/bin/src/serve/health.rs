use std::time::Duration;

use async_trait::async_trait;
use domain::{Backlog, Check, Health, StoreError};
use store_postgres::{MigrationState, PgStore, Shortcoming};

use super::backlog::LatestBacklog;
use super::dispatch::Heartbeat;
use crate::one_answer::OneAnswer;

/// For how long what was found is told to everybody who asks: nobody needs a key for it, so that anybody
/// could keep the database busy with it.
const FRESH: Duration = Duration::from_secs(1);

/// How long the database may take to answer: less than [`FRESH`].
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
    database: OneAnswer<Option<MigrationState>>,
    backlog: LatestBacklog,
}

impl ServiceHealth {
    pub(crate) fn new(store: PgStore, heartbeat: Heartbeat, backlog: LatestBacklog) -> Self {
        Self {
            store,
            heartbeat,
            database: OneAnswer::fresh_for(FRESH),
            backlog,
        }
    }

    /// What the database says about itself; none where it does not answer, or takes no submissions.
    async fn migration_state(&self) -> Option<MigrationState> {
        let store = self.store.clone();
        let asked = self.database.get(|| async move {
            let asking = async {
                let state = store.migration_state().await?;
                let found = store.shortcomings().await?;
                let is_of_use = !found.iter().any(Shortcoming::stops_submissions);
                Ok::<_, StoreError>(is_of_use.then_some(state))
            };
            let state = tokio::time::timeout(PATIENCE, asking).await;
            state.ok().and_then(Result::ok).flatten()
        });
        asked.await.flatten()
    }
}

#[async_trait]
impl Health for ServiceHealth {
    async fn checks(&self) -> Vec<Check> {
        let state = self.migration_state().await;
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
