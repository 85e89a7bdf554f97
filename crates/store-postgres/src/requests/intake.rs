//! Group commit of submissions. One with a key that was used before is decided alone.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{
    Array, Binary, Date, Double, Integer, Nullable, SmallInt, Text, Time, Timestamp, Timestamptz,
    Uuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::{Accepted, KeyUse, StoreError};
use domain::requests::{CREATED_BY, MessageKind, NewRequest};
use domain::values::{KEY_LIFETIME, Once};

use super::key_uses::key_uses;
use super::{origin, template};
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, File, Statement};

/// How long to wait for the first request of a key, and the shortest and longest pause between looks. The
/// wait is in this process and not for a lock of the database, so that it holds no connection.
pub(super) const KEY_WAIT: Duration = Duration::from_secs(2);
pub(super) const FIRST_LOOK: Duration = Duration::from_millis(10);
pub(super) const LONGEST_LOOK: Duration = Duration::from_millis(160);

impl Work for NewRequest {
    type Answer = Accepted;
    /// Dealer and key.
    type Key = (String, String);
    /// A second try would come too late for its caller.
    const SECOND_TRY: bool = false;
    /// Most of these wait for the first request of their key, without a connection.
    const ALONE: usize = 1_024;

    fn key(&self) -> Option<Self::Key> {
        let once = self.once.as_ref()?;
        let dealer = self.submission.dealer_id.as_str().to_owned();
        Some((dealer, once.key.as_str().to_owned()))
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        requests: &[&Self],
    ) -> QueryResult<Vec<Option<Accepted>>> {
        insert(connection, requests).await
    }

    async fn write_alone(&self, database: &Database) -> StoreResult<Accepted> {
        accept_alone(database, self).await
    }
}

/// Stores the requests. Undecided are those whose key was used before, or is being stored.
pub(super) async fn insert(
    connection: &mut AsyncPgConnection,
    rows: &[&NewRequest],
) -> QueryResult<Vec<Option<Accepted>>> {
    if rows.iter().all(|row| row.once.is_none()) {
        let accept = with_rows(Statement::new(sql::Accept), rows);
        accept.execute(connection).await?;
        return Ok(vec![Some(Accepted::Stored); rows.len()]);
    }
    let stored: Vec<StoredRow> = with_rows(Statement::new(sql::AcceptOnce), rows)
        .bind::<Double, _>("key_seconds", KEY_LIFETIME.as_secs_f64())
        .load(connection)
        .await?;
    let stored: HashSet<uuid::Uuid> = stored.into_iter().map(|row| row.request_id).collect();
    let answer = |row: &&NewRequest| stored.contains(&row.id.0).then_some(Accepted::Stored);
    Ok(rows.iter().map(answer).collect())
}

/// Stores a request, unless its key was used before. Waits for a transaction that is storing the key, without
/// holding a connection.
pub(super) async fn accept_alone(
    database: &Database,
    request: &NewRequest,
) -> StoreResult<Accepted> {
    let began = Instant::now();
    let mut look = FIRST_LOOK;
    loop {
        let accepted = try_accept(database, request).await?;
        if accepted != Accepted::KeyInProgress || began.elapsed() + look > KEY_WAIT {
            return Ok(accepted);
        }
        tokio::time::sleep(with_jitter(look, request)).await;
        look = (look * 2).min(LONGEST_LOOK);
    }
}

/// The wait before a key is looked at again. The end of an id is random: many who wait for one key do not
/// look all at once.
pub(super) fn with_jitter(look: Duration, request: &NewRequest) -> Duration {
    let [.., random] = request.id.0.into_bytes();
    look + look * u32::from(random) / (4 * u32::from(u8::MAX))
}

async fn try_accept(database: &Database, request: &NewRequest) -> StoreResult<Accepted> {
    // May be repeated: the later statements only run where the first one stored nothing.
    database
        .ask_again(|mut connection| async move {
            let stored = insert(&mut connection, &[request]).await;
            if let Some(accepted) = stored.map_err(failed)?.pop().flatten() {
                return Ok(accepted);
            }
            let Some(once) = &request.once else {
                return Err(StoreError::Unavailable("nothing was stored".into()));
            };
            // A statement of its own, whose snapshot sees the commit of the key's first request.
            let dealer = &request.submission.dealer_id;
            let first = key_uses(&mut connection, &[(dealer, once)]).await;
            Ok(match first.map_err(failed)?.pop().flatten() {
                Some(KeyUse::SameBody(id)) => Accepted::Replayed(id),
                Some(KeyUse::AnotherBody) => Accepted::KeyReused,
                // Not committed yet, expired, or deleted at this moment.
                None => Accepted::KeyInProgress,
            })
        })
        .await
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

fn with_rows<'a, F: File>(
    statement: Statement<'a, F>,
    rows: &[&'a NewRequest],
) -> Statement<'a, F> {
    macro_rules! column {
        (|$request:ident| $value:expr) => {
            rows.iter().map(|$request| $value).collect::<Vec<_>>()
        };
    }
    statement
        .bind::<Array<Uuid>, _>("id", column!(|r| r.id.0))
        .bind::<Array<Text>, _>("dealer_id", column!(|r| r.submission.dealer_id.as_str()))
        .bind::<Array<Date>, _>(
            "request_date",
            column!(|r| r.submission.created_time.date()),
        )
        .bind::<Array<Time>, _>(
            "request_time",
            column!(|r| r.submission.created_time.time()),
        )
        .bind::<Array<Text>, _>(
            "nama_pembawa",
            column!(|r| r.submission.customer_name.as_str()),
        )
        .bind::<Array<Text>, _>("no_telp", column!(|r| r.submission.phone.national()))
        .bind::<Array<Text>, _>("tipe_unit", column!(|r| r.submission.unit_type.as_str()))
        .bind::<Array<Text>, _>("no_pol", column!(|r| r.submission.license_plate.as_sent()))
        .bind::<Array<Nullable<Text>>, _>(
            "no_pol_normal",
            column!(|r| r.submission.license_plate.normal_form()),
        )
        .bind::<Array<Timestamp>, _>("created_date", column!(|r| r.submission.created_time))
        .bind::<Array<Timestamp>, _>("modified_date", column!(|r| r.submission.modified_time))
        .bind::<Array<Uuid>, _>("message_id", column!(|r| r.message.id.0))
        .bind::<Array<Text>, _>("kind", column!(|r| r.message.kind.as_str()))
        .bind::<Array<SmallInt>, _>("priority", column!(|r| priority(r.message.kind)))
        .bind::<Array<Text>, _>("template", column!(|r| r.message.template.as_str()))
        .bind::<Array<Nullable<Integer>>, _>(
            "template_version",
            column!(|r| template::version(&r.message)),
        )
        .bind::<Array<Nullable<Text>>, _>("variables", column!(|r| template::variables(&r.message)))
        .bind::<Array<Text>, _>("body", column!(|r| r.message.body.as_str()))
        .bind::<Array<Nullable<Timestamptz>>, _>("not_before", column!(|r| r.message.not_before))
        .bind::<Array<Nullable<Text>>, _>(
            "http_request_id",
            column!(|r| origin::request_id(&r.message)),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "traceparent",
            column!(|r| origin::traceparent(&r.message)),
        )
        .bind::<Array<Nullable<Text>>, _>("key", once(rows, |once| once.key.as_str()))
        .bind::<Array<Nullable<Binary>>, _>("body_print", once(rows, |once| once.body.as_bytes()))
        .bind::<Text, _>("author", CREATED_BY)
}

/// Lower is sent first.
pub(crate) const fn priority(kind: MessageKind) -> i16 {
    match kind {
        MessageKind::Live => 0,
        MessageKind::Bulk => 1,
    }
}
