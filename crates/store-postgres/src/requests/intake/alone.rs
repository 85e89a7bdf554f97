//! One request on its own: where its key may have been used before.

use std::time::{Duration, Instant};

use diesel::sql_types::{
    Binary, Date, Double, Nullable, SmallInt, Text, Time, Timestamp, Timestamptz, Uuid,
};
use diesel_async::RunQueryDsl;
use domain::{Accepted, CREATED_BY, KEY_LIFETIME, KeyUse, NewRequest, StoreError};

use super::priority;
use crate::connection::statement::Statement;
use crate::connection::{Database, StoreResult, failed};
use crate::requests::key_use::key_use;
use crate::requests::origin;

/// How long the first request of a key is waited for, and how long until it is looked at again: at
/// first, and at most. The wait is not the database's: an error of a lock that took too long is told
/// from others only by its words, which are in the server's language.
const KEY_WAIT: Duration = Duration::from_secs(2);
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LONGEST_LOOK: Duration = Duration::from_millis(160);

/// One statement, and with it one transaction and one round trip. A key that somebody else is storing
/// at this moment is not waited for.
const ACCEPT: &str = "
, turn AS MATERIALIZED (
    SELECT * FROM input
    WHERE key IS NOT NULL
        AND pg_try_advisory_xact_lock(hashtextextended(dealer_id || '/' || key, 0))
), claimed AS (
    -- An old one is replaced.
    INSERT INTO idempotency_key AS k (dealer_id, key, body_print, request_id)
    SELECT dealer_id, key, body_print, id FROM turn
    ON CONFLICT (dealer_id, key) DO UPDATE SET
        body_print = excluded.body_print,
        request_id = excluded.request_id,
        created_at = now()
    WHERE k.created_at <= now() - make_interval(secs => (SELECT key_seconds FROM input))
    RETURNING k.key
), fresh AS (
    SELECT * FROM input WHERE key IS NULL OR EXISTS (SELECT FROM claimed)
), request AS (
    INSERT INTO customer_validation_request (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, request_status, whatsapp_status, created_by, created_date,
        last_modified_by, last_modified_date, newest_message_id)
    SELECT id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, 'PENDING', 'NOT_SENT', author, created_date, author, modified_date,
        message_id
    FROM fresh
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT dealer_id FROM fresh ON CONFLICT DO NOTHING
)
INSERT INTO message (
    id, request_id, dealer_id, kind, priority, template, body, target, due_at, next_try_at,
    http_request_id, traceparent)
SELECT message_id, id, dealer_id, kind, priority, template, body, no_telp,
    greatest(not_before, now()), greatest(not_before, now()), http_request_id, traceparent
FROM fresh";

/// Stores a request, unless its key was used before. Whoever is just using it is waited for, without
/// a connection.
pub(crate) async fn accept(database: &Database, request: &NewRequest) -> StoreResult<Accepted> {
    let began = Instant::now();
    let mut look = FIRST_LOOK;
    loop {
        let accepted = try_accept(database, request).await?;
        if accepted != Accepted::KeyInProgress || began.elapsed() + look > KEY_WAIT {
            return Ok(accepted);
        }
        // The end of an id is random: many who wait for one key do not look all at once.
        let [.., random] = request.id.0.into_bytes();
        let jitter = look * u32::from(random) / (4 * u32::from(u8::MAX));
        tokio::time::sleep(look + jitter).await;
        look = (look * 2).min(LONGEST_LOOK);
    }
}

async fn try_accept(database: &Database, request: &NewRequest) -> StoreResult<Accepted> {
    let submission = &request.submission;
    let message = &request.message;
    let once = request.once.as_ref();
    let statement = Statement::new(ACCEPT)
        .with::<Uuid, _>("uuid AS id", request.id.0)
        .with::<Text, _>("varchar AS dealer_id", submission.dealer_id.as_str())
        .with::<Date, _>("date AS request_date", submission.created_time.date())
        .with::<Time, _>("time AS request_time", submission.created_time.time())
        .with::<Text, _>("varchar AS nama_pembawa", &*submission.customer_name)
        .with::<Text, _>("varchar AS no_telp", submission.phone.national())
        .with::<Text, _>("varchar AS tipe_unit", &*submission.unit_type)
        .with::<Text, _>("varchar AS no_pol", submission.license_plate.as_sent())
        .with::<Nullable<Text>, _>(
            "varchar AS no_pol_normal",
            submission.license_plate.normal_form(),
        )
        .with::<Text, _>("varchar AS author", CREATED_BY)
        .with::<Timestamp, _>("timestamp AS created_date", submission.created_time)
        .with::<Timestamp, _>("timestamp AS modified_date", submission.modified_time)
        .with::<Uuid, _>("uuid AS message_id", message.id.0)
        .with::<Text, _>("text AS kind", message.kind.as_str())
        .with::<SmallInt, _>("smallint AS priority", priority(message.kind))
        .with::<Text, _>("text AS template", &*message.template)
        .with::<Text, _>("text AS body", &*message.body)
        .with::<Nullable<Timestamptz>, _>("timestamptz AS not_before", message.not_before)
        .with::<Nullable<Text>, _>("text AS http_request_id", origin::request_id(message))
        .with::<Nullable<Text>, _>("text AS traceparent", origin::traceparent(message))
        .with::<Nullable<Text>, _>("varchar AS key", once.map(|once| once.key.as_str()))
        .with::<Nullable<Binary>, _>("bytea AS body_print", once.map(|once| once.body.as_bytes()))
        .with::<Double, _>("float8 AS key_seconds", KEY_LIFETIME.as_secs_f64());
    database
        .ask(|mut connection| async move {
            if statement.execute(&mut connection).await.map_err(failed)? > 0 {
                return Ok(Accepted::Stored);
            }
            let Some(once) = once else {
                return Err(StoreError::Unavailable("nothing was stored".into()));
            };
            // In a statement of its own: it sees what whoever came first has committed meanwhile.
            let first = key_use(&mut connection, &submission.dealer_id, once).await;
            Ok(match first.map_err(failed)? {
                Some(KeyUse::SameBody(id)) => Accepted::Replayed(id),
                Some(KeyUse::AnotherBody) => Accepted::KeyReused,
                // Not committed yet, or too old or swept at this very moment.
                None => Accepted::KeyInProgress,
            })
        })
        .await
}
