//! What callers' keys were used for.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Double, Text, Uuid};
use diesel_async::AsyncPgConnection;
use domain::{DealerId, KEY_LIFETIME, KeyUse, Once, RequestId};

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;

const KEY_USE: &str = "
SELECT k.request_id, k.body_print = i.body_print AS same
FROM idempotency_key k, input i
WHERE k.dealer_id = i.dealer_id AND k.key = i.key
    AND k.created_at > now() - make_interval(secs => i.key_seconds)";

/// What was stored under this key of the dealer, if that still counts.
pub(crate) async fn key_use(
    connection: &mut AsyncPgConnection,
    dealer: &DealerId,
    once: &Once,
) -> QueryResult<Option<KeyUse>> {
    let found: Option<KeyRow> = Statement::new(KEY_USE)
        .with::<Text, _>("varchar AS dealer_id", dealer.as_str())
        .with::<Text, _>("varchar AS key", once.key.as_str())
        .with::<Binary, _>("bytea AS body_print", once.body.as_bytes())
        .with::<Double, _>("float8 AS key_seconds", KEY_LIFETIME.as_secs_f64())
        .optional_row(connection)
        .await?;
    Ok(found.map(|row| {
        if row.same {
            KeyUse::SameBody(RequestId(row.request_id))
        } else {
            KeyUse::AnotherBody
        }
    }))
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Uuid)]
    request_id: uuid::Uuid,
    #[diesel(sql_type = Bool)]
    same: bool,
}
