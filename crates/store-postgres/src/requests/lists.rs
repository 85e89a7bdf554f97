//! Pages of a dealer's requests, in the order of the index `customer_validation_request_list`.
//!
//! Values come from scalar subqueries, which PostgreSQL evaluates once and takes for constants: with a join
//! the planner would not see that the index is already in order.

use diesel::deserialize;
use diesel::pg::Pg;
use diesel::pg::data_types::{PgDate, PgTime};
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Nullable, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::{
    ListPlace, NewestPage, NewestQuery, Page, PageQuery, RequestFilter, StoreError,
};
use domain::requests::Request;
use domain::values::Search;

use super::reports::ends;
use super::row::RequestRow;
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::sql::{self, File, Statement, sql_row};

/// A page of a dealer's requests.
pub(crate) async fn page(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
) -> Result<Page, StoreError> {
    let filter = &query.filter;
    let is_filtered = !(filter.request_statuses.is_empty() && filter.whatsapp_statuses.is_empty());
    let (total, rows) = if filter.search.is_some() {
        search(connection, query).await
    } else if is_filtered {
        let statement = filtered(Statement::new(sql::FilteredPage), query);
        list(connection, placed(statement, query)).await
    } else {
        let statement = listed(Statement::new(sql::Page), query);
        list(connection, placed(statement, query)).await
    }
    .map_err(failed)?;
    let size = query.page_size as usize;
    Ok(Page {
        has_more: rows.len() > size,
        last: rows.iter().take(size).next_back().map(RequestRow::place),
        items: rows.into_iter().take(size).map(Request::from).collect(),
        total: u64::try_from(total).unwrap_or(0),
    })
}

/// The requests of a page, with the total.
async fn list<F: File>(
    connection: &mut AsyncPgConnection,
    statement: Statement<'_, F>,
) -> QueryResult<(i64, Vec<RequestRow>)> {
    let rows: Vec<ListedRow> = statement.load(connection).await?;
    let total = rows.iter().map(|row| row.total).next().unwrap_or(0);
    let requests = rows.into_iter().filter_map(|row| row.request);
    Ok((total, requests.collect()))
}

/// The number of requests that a search finds, and those of the page.
async fn search(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
) -> QueryResult<(i64, Vec<RequestRow>)> {
    let counting = searched(filtered(Statement::new(sql::CountFound), query), query);
    let FoundRow { rows: total } = counting.one_row(connection).await?;
    let rows = if before(query) < total {
        let statement = placed(filtered(Statement::new(sql::Search), query), query);
        searched(statement, query).load(connection).await?
    } else {
        Vec::new()
    };
    Ok((total, rows))
}

/// A page of the requests of all dealers.
pub(crate) async fn newest(
    connection: &mut AsyncPgConnection,
    query: &NewestQuery,
) -> Result<NewestPage, StoreError> {
    let (first, last) = ends(query.range);
    let statement = Statement::new(sql::Newest)
        .bind("first_day", first)
        .bind("last_day", last);
    let statement = meant(statement, &query.filter);
    let statement = after(statement, query.after, query.page_size);
    let rows: Vec<RequestRow> = statement.load(connection).await.map_err(failed)?;
    let size = query.page_size as usize;
    Ok(NewestPage {
        has_more: rows.len() > size,
        last: rows.iter().take(size).next_back().map(RequestRow::place),
        items: rows.into_iter().take(size).map(Request::from).collect(),
    })
}

/// The number of requests on the pages before; 0 with a cursor.
fn before(query: &PageQuery) -> i64 {
    match query.after {
        Some(_) => 0,
        None => i64::try_from(query.page.saturating_sub(1))
            .unwrap_or(i64::MAX)
            .saturating_mul(i64::from(query.page_size)),
    }
}

/// A request of a page, or none for an empty page.
struct ListedRow {
    /// The total of all pages.
    total: i64,
    request: Option<RequestRow>,
}

impl QueryableByName<Pg> for ListedRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let id: Option<uuid::Uuid> = NamedRow::get::<Nullable<Uuid>, _>(row, "id")?;
        let request = id.map(|_| <RequestRow as QueryableByName<Pg>>::build(row));
        Ok(Self {
            total: NamedRow::get::<BigInt, _>(row, "total")?,
            request: request.transpose()?,
        })
    }
}

sql_row! {
    struct FoundRow {
        rows: i64,
    }
}

fn listed<'a, F: File>(statement: Statement<'a, F>, query: &'a PageQuery) -> Statement<'a, F> {
    let (first, last) = ends(query.range);
    statement
        .bind("dealer_id", query.dealer.as_str())
        .bind("first_day", first)
        .bind("last_day", last)
}

pub(crate) fn filtered<'a, F: File>(
    statement: Statement<'a, F>,
    query: &'a PageQuery,
) -> Statement<'a, F> {
    of_statuses(listed(statement, query), &query.filter)
}

fn of_statuses<'a, F: File>(
    statement: Statement<'a, F>,
    filter: &'a RequestFilter,
) -> Statement<'a, F> {
    let names = |all: Vec<&'static str>| (!all.is_empty()).then_some(all);
    let requests = filter.request_statuses.iter();
    let whatsapps = filter.whatsapp_statuses.iter();
    statement
        .bind(
            "request_statuses",
            names(requests.map(|status| status.as_str()).collect()),
        )
        .bind(
            "whatsapp_statuses",
            names(whatsapps.map(|status| status.as_str()).collect()),
        )
}

/// Binds the start and the length of a page.
fn placed<'a, F: File>(statement: Statement<'a, F>, query: &PageQuery) -> Statement<'a, F> {
    let statement = statement.bind("before", before(query));
    after(statement, query.after, query.page_size)
}

/// Binds after which place how many are read.
fn after<F: File>(
    statement: Statement<'_, F>,
    after: Option<ListPlace>,
    page_size: u32,
) -> Statement<'_, F> {
    statement
        .bind("after_date", after.map(|place| PgDate(place.days)))
        .bind("after_time", after.map(|place| PgTime(place.micros)))
        .bind("after_id", after.map(|place| place.id.0))
        // One row more tells whether there is another page.
        .bind("most", i64::from(page_size) + 1)
}

pub(crate) fn searched<'a, F: File>(
    statement: Statement<'a, F>,
    query: &'a PageQuery,
) -> Statement<'a, F> {
    found(statement, query.filter.search.as_ref())
}

/// Binds statuses and what is searched for.
fn meant<'a, F: File>(statement: Statement<'a, F>, filter: &'a RequestFilter) -> Statement<'a, F> {
    found(of_statuses(statement, filter), filter.search.as_ref())
}

fn found<'a, F: File>(statement: Statement<'a, F>, search: Option<&'a Search>) -> Statement<'a, F> {
    let phone = |n: usize| search.and_then(|search| Some(search.phones().get(n)?.as_str()));
    let plate = search.map(Search::plate).filter(|plate| !plate.is_empty());
    statement
        .bind("name", search.map(Search::name_pattern))
        .bind("plate", plate)
        .bind("phone", phone(0))
        .bind("other_phone", phone(1))
}
