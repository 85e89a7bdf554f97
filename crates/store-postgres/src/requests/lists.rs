//! Pages of a dealer's requests, in the order of the index `customer_validation_request_list`.
//!
//! The values are asked for with scalar subqueries, which PostgreSQL evaluates once and then takes
//! for constants: with a join it could not know that the index has the order already.

use diesel::deserialize;
use diesel::pg::Pg;
use diesel::pg::data_types::{PgDate, PgTime};
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Time, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{Page, PageQuery, Request, RequestStatus, Search, StoreError, WhatsappStatus};

use super::reports::ends;
use super::row::{RequestRow, columns};
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;

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

/// A request with the statuses of the filter.
macro_rules! of_these_statuses {
    () => {
        of_statuses!(
            "coalesce(r.request_status, 'PENDING')",
            "coalesce(r.whatsapp_status, 'NOT_SENT')"
        )
    };
}

/// A request that the filter means. What is searched for is in no index: one would cost every
/// request more than all the rest of storing it.
macro_rules! meant {
    () => {
        concat!(
            of_these_statuses!(),
            " AND (
            (SELECT name FROM input) IS NULL
            OR r.nama_pembawa ~ (SELECT name FROM input)
            OR strpos(lower(translate(r.no_pol, ' -.', '') COLLATE \"C\"),
                (SELECT lower(plate COLLATE \"C\") FROM input)) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), (SELECT phone FROM input)) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), (SELECT other_phone FROM input)) > 0)"
        )
    };
}

/// How many of the dealer's requests there are on each day, of days that have some.
macro_rules! days {
    ($also:expr) => {
        concat!(
            "
, day AS MATERIALIZED (
    SELECT c.request_date, sum(c.rows)::bigint AS rows
    FROM (
        SELECT n.request_date, n.rows FROM request_count n
        WHERE ",
            of_dealer!("n"),
            $also,
            "
        UNION ALL
        SELECT n.request_date, n.rows FROM request_count_change n
        WHERE ",
            of_dealer!("n"),
            $also,
            "
    ) c
    GROUP BY c.request_date HAVING sum(c.rows) > 0
)"
        )
    };
}

/// The same of those with the statuses of the filter.
macro_rules! filtered_days {
    () => {
        days!(concat!(
            " AND ",
            of_statuses!("n.request_status", "n.whatsapp_status")
        ))
    };
}

/// The place after which a page begins, `previous`: the cursor's, or before all days, or that of the
/// request before the page. The counts tell on which day that one stands, and how far from either end of
/// the day: it is walked to from the nearer one.
macro_rules! previous {
    ($also:expr) => {
        concat!(
            "
, placed AS (
    SELECT d.request_date, d.rows, sum(d.rows) OVER (ORDER BY d.request_date DESC)::bigint AS through
    FROM day d
), start AS (
    SELECT p.request_date, p.rows, i.before - (p.through - p.rows) AS skipped
    FROM placed p, input i
    WHERE i.after_date IS NULL AND i.before > 0
        AND i.before >= p.through - p.rows AND i.before < p.through
), previous AS MATERIALIZED (
    SELECT after_date AS request_date, after_time AS request_time, after_id AS id
    FROM input WHERE after_date IS NOT NULL
    UNION ALL
    -- The end of the day, be that `infinity`, which has no day after it.
    SELECT last_day, '24:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    FROM input WHERE after_date IS NULL AND before = 0
    UNION ALL
    SELECT request_date, '24:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    FROM start WHERE skipped = 0
    UNION ALL
    SELECT s.request_date, r.request_time, r.id FROM start s CROSS JOIN LATERAL (
        SELECT r.request_time, r.id FROM customer_validation_request r
        WHERE r.dealer_id = (SELECT dealer_id FROM input) AND r.request_date = s.request_date
            AND s.skipped BETWEEN 1 AND s.rows / 2",
            $also,
            "
        ORDER BY r.request_time DESC, r.id DESC
        LIMIT 1 OFFSET greatest(s.skipped - 1, 0)) r
    UNION ALL
    SELECT s.request_date, r.request_time, r.id FROM start s CROSS JOIN LATERAL (
        SELECT r.request_time, r.id FROM customer_validation_request r
        WHERE r.dealer_id = (SELECT dealer_id FROM input) AND r.request_date = s.request_date
            AND s.skipped > s.rows / 2",
            $also,
            "
        ORDER BY r.request_time, r.id
        LIMIT 1 OFFSET s.rows - s.skipped) r
)"
        )
    };
}

macro_rules! after_previous {
    () => {
        "(r.request_date, r.request_time, r.id) < (
            (SELECT request_date FROM previous),
            (SELECT request_time FROM previous),
            (SELECT id FROM previous))"
    };
}

/// A page with the number of all, in one snapshot; a row without a request where the page is empty.
macro_rules! with_total {
    ($page:expr) => {
        concat!(
            "
SELECT t.total, r.*
FROM (SELECT coalesce(sum(d.rows), 0)::bigint AS total FROM day d) t
LEFT JOIN LATERAL (",
            $page,
            ") r ON true
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC"
        )
    };
}

/// The constant tells the planner that a page is small.
const PAGE: &str = concat!(
    days!(""),
    previous!(""),
    with_total!(concat!(
        "
    SELECT * FROM (
        SELECT ",
        columns!(),
        " FROM customer_validation_request r
        WHERE ",
        of_dealer!("r"),
        " AND ",
        after_previous!(),
        "
        ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
        LIMIT 101
    ) r
    ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT (SELECT most FROM input)"
    ))
);

/// Of the day of the place on, day by day, until the page is full.
const FILTERED: &str = concat!(
    filtered_days!(),
    previous!(concat!(" AND ", of_these_statuses!())),
    with_total!(concat!(
        "
    SELECT r.*
    FROM (
        SELECT request_date FROM day
        WHERE request_date <= (SELECT request_date FROM previous)
        ORDER BY request_date DESC
    ) d
    CROSS JOIN LATERAL (
        SELECT ",
        columns!(),
        " FROM customer_validation_request r
        WHERE r.dealer_id = (SELECT dealer_id FROM input) AND r.request_date = d.request_date AND ",
        after_previous!(),
        " AND ",
        of_these_statuses!(),
        "
        ORDER BY r.request_time DESC, r.id DESC
        LIMIT (SELECT most FROM input)
    ) r
    ORDER BY d.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT (SELECT most FROM input)"
    ))
);

/// A page of what is searched for. No count knows how many of a day are found, so that a page further
/// down reads all before it.
const SEARCHED: &str = concat!(
    filtered_days!(),
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
    filtered_days!(),
    "
SELECT count(*) AS rows FROM day d
JOIN customer_validation_request r ON r.request_date = d.request_date
    AND r.dealer_id = (SELECT dealer_id FROM input)
WHERE ",
    meant!()
);

/// A page of a dealer's requests.
pub(crate) async fn page(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
) -> Result<Page, StoreError> {
    let (total, rows) = if query.filter.search.is_some() {
        searched(connection, query).await?
    } else {
        let rows: Vec<ListedRow> = statement(query).load(connection).await.map_err(failed)?;
        let total = rows.iter().map(|row| row.total).next().unwrap_or(0);
        let requests = rows.into_iter().filter_map(|row| row.request);
        (total, requests.collect())
    };
    let size = query.page_size as usize;
    Ok(Page {
        has_more: rows.len() > size,
        last: rows.iter().take(size).next_back().map(RequestRow::place),
        items: rows.into_iter().take(size).map(Request::from).collect(),
        total: u64::try_from(total).unwrap_or(0),
    })
}

/// How many requests a search finds, and those of the page.
async fn searched(
    connection: &mut AsyncPgConnection,
    query: &PageQuery,
) -> Result<(i64, Vec<RequestRow>), StoreError> {
    let found: FoundRow = filtered(FOUND, query)
        .one_row(connection)
        .await
        .map_err(failed)?;
    let rows = if before(query) < found.rows {
        statement(query).load(connection).await.map_err(failed)?
    } else {
        Vec::new()
    };
    Ok((found.rows, rows))
}

pub(crate) fn statement(query: &PageQuery) -> Statement<'_> {
    let filter = &query.filter;
    let statement = if filter.search.is_some() {
        filtered(SEARCHED, query)
    } else if filter.request_statuses.is_empty() && filter.whatsapp_statuses.is_empty() {
        listed(PAGE, query)
    } else {
        filtered(FILTERED, query)
    };
    let after = query.after;
    statement
        .with::<Nullable<Date>, _>("date AS after_date", after.map(|place| PgDate(place.days)))
        .with::<Nullable<Time>, _>(
            "time AS after_time",
            after.map(|place| PgTime(place.micros)),
        )
        .with::<Nullable<Uuid>, _>("uuid AS after_id", after.map(|place| place.id.0))
        // One more tells whether there is another page.
        .with::<BigInt, _>("bigint AS most", i64::from(query.page_size) + 1)
        .with::<BigInt, _>("bigint AS before", before(query))
}

/// How many requests are on the pages before; none count before a place.
fn before(query: &PageQuery) -> i64 {
    match query.after {
        Some(_) => 0,
        None => i64::try_from(query.page.saturating_sub(1))
            .unwrap_or(i64::MAX)
            .saturating_mul(i64::from(query.page_size)),
    }
}

/// A request of a page, or none where the page is empty.
struct ListedRow {
    /// Of all pages.
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

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = BigInt)]
    rows: i64,
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
        .with::<Nullable<Text>, _>("text AS name", search.map(Search::name_pattern))
        .with::<Nullable<Text>, _>("text AS plate", plate)
        .with::<Nullable<Text>, _>("text AS phone", phone(0))
        .with::<Nullable<Text>, _>("text AS other_phone", phone(1))
}
