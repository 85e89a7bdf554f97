//! How requests are stored: many in one statement, and those whose key needs a look one by one.

mod alone;
mod batch;

use diesel::result::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::{Accepted, MessageKind, NewRequest};

#[cfg(feature = "testing")]
use crate::connection::statement::Statement;
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult};

impl Work for NewRequest {
    type Answer = Accepted;
    /// Dealer and key.
    type Key = (String, String);
    /// Nobody waits for so long.
    const SECOND_TRY: bool = false;
    /// Nearly all the time they wait for the first one of their key, without a connection.
    const ALONE: usize = 1_024;

    fn key(&self) -> Option<Self::Key> {
        let once = self.once.as_ref()?;
        let dealer = self.submission.dealer_id.as_str().to_owned();
        Some((dealer, once.key.as_str().to_owned()))
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        requests: &[&Self],
    ) -> QueryResult<Vec<Option<Accepted>>> {
        batch::insert(connection, requests).await
    }

    async fn write_alone(&self, database: &Database) -> StoreResult<Accepted> {
        alone::accept(database, self).await
    }
}

/// The statement for many, for a look at its plan.
#[cfg(feature = "testing")]
pub(crate) fn insertions() -> Statement<'static, batch::Accept> {
    batch::accept(&[])
}

/// Lower goes first.
pub(crate) const fn priority(kind: MessageKind) -> i16 {
    match kind {
        MessageKind::Live => 0,
        MessageKind::Bulk => 1,
    }
}
