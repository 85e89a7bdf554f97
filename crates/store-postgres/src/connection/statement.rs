use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement of our own SQL that is prepared once per connection.
///
/// `diesel::sql_query` prepares anew at every call, because it cannot know whether its text is
/// built at run time. Here the text is a constant, and values only stand in the row `input`,
/// which the text refers to by name.
pub(crate) struct Statement<'a, N = Unnamed> {
    inputs: Vec<(&'static str, Box<dyn Value + 'a>)>,
    body: &'static str,
    name: PhantomData<fn() -> N>,
}

/// What a connection finds the prepared statement by.
pub(crate) trait Name: 'static {
    /// The body for which this type stands; `None` where the statement is found by its text. To look
    /// for a text of thousands of characters takes a while, at every call.
    const BODY: Option<&'static str>;
}

/// By its text.
pub(crate) struct Unnamed;

impl Name for Unnamed {
    const BODY: Option<&'static str> = None;
}

impl<'a> Statement<'a> {
    /// A statement whose body goes on after `WITH RECURSIVE input AS (…)`: with a comma and
    /// further parts, or with the statement itself.
    pub(crate) fn new(body: &'static str) -> Self {
        Self::of(body)
    }
}

impl<'a, N: Name> Statement<'a, N> {
    /// The statement of this name, one that is asked very often. It must always get the same inputs.
    pub(crate) fn named() -> Self {
        Self::of(const { N::BODY.expect("the name stands for a body") })
    }

    fn of(body: &'static str) -> Self {
        Self {
            inputs: Vec::new(),
            body,
            name: PhantomData,
        }
    }

    /// Adds a column to `input`; `declaration` is its type and name, such as `uuid AS id`.
    pub(crate) fn with<ST, T>(mut self, declaration: &'static str, value: T) -> Self
    where
        ST: 'static,
        T: ToSql<ST, Pg> + Send + Sync + 'a,
        Pg: HasSqlType<ST>,
    {
        let typed = Typed {
            value,
            sql_type: PhantomData::<fn() -> ST>,
        };
        self.inputs.push((declaration, Box::new(typed)));
        self
    }

    /// The text, as PostgreSQL gets it.
    #[cfg(feature = "testing")]
    pub(crate) fn text(&self) -> String {
        let inputs: Vec<String> = (1..)
            .zip(&self.inputs)
            .map(|(n, (declaration, _))| format!("${n}::{declaration}"))
            .collect();
        let inputs = inputs.join(", ");
        format!("WITH RECURSIVE input AS (SELECT {inputs}) {}", self.body)
    }
}

trait Value: Send + Sync {
    fn bind<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

struct Typed<ST, T> {
    value: T,
    sql_type: PhantomData<fn() -> ST>,
}

impl<ST, T> Value for Typed<ST, T>
where
    ST: 'static,
    T: ToSql<ST, Pg> + Send + Sync,
    Pg: HasSqlType<ST>,
{
    fn bind<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<ST, T>(&self.value)
    }
}

impl<N> QueryFragment<Pg> for Statement<'_, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (position, (declaration, value)) in self.inputs.iter().enumerate() {
            out.push_sql(if position == 0 {
                "WITH RECURSIVE input AS (SELECT "
            } else {
                ", "
            });
            value.bind(out.reborrow())?;
            out.push_sql("::");
            out.push_sql(declaration);
        }
        out.push_sql(") ");
        out.push_sql(self.body);
        Ok(())
    }
}

impl<N: Name> QueryId for Statement<'_, N> {
    type QueryId = N;
    const HAS_STATIC_QUERY_ID: bool = N::BODY.is_some();
}

impl<N> Query for Statement<'_, N> {
    type SqlType = Untyped;
}
