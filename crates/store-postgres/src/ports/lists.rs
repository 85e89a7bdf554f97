//! Pages of a dealer's requests, in the order of the index `customer_validation_request_list`.
//!
//! The values are asked for with scalar subqueries, which PostgreSQL evaluates once and then takes
//! for constants: with a join it could not know that the index has the order already.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Time, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{PageQuery, Request, RequestStatus, Search, StoreError, WhatsappStatus};

use super::reports::ends;
use super::request_row::{RequestRow, columns};
use crate::connect::failed;
use crate::read_to_end::ReadToEnd as _;
use crate::statement::Statement;

macro_rules! of_dealer {
    ($row:literal) => {
        concat!(
            $row,
            ".dealer_id = (SELECT dealer_id FROM input) AND ",
            $row,
            ".request_date BETWEEN (SELECT first_day FROM input) AND (SELECT last_day FROM input)"
        )
    };
}

/// After the place, or anywhere.
macro_rules! after {
    () => {
        "(r.request_date, r.request_time, r.id) < (
            (SELECT coalesce(after_date, 'infinity') FROM input),
            (SELECT coalesce(after_time, '24:00') FROM input),
            (SELECT coalesce(after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') FROM input))"
    };
}

macro_rules! of_statuses {
    ($request:literal, $whatsapp:literal) => {
        concat!(
            "((SELECT request_statuses FROM input) IS NULL OR ",
            $request,
            " = ANY ((SELECT request_statuses FROM input)::text[])) AND (
            (SELECT whatsapp_statuses FROM input) IS NULL OR ",
            $whatsapp,
            " = ANY ((SELECT whatsapp_statuses FROM input)::text[]))"
        )
    };
}

/// A request that the filter means. What is searched for is in no index: one would cost every
/// request more than all the rest of storing it.
macro_rules! meant {
    () => {
        concat!(
            of_statuses!(
                "coalesce(r.request_status, 'PENDING')",
                "coalesce(r.whatsapp_status, 'NOT_SENT')"
            ),
            " AND (
            (SELECT name FROM input) IS NULL
            OR strpos(lower(r.nama_pembawa), (SELECT lower(name) FROM input)) > 0
            OR strpos(lower(translate(r.no_pol, ' -.', '')), (SELECT lower(plate) FROM input)) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), (SELECT phone FROM input)) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), (SELECT other_phone FROM input)) > 0)"
        )
    };
}

/// Days on which there are such requests, so that the others need not be looked at.
macro_rules! days {
    () => {
        concat!(
            "
, day AS MATERIALIZED (
    SELECT c.request_date
    FROM (
        SELECT n.request_date, n.rows FROM request_count n
        WHERE ",
            of_dealer!("n"),
            " AND ",
            of_statuses!("n.request_status", "n.whatsapp_status"),
            "
        UNION ALL
        SELECT n.request_date, n.rows FROM request_count_change n
        WHERE ",
            of_dealer!("n"),
            " AND ",
            of_statuses!("n.request_status", "n.whatsapp_status"),
            "
    ) c
    GROUP BY c.request_date HAVING sum(c.rows) > 0
)"
        )
    };
}

/// A page from the beginning, or after a place. The constant tells the planner that a page is
/// small.
const PAGE: &str = concat!(
    "SELECT * FROM (
    SELECT ",
    columns!(),
    " FROM customer_validation_request r
    WHERE ",
    of_dealer!("r"),
    " AND ",
    after!(),
    "
    ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT 101
) r
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
LIMIT (SELECT most FROM input)"
);

/// A page further down, by its number.
const NUMBERED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM customer_validation_request r
WHERE ",
    of_dealer!("r"),
    "
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
LIMIT (SELECT most FROM input) OFFSET (SELECT before FROM input)"
);

/// A page under a filter: day by day, until it is full.
const FILTERED: &str = concat!(
    days!(),
    "
SELECT r.*
FROM (
    SELECT request_date FROM day
    WHERE request_date <= (SELECT coalesce(after_date, last_day) FROM input)
    ORDER BY request_date DESC
) d
CROSS JOIN LATERAL (
    SELECT ",
    columns!(),
    " FROM customer_validation_request r
    WHERE r.dealer_id = (SELECT dealer_id FROM input) AND r.request_date = d.request_date AND ",
    after!(),
    " AND ",
    meant!(),
    "
    ORDER BY r.request_time DESC, r.id DESC
    LIMIT (SELECT most + before FROM input)
) r
ORDER BY d.request_date DESC, r.request_time DESC, r.id DESC
LIMIT (SELECT most FROM input) OFFSET (SELECT before FROM input)"
);

/// How many requests are found by a search: they are counted.
const FOUND: &str = concat!(
    days!(),
    "
SELECT count(*) AS rows FROM day d
JOIN customer_validation_request r ON r.request_date = d.request_date
    AND r.dealer_id = (SELECT dealer_id FROM input)
WHERE ",
    meant!()
);

/// The requests of a page, and one more where there is one. `before` are left out.
pub(super) async fn page(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
    before: i64,
) -> Result<Vec<Request>, StoreError> {
    let rows: Vec<RequestRow> = statement(query, before)
        .load(connection)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Request::from).collect())
}

pub(super) fn statement(query: &PageQuery, before: i64) -> Statement<'_> {
    let most = i64::from(query.page_size) + 1;
    let statement = if is_filtered(query) {
        filtered(FILTERED, query)
    } else if before == 0 {
        listed(PAGE, query)
    } else {
        listed(NUMBERED, query)
    };
    statement
        .with::<Nullable<Date>, _>("date AS after_date", query.after.map(|place| place.date))
        .with::<Nullable<Time>, _>("time AS after_time", query.after.map(|place| place.time))
        .with::<Nullable<Uuid>, _>("uuid AS after_id", query.after.map(|place| place.id.0))
        .with::<BigInt, _>("bigint AS most", most)
        .with::<BigInt, _>("bigint AS before", before)
}

/// How many requests a search finds.
pub(super) async fn found(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
) -> Result<i64, StoreError> {
    let row: FoundRow = filtered(FOUND, query)
        .one_row(connection)
        .await
        .map_err(failed)?;
    Ok(row.rows)
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn is_filtered(query: &PageQuery) -> bool {
    let filter = &query.filter;
    !filter.request_statuses.is_empty()
        || !filter.whatsapp_statuses.is_empty()
        || filter.search.is_some()
}

fn listed<'a>(body: &'static str, query: &'a PageQuery) -> Statement<'a> {
    let (first, last) = ends(query.range);
    Statement::new(body)
        .with::<Text, _>("varchar AS dealer_id", query.dealer.as_str())
        .with::<Date, _>("date AS first_day", first)
        .with::<Date, _>("date AS last_day", last)
}

fn filtered<'a>(body: &'static str, query: &'a PageQuery) -> Statement<'a> {
    let search = query.filter.search.as_ref();
    let phone = |n: usize| search.and_then(|search| Some(search.phones().get(n)?.as_str()));
    let plate = search.map(Search::plate).filter(|plate| !plate.is_empty());
    let names = |all: Vec<&'static str>| (!all.is_empty()).then_some(all);
    let request_statuses = query.filter.request_statuses.iter();
    let whatsapp_statuses = query.filter.whatsapp_statuses.iter();
    listed(body, query)
        .with::<Nullable<Array<Text>>, _>(
            "text[] AS request_statuses",
            names(
                request_statuses
                    .copied()
                    .map(RequestStatus::as_str)
                    .collect(),
            ),
        )
        .with::<Nullable<Array<Text>>, _>(
            "text[] AS whatsapp_statuses",
            names(
                whatsapp_statuses
                    .copied()
                    .map(WhatsappStatus::as_str)
                    .collect(),
            ),
        )
        .with::<Nullable<Text>, _>("text AS name", search.map(Search::name))
        .with::<Nullable<Text>, _>("text AS plate", plate)
        .with::<Nullable<Text>, _>("text AS phone", phone(0))
        .with::<Nullable<Text>, _>("text AS other_phone", phone(1))
}
