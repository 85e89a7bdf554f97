//! A dealer's list, part by part.

use diesel::deserialize;
use diesel::pg::Pg;
use diesel::pg::data_types::{PgDate, PgTime};
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Bool, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use domain::ports::{ExportPart, ExportQuery, PageQuery, StoreError};
use domain::requests::Request;

use crate::connection::failed;
use crate::requests::lists::{filtered, searched};
use crate::requests::row::RequestRow;
use crate::sql::{self, Statement};

/// The part of a list that begins where the one before ended.
pub(crate) async fn part(
    connection: &mut AsyncPgConnection,
    query: &ExportQuery,
) -> Result<ExportPart, StoreError> {
    // What is asked for is bound as for a page.
    let asked = PageQuery {
        dealer: query.dealer.clone(),
        range: query.range,
        filter: query.filter.clone(),
        page: 1,
        after: query.after,
        page_size: query.most,
    };
    let after = query.after;
    let statement = searched(filtered(Statement::new(sql::Export), &asked), &asked)
        .bind("after_date", after.map(|place| PgDate(place.days)))
        .bind("after_time", after.map(|place| PgTime(place.micros)))
        .bind("after_id", after.map(|place| place.id.0))
        .bind("most", i64::from(query.most));
    let rows: Vec<ExportRow> = statement.load(connection).await.map_err(failed)?;
    let last = rows.last();
    // Where fewer were there to look at, there are no more.
    let last = last.filter(|last| last.looked_at == i64::from(query.most));
    let next = last.map(|last| last.request.place());
    let items = rows.into_iter().filter(|row| row.is_meant);
    Ok(ExportPart {
        items: items.map(|row| Request::from(row.request)).collect(),
        next,
    })
}

/// A request, perhaps only one behind which the next part begins.
struct ExportRow {
    looked_at: i64,
    is_meant: bool,
    request: RequestRow,
}

impl QueryableByName<Pg> for ExportRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let is_meant: Option<bool> = NamedRow::get::<Nullable<Bool>, _>(row, "is_meant")?;
        Ok(Self {
            looked_at: NamedRow::get::<BigInt, _>(row, "looked_at")?,
            is_meant: is_meant.unwrap_or(false),
            request: <RequestRow as QueryableByName<Pg>>::build(row)?,
        })
    }
}
