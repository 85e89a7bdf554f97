//! What callers' keys were used for.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::KeyUse;
use domain::requests::RequestId;
use domain::values::{DealerId, KEY_LIFETIME, Once};

use crate::sql::{self, Statement, sql_row};

sql_row! {
    struct UsedRow {
        n: i64,
        request_id: uuid::Uuid,
        is_same: bool,
    }
}

/// What was stored under each of these keys of the dealers, if that still counts.
pub(crate) async fn key_uses(
    connection: &mut AsyncPgConnection,
    uses: &[(&DealerId, &Once)],
) -> QueryResult<Vec<Option<KeyUse>>> {
    let rows: Vec<UsedRow> = Statement::new(sql::KeyUses)
        .bind_each("dealers", uses, |(dealer, _)| dealer.as_str())
        .bind_each("keys", uses, |(_, once)| once.key.as_str())
        .bind_each("prints", uses, |(_, once)| once.body.as_bytes())
        .bind_each("alike", uses, |(_, once)| {
            Some(once.alike.as_ref()?.as_bytes())
        })
        .bind("key_seconds", KEY_LIFETIME.as_secs_f64())
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
