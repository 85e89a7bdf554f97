use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType, Untyped};

use super::{Bound, File, Piece};

/// A file and its values, prepared once for each connection.
pub(crate) struct Statement<'a, F> {
    values: Vec<(&'static str, Box<dyn Value + 'a>)>,
    file: PhantomData<fn() -> F>,
}

impl<'a, F: File> Statement<'a, F> {
    pub(crate) fn new(_: F) -> Self {
        Self {
            values: Vec::new(),
            file: PhantomData,
        }
    }

    /// Binds a value by its name. Binding in the order of the file is fastest.
    pub(crate) fn bind<T>(mut self, name: &'static str, value: T) -> Self
    where
        T: Bound + ToSql<T::SqlType, Pg> + Send + Sync + 'a,
        Pg: HasSqlType<T::SqlType>,
    {
        self.values.push((name, Box::new(value)));
        self
    }

    /// Binds one value of each row, as an array.
    pub(crate) fn bind_each<R, T>(
        self,
        name: &'static str,
        rows: R,
        value: impl FnMut(R::Item) -> T,
    ) -> Self
    where
        R: IntoIterator,
        T: Bound,
        Vec<T>: ToSql<Array<T::SqlType>, Pg> + Send + Sync + 'a,
        Pg: HasSqlType<Array<T::SqlType>>,
    {
        self.bind(name, rows.into_iter().map(value).collect::<Vec<T>>())
    }

    /// The value of this name; the search starts at the nth.
    fn value(&self, name: &str, n: usize) -> QueryResult<&(dyn Value + 'a)> {
        let nth = self.values.get(n).filter(|(known, _)| *known == name);
        let found = nth.or_else(|| self.values.iter().find(|(known, _)| *known == name));
        let (_, value) = found.ok_or_else(|| Error::QueryBuilderError(name.into()))?;
        Ok(&**value)
    }
}

trait Value: Send + Sync {
    fn bind<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

impl<T> Value for T
where
    T: Bound + ToSql<T::SqlType, Pg> + Send + Sync,
    Pg: HasSqlType<T::SqlType>,
{
    fn bind<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<T::SqlType, T>(self)
    }
}

impl<F: File> QueryFragment<Pg> for Statement<'_, F> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut n = 0;
        for piece in &F::template().0 {
            match piece {
                Piece::Text(text) => out.push_sql(text),
                Piece::Value(name) => {
                    self.value(name, n)?.bind(out.reborrow())?;
                    n += 1;
                }
            }
        }
        debug_assert_eq!(n, self.values.len(), "every value has a place");
        Ok(())
    }
}

impl<F: File> QueryId for Statement<'_, F> {
    type QueryId = F;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<F> Query for Statement<'_, F> {
    type SqlType = Untyped;
}
