//! What callers' keys were used for.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, Text, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::KeyUse;
use domain::requests::RequestId;
use domain::values::{DealerId, KEY_LIFETIME, Once};

use crate::sql::{self, Statement};

#[derive(QueryableByName)]
struct UsedRow {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Uuid)]
    request_id: uuid::Uuid,
    #[diesel(sql_type = Bool)]
    is_same: bool,
}

/// What was stored under each of these keys of the dealers, if that still counts.
pub(crate) async fn key_uses(
    connection: &mut AsyncPgConnection,
    uses: &[(&DealerId, &Once)],
) -> QueryResult<Vec<Option<KeyUse>>> {
    let dealers: Vec<&str> = uses.iter().map(|(dealer, _)| dealer.as_str()).collect();
    let keys: Vec<&str> = uses.iter().map(|(_, once)| once.key.as_str()).collect();
    let prints: Vec<&[u8]> = uses.iter().map(|(_, once)| once.body.as_bytes()).collect();
    let alike: Vec<Option<&[u8]>> = uses
        .iter()
        .map(|(_, once)| once.alike.as_ref().map(|print| print.as_bytes()))
        .collect();
    let rows: Vec<UsedRow> = Statement::new(sql::KeyUses)
        .bind::<Array<Text>, _>("dealers", dealers)
        .bind::<Array<Text>, _>("keys", keys)
        .bind::<Array<Binary>, _>("prints", prints)
        .bind::<Array<Nullable<Binary>>, _>("alike", alike)
        .bind::<Double, _>("key_seconds", KEY_LIFETIME.as_secs_f64())
        .load(connection)
        .await?;
    let mut found = vec![None; uses.len()];
    for row in rows {
        let place = usize::try_from(row.n - 1).ok();
        if let Some(found) = place.and_then(|place| found.get_mut(place)) {
            *found = Some(match row.is_same {
                true => KeyUse::SameBody(RequestId(row.request_id)),
                false => KeyUse::AnotherBody,
            });
        }
    }
    Ok(found)
}
