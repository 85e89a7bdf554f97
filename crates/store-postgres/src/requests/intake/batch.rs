//! Many requests in one statement.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{
    Array, Binary, Date, Double, Nullable, SmallInt, Text, Time, Timestamp, Timestamptz, Uuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{Accepted, CREATED_BY, KEY_LIFETIME, NewRequest, Once};

use super::priority;
use crate::connection::statement::{Name, Statement};
use crate::requests::origin;

/// The rows of a batch.
macro_rules! rows {
    ($($keys:literal, $names:literal)?) => {
        concat!(
            "
, submitted AS (
    SELECT u.* FROM input i, unnest(
        i.id, i.dealer_id, i.request_date, i.request_time, i.nama_pembawa, i.no_telp, i.tipe_unit,
        i.no_pol, i.no_pol_normal, i.created_date, i.modified_date, i.message_id, i.kind,
        i.priority, i.template, i.body, i.not_before, i.http_request_id, i.traceparent",
            $($keys,)?
            ") AS u (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit,
        no_pol, no_pol_normal, created_date, modified_date, message_id, kind,
        priority, template, body, not_before, http_request_id, traceparent",
            $($names,)?
            ")
)"
        )
    };
}

/// Stores `fresh`. Lanes are made in one order everywhere, or two copies could wait for each other.
macro_rules! store {
    () => {
        "
, request AS (
    INSERT INTO customer_validation_request (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, request_status, whatsapp_status, created_by, created_date,
        last_modified_by, last_modified_date, newest_message_id)
    SELECT f.id, f.dealer_id, f.request_date, f.request_time, f.nama_pembawa, f.no_telp,
        f.tipe_unit, f.no_pol, f.no_pol_normal, 'PENDING', 'NOT_SENT', i.author, f.created_date,
        i.author, f.modified_date, f.message_id
    FROM fresh f, input i
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT DISTINCT dealer_id FROM fresh ORDER BY dealer_id
    ON CONFLICT DO NOTHING
)
INSERT INTO message (
    id, request_id, dealer_id, kind, priority, template, body, target, due_at, next_try_at,
    http_request_id, traceparent)
SELECT message_id, id, dealer_id, kind, priority, template, body, no_telp,
    greatest(not_before, now()), greatest(not_before, now()), http_request_id, traceparent
FROM fresh"
    };
}

/// Requests without keys.
const ACCEPT: &str = concat!(rows!(), ", fresh AS (SELECT * FROM submitted)", store!());

/// Requests of which some have keys; answers with those that were stored. A key that somebody else
/// is storing at this moment is not waited for.
const ACCEPT_ONCE: &str = concat!(
    rows!(", i.key, i.body_print", ", key, body_print"),
    "
, turn AS MATERIALIZED (
    SELECT dealer_id, key, body_print, id FROM submitted
    WHERE key IS NOT NULL
        AND pg_try_advisory_xact_lock(hashtextextended(dealer_id || '/' || key, 0))
), claimed AS (
    -- An old one is replaced.
    INSERT INTO idempotency_key AS k (dealer_id, key, body_print, request_id)
    SELECT dealer_id, key, body_print, id FROM turn ORDER BY dealer_id, key
    ON CONFLICT (dealer_id, key) DO UPDATE SET
        body_print = excluded.body_print,
        request_id = excluded.request_id,
        created_at = now()
    WHERE k.created_at <= now() - make_interval(secs => (SELECT key_seconds FROM input))
    RETURNING k.request_id
), fresh AS (
    SELECT * FROM submitted
    WHERE key IS NULL OR id IN (SELECT request_id FROM claimed)
)",
    store!(),
    " RETURNING request_id"
);

/// Stores the requests. Undecided are those whose key was used before, or is just being used.
pub(crate) async fn insert(
    connection: &mut AsyncPgConnection,
    rows: &[&NewRequest],
) -> QueryResult<Vec<Option<Accepted>>> {
    if rows.iter().all(|row| row.once.is_none()) {
        accept(rows).execute(connection).await?;
        return Ok(vec![Some(Accepted::Stored); rows.len()]);
    }
    let stored: Vec<StoredRow> = with_rows(Statement::new(ACCEPT_ONCE), rows)
        .with::<Array<Nullable<Text>>, _>("varchar[] AS key", once(rows, |once| once.key.as_str()))
        .with::<Array<Nullable<Binary>>, _>(
            "bytea[] AS body_print",
            once(rows, |once| once.body.as_bytes()),
        )
        .with::<Double, _>("float8 AS key_seconds", KEY_LIFETIME.as_secs_f64())
        .load(connection)
        .await?;
    let stored: HashSet<uuid::Uuid> = stored.into_iter().map(|row| row.request_id).collect();
    let answer = |row: &&NewRequest| stored.contains(&row.id.0).then_some(Accepted::Stored);
    Ok(rows.iter().map(answer).collect())
}

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(sql_type = Uuid)]
    request_id: uuid::Uuid,
}

fn once<'a, T>(rows: &[&'a NewRequest], part: impl Fn(&'a Once) -> T) -> Vec<Option<T>> {
    rows.iter()
        .map(|row| row.once.as_ref().map(&part))
        .collect()
}

/// The name of the statement for requests without keys.
pub(crate) struct Accept;

impl Name for Accept {
    const BODY: Option<&'static str> = Some(ACCEPT);
}

pub(crate) fn accept<'a>(rows: &[&'a NewRequest]) -> Statement<'a, Accept> {
    with_rows(Statement::named(), rows)
}

fn with_rows<'a, N: Name>(
    statement: Statement<'a, N>,
    rows: &[&'a NewRequest],
) -> Statement<'a, N> {
    macro_rules! column {
        (|$request:ident| $value:expr) => {
            rows.iter().map(|$request| $value).collect::<Vec<_>>()
        };
    }
    statement
        .with::<Array<Uuid>, _>("uuid[] AS id", column!(|r| r.id.0))
        .with::<Array<Text>, _>(
            "varchar[] AS dealer_id",
            column!(|r| r.submission.dealer_id.as_str()),
        )
        .with::<Array<Date>, _>(
            "date[] AS request_date",
            column!(|r| r.submission.created_time.date()),
        )
        .with::<Array<Time>, _>(
            "time[] AS request_time",
            column!(|r| r.submission.created_time.time()),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS nama_pembawa",
            column!(|r| r.submission.customer_name.as_str()),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS no_telp",
            column!(|r| r.submission.phone.national()),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS tipe_unit",
            column!(|r| r.submission.unit_type.as_str()),
        )
        .with::<Array<Text>, _>(
            "varchar[] AS no_pol",
            column!(|r| r.submission.license_plate.as_sent()),
        )
        .with::<Array<Nullable<Text>>, _>(
            "varchar[] AS no_pol_normal",
            column!(|r| r.submission.license_plate.normal_form()),
        )
        .with::<Array<Timestamp>, _>(
            "timestamp[] AS created_date",
            column!(|r| r.submission.created_time),
        )
        .with::<Array<Timestamp>, _>(
            "timestamp[] AS modified_date",
            column!(|r| r.submission.modified_time),
        )
        .with::<Array<Uuid>, _>("uuid[] AS message_id", column!(|r| r.message.id.0))
        .with::<Array<Text>, _>("text[] AS kind", column!(|r| r.message.kind.as_str()))
        .with::<Array<SmallInt>, _>(
            "smallint[] AS priority",
            column!(|r| priority(r.message.kind)),
        )
        .with::<Array<Text>, _>(
            "text[] AS template",
            column!(|r| r.message.template.as_str()),
        )
        .with::<Array<Text>, _>("text[] AS body", column!(|r| r.message.body.as_str()))
        .with::<Array<Nullable<Timestamptz>>, _>(
            "timestamptz[] AS not_before",
            column!(|r| r.message.not_before),
        )
        .with::<Array<Nullable<Text>>, _>(
            "text[] AS http_request_id",
            column!(|r| origin::request_id(&r.message)),
        )
        .with::<Array<Nullable<Text>>, _>(
            "text[] AS traceparent",
            column!(|r| origin::traceparent(&r.message)),
        )
        .with::<Text, _>("varchar AS author", CREATED_BY)
}
