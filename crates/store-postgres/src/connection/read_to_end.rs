use std::future::Future;

use diesel::result::{Error, QueryResult};
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

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
