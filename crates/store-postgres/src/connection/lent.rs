//! A connection on loan from the pool, and what its errors mean.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use deadpool::managed::Object;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use domain::ports::{BoxError, StoreError};
use tokio_postgres::error::SqlState;

use super::pool::Sessions;
use super::session::{READ_ONLY, Session};
use super::watched::ServerError;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::sql::sql_row;

/// A connection on loan; when dropped, [`Returned`] decides whether it goes back into the pool.
pub(crate) struct Connection {
    pub(super) object: Option<Object<Sessions>>,
    pub(super) back: Slot,
}

pub(super) type Slot = Arc<Mutex<Option<Object<Sessions>>>>;

impl Connection {
    /// Whether the server takes no writes from this session. A read-only session and all sessions of its age
    /// are closed.
    pub(crate) async fn is_read_only(&mut self) -> QueryResult<bool> {
        let answer: ReadOnly = diesel::sql_query(READ_ONLY).one_row(self).await?;
        if answer.read_only {
            self.session().distrust_all();
        }
        Ok(answer.read_only)
    }

    /// The SQLSTATE of the last error from the server since the connection was lent.
    pub(crate) fn sqlstate(&self) -> Option<SqlState> {
        self.session().sqlstate()
    }

    /// Whether that error makes the session unusable.
    pub(crate) fn has_ended(&self) -> bool {
        let error = self.session().answers().error();
        error.is_some_and(|error| error.ends_session())
    }

    /// Gives up this session and all older ones, because of their prepared statements. False where new
    /// sessions meet the same error.
    pub(crate) fn renew(&self) -> bool {
        self.session().connector().renew()
    }

    /// Notes that a session made after [`renew`](Self::renew) has met the same error.
    pub(crate) fn renewed_in_vain(&self) {
        self.session().connector().renewed_in_vain();
    }

    /// Whether the session was given up while it was on loan.
    pub(crate) fn is_given_up(&self) -> bool {
        !self.session().is_trusted()
    }

    /// Whether the session's prepared statements may have caused that error.
    pub(crate) fn is_stale(&self) -> bool {
        let error = self.session().answers().error();
        error.is_some_and(|error| error.is_stale())
    }

    /// Classifies the failure of the last statement: `Rejected` where it is permanent.
    pub(crate) fn judged(&self, failure: StoreError) -> StoreError {
        judged(failure, self.session().answers().error().as_ref())
    }

    fn session(&self) -> &Session {
        self.object.as_ref().expect("it is there until the drop")
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        self.session()
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.object.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Ok(mut back) = self.back.lock() {
            *back = self.object.take();
        }
    }
}

/// Decides about a connection that comes back: into the pool when its question was answered, else closed.
#[derive(Default)]
pub(super) struct Returned {
    pub(super) slot: Slot,
    pub(super) is_idle: bool,
}

impl Drop for Returned {
    fn drop(&mut self) {
        let object = self.slot.lock().ok().and_then(|mut slot| slot.take());
        if let Some(object) = object.filter(|_| !self.is_idle) {
            drop(Object::take(object));
        }
    }
}

sql_row! {
    struct ReadOnly {
        read_only: bool,
    }
}

/// Maps a failed statement to the domain's error.
pub(crate) fn failed(error: diesel::result::Error) -> StoreError {
    match error {
        diesel::result::Error::DeserializationError(source) => StoreError::Corrupt(source),
        other => StoreError::Unavailable(other.into()),
    }
}

/// Classifies a failure by the server's last error: a permanent one is no outage. A failure without an error
/// from the server stays as it is.
pub(super) fn judged(failure: StoreError, told: Option<&ServerError>) -> StoreError {
    let is_told = |source: &BoxError| {
        matches!(
            source.downcast_ref::<diesel::result::Error>(),
            Some(diesel::result::Error::DatabaseError(..))
        )
    };
    match failure {
        StoreError::Unavailable(source)
            if is_told(&source) && told.is_some_and(ServerError::lasts) =>
        {
            StoreError::Rejected(source)
        }
        other => other,
    }
}
