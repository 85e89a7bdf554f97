//! Finds the sessions that hold the locks a migration waits for.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Connector, Session};
use crate::sql::sql_row;

/// Time until the first look: well within a migration's wait for a lock.
const FIRST_LOOK: Duration = Duration::from_millis(30);

/// The longest back-off between two looks: a wait that blocks no other session may take hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The least age of a transaction to be logged; younger ones end soon.
const OLD: Duration = Duration::from_secs(1);

/// The other session's statement is not read: it may hold personal data. What this role may not see is NULL;
/// a prepared transaction has no session.
const HOLDERS: &str = "
SELECT b.pid, coalesce(nullif(a.application_name, ''), a.backend_type) AS application_name,
    a.state, a.xact_start
FROM unnest(pg_blocking_pids($1)) AS b (pid)
LEFT JOIN pg_stat_activity a ON a.pid = b.pid";

sql_row! {
    struct Holder {
        pid: i32,
        application_name: Option<String>,
        state: Option<String>,
        xact_start: Option<DateTime<Utc>>,
    }
}

sql_row! {
    struct Own {
        pid: i32,
    }
}

/// Finds the sessions that block a migrating session, and logs each once.
pub(crate) struct Hindrance {
    connector: Connector,
    /// The process id of the migrating session, if known.
    migrating: Option<i32>,
    /// The session that looks.
    looking: Option<Session>,
    told: BTreeSet<i32>,
    is_waiting: bool,
}

impl Hindrance {
    pub(crate) async fn of(migrating: &mut Session, connector: &Connector) -> Self {
        let own = diesel::sql_query("SELECT pg_backend_pid() AS pid");
        let own: QueryResult<Own> = own.one_row(migrating).await;
        Self {
            connector: connector.clone(),
            migrating: own.ok().map(|own| own.pid),
            looking: None,
            told: BTreeSet::new(),
            is_waiting: false,
        }
    }

    /// Looks repeatedly; returns only where looking has become impossible.
    pub(crate) async fn watch(&mut self) {
        let mut pause = FIRST_LOOK;
        loop {
            tokio::time::sleep(pause).await;
            if self.look().await.is_none() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Notes that a migration did not get its locks in time.
    pub(crate) fn wait_for_lock(&mut self, migration: &str) {
        if !self.is_waiting {
            self.is_waiting = true;
            tracing::warn!(
                migration.name = migration,
                "waiting for a lock, a moment at a time, so that nobody else is held up"
            );
        }
    }

    async fn look(&mut self) -> Option<()> {
        let migrating = self.migrating?;
        if self.looking.is_none() {
            let settings = "SET statement_timeout TO '2s'";
            self.looking = self.connector.connect(settings).await.ok();
        }
        let holders = diesel::sql_query(HOLDERS).bind::<Integer, _>(migrating);
        let holders: QueryResult<Vec<Holder>> = holders.load(self.looking.as_mut()?).await;
        for holder in holders.ok()? {
            self.tell(&holder);
        }
        Some(())
    }

    fn tell(&mut self, holder: &Holder) {
        #[expect(clippy::disallowed_methods, reason = "only decides whether to log")]
        let age = holder.xact_start.map(|start| Utc::now() - start);
        let is_young = age.is_some_and(|age| age.to_std().is_ok_and(|age| age < OLD));
        if is_young || !self.told.insert(holder.pid) {
            return;
        }
        tracing::warn!(
            holder.pid = holder.pid,
            holder.application = holder.application_name,
            holder.state = holder.state,
            holder.since = holder.xact_start.map(|start| start.to_rfc3339()),
            "another session holds what a migration waits for"
        );
    }
}
