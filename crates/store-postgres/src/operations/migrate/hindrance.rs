//! Who holds what a migration waits for.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{Connector, Session};

/// When to look first: well within the time that a migration waits for a lock.
const FIRST_LOOK: Duration = Duration::from_millis(30);

/// Then ever more seldom: what it waits for without holding up others may take hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Transactions of this age are worth a line; younger ones will soon be over.
const OLD: Duration = Duration::from_secs(1);

/// The statement of the other session is not looked at: it may hold anything. Neither is anything that
/// this role may not see, which is NULL; a prepared transaction has no session.
const HOLDERS: &str = "
SELECT b.pid, coalesce(nullif(a.application_name, ''), a.backend_type) AS application_name,
    a.state, a.xact_start
FROM unnest(pg_blocking_pids($1)) AS b (pid)
LEFT JOIN pg_stat_activity a ON a.pid = b.pid";

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = Integer)]
    pid: i32,
    #[diesel(sql_type = Nullable<Text>)]
    application_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    state: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    xact_start: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Own {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Finds out who is in the way of a migrating session, and tells each once.
pub(crate) struct Hindrance {
    connector: Connector,
    /// The session that migrates; absent where it could not be asked.
    migrating: Option<i32>,
    /// The one that looks.
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

    /// Looks again and again, and never ends while there is something to look at.
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

    /// A migration was not given its locks in time.
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
