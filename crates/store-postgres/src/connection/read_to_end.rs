use std::future::Future;

use diesel::result::{Error, QueryResult};
use diesel_async::methods::{ExecuteDsl, LoadQuery};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::BoxFuture;

use super::{Database, StoreResult, failed};

/// Asks for single rows and reads the statement to its end.
///
/// PostgreSQL commits a statement after its last row, and tells behind the rows when the commit
/// failed. `get_result` and `first` of diesel-async return with the first row and never learn that,
/// so clippy refuses them (`.clippy.toml`); `load` and `execute` read to the end.
pub(crate) trait ReadToEnd: Sized {
    /// The only row; [`Error::NotFound`] without one.
    fn one_row<'query, 'conn, U>(
        self,
        connection: &'conn mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<U>> + Send + use<'query, 'conn, Self, U>
    where
        U: Send + 'conn,
        Self: LoadQuery<'query, AsyncPgConnection, U> + Send + 'query,
    {
        let row = self.optional_row(connection);
        async move { row.await?.ok_or(Error::NotFound) }
    }

    /// The only row, or none.
    fn optional_row<'query, 'conn, U>(
        self,
        connection: &'conn mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<Option<U>>> + Send + use<'query, 'conn, Self, U>
    where
        U: Send + 'conn,
        Self: LoadQuery<'query, AsyncPgConnection, U> + Send + 'query,
    {
        let rows = self.load(connection);
        async move {
            let mut rows: Vec<U> = rows.await?;
            Ok(rows.pop())
        }
    }
}

impl<T> ReadToEnd for T {}

/// Statements that are a question of their own, asked once; see [`Database::ask`].
impl Database {
    /// All rows.
    pub(crate) fn all<'a, S, U>(&'a self, statement: S) -> BoxFuture<'a, StoreResult<Vec<U>>>
    where
        S: LoadQuery<'a, AsyncPgConnection, U> + Send + 'a,
        U: Send + 'a,
    {
        Box::pin(self.ask(|mut connection| async move {
            statement.load(&mut connection).await.map_err(failed)
        }))
    }

    /// The only row, or none.
    pub(crate) fn optional<'a, S, U>(
        &'a self,
        statement: S,
    ) -> BoxFuture<'a, StoreResult<Option<U>>>
    where
        S: LoadQuery<'a, AsyncPgConnection, U> + Send + 'a,
        U: Send + 'a,
    {
        let rows = self.all(statement);
        Box::pin(async move { Ok(rows.await?.pop()) })
    }

    /// The only row.
    pub(crate) fn one<'a, S, U>(&'a self, statement: S) -> BoxFuture<'a, StoreResult<U>>
    where
        S: LoadQuery<'a, AsyncPgConnection, U> + Send + 'a,
        U: Send + 'a,
    {
        let row = self.optional(statement);
        Box::pin(async move { row.await?.ok_or_else(|| failed(Error::NotFound)) })
    }

    /// How many rows were changed.
    pub(crate) fn run<'a, S>(&'a self, statement: S) -> BoxFuture<'a, StoreResult<usize>>
    where
        S: ExecuteDsl<AsyncPgConnection> + Send + 'a,
    {
        Box::pin(self.ask(|mut connection| async move {
            let changed = ExecuteDsl::execute(statement, &mut connection).await;
            changed.map_err(failed)
        }))
    }
}
