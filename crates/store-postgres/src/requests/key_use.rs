//! The requests that idempotency keys were used for.

use diesel::dsl::IntervalDsl as _;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::AsyncPgConnection;
use domain::ports::KeyUse;
use domain::requests::RequestId;
use domain::values::{DealerId, KEY_LIFETIME, Once};

use crate::connection::read_to_end::ReadToEnd as _;
use crate::schema::idempotency_key;

/// The request stored under this key of the dealer, unless the key has expired.
pub(crate) async fn key_use(
    connection: &mut AsyncPgConnection,
    dealer: &DealerId,
    once: &Once,
) -> QueryResult<Option<KeyUse>> {
    let lifetime = i32::try_from(KEY_LIFETIME.as_secs()).unwrap_or(i32::MAX);
    let now = diesel::dsl::now.into_sql::<Timestamptz>();
    let found: Option<(uuid::Uuid, bool)> = idempotency_key::table
        .filter(idempotency_key::dealer_id.eq(dealer.as_str()))
        .filter(idempotency_key::key.eq(once.key.as_str()))
        .filter(idempotency_key::created_at.gt(now - lifetime.seconds()))
        .select((
            idempotency_key::request_id,
            idempotency_key::body_print.eq(once.body.as_bytes()),
        ))
        .optional_row(connection)
        .await?;
    Ok(found.map(|(request, same)| match same {
        true => KeyUse::SameBody(RequestId(request)),
        false => KeyUse::AnotherBody,
    }))
}
