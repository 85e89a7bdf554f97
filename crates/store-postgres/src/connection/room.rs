//! How many connections the role may have, and how the pools share them.

use std::time::Duration;

use domain::ports::BoxError;

use super::session::Connector;
use super::{DatabaseUrl, PoolOptions};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::sql::sql_row;

/// The fewest connections that the service works with: one for callers, two for everything else, and one that
/// stays free for an operator's commands.
const LEAST: usize = 4;

/// How long an idle connection stays open where there are few: other copies may need it (chosen).
const IDLE: Duration = Duration::from_secs(5);

/// Limits of a role and of a database do not bind a superuser, who may also use the reserved connections.
const MOST: &str = "SELECT least(
    CASE WHEN NOT r.rolsuper AND r.rolconnlimit >= 0 THEN r.rolconnlimit END,
    CASE WHEN NOT r.rolsuper AND d.datconnlimit >= 0 THEN d.datconnlimit END,
    current_setting('max_connections')::int - CASE WHEN r.rolsuper THEN 0
        ELSE current_setting('superuser_reserved_connections')::int
            + coalesce(current_setting('reserved_connections', true)::int, 0) END) AS most
FROM pg_roles r, pg_database d WHERE r.rolname = session_user AND d.datname = current_database()";

sql_row! {
    struct Most {
        most: i32,
    }
}

/// Why the connections are too few, or could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionsError {
    /// The role may have too few connections.
    #[error(
        "PostgreSQL gives this role {0} connections to this database, and the service needs at least \
         {LEAST}; raise the limit (ALTER ROLE … CONNECTION LIMIT, ALTER DATABASE … CONNECTION LIMIT, \
         max_connections)"
    )]
    TooFew(usize),
    /// The server could not be asked.
    #[error("cannot ask PostgreSQL how many connections there are")]
    Unavailable(#[source] BoxError),
}

impl PoolOptions {
    /// Asks the server how many connections this role may have, and shares them out, callers first. `threads`
    /// is the number of threads on which callers ask. The limit is that of all copies and programs of this
    /// role; the use by the others is not counted, because it changes all the time. Reports get one connection
    /// where there are few, none where there are fewer than four besides those of callers.
    ///
    /// # Errors
    /// [`ConnectionsError`]
    pub async fn fitted(
        self,
        url: &DatabaseUrl,
        threads: usize,
    ) -> Result<(Self, usize), ConnectionsError> {
        let asking = async {
            let mut session = Connector::new(url)?.connect("SET jit TO off").await?;
            let row: Most = diesel::sql_query(MOST).one_row(&mut session).await?;
            Ok::<_, BoxError>(usize::try_from(row.most).unwrap_or(0))
        };
        let most = asking.await.map_err(ConnectionsError::Unavailable)?;
        if most < LEAST {
            return Err(ConnectionsError::TooFew(most));
        }
        Ok((self.within(most - 1, threads), most))
    }

    /// Shares out this many connections.
    fn within(self, usable: usize, threads: usize) -> Self {
        let threads = threads.max(1);
        let fronts = if self.each_thread { threads } else { 1 };
        if usable >= self.size + self.reports + self.callers * fronts {
            return self;
        }
        let others = self.size.min((usable / 2).max(2));
        let reports = self.reports.min(usize::from(others > 3));
        let size = others - reports;
        let for_callers = usable - others;
        let each_thread = self.each_thread && for_callers >= threads;
        let fronts = if each_thread { threads } else { 1 };
        Self {
            size,
            callers: self.callers.min(for_callers / fronts),
            each_thread,
            // Accepting a request also looks its dealer up on these connections.
            for_reports: self.for_reports.min(size - 1),
            reports,
            idle: IDLE,
            ..self
        }
    }

    /// The most connections in all.
    #[must_use]
    pub fn total(&self, threads: usize) -> usize {
        self.size + self.reports + self.callers * if self.each_thread { threads } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_and_the_others_share_whatever_there_is() {
        for threads in 1..=8 {
            for each_thread in [false, true] {
                let wanted = PoolOptions {
                    each_thread,
                    ..PoolOptions::default()
                };
                for usable in LEAST - 1..120 {
                    let found = wanted.clone().within(usable, threads);
                    let total = found.total(threads);
                    assert!(total <= usable, "{usable} for {threads}: {found:?}");
                    assert!(found.callers >= 1 && found.size >= 2, "{usable}: {found:?}");
                    assert!(found.for_reports < found.size, "{usable}: {found:?}");
                    assert!(found.size <= wanted.size && found.callers <= wanted.callers);
                    let enough = usable >= wanted.total(threads);
                    assert_eq!(
                        enough,
                        total == wanted.total(threads),
                        "{usable}: {found:?}"
                    );
                }
            }
        }
    }
}
