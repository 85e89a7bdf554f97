//! Group commit of submissions. One with a key that was used before is decided alone.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::{Accepted, KeyUse, StoreError};
use domain::requests::{CREATED_BY, MessageKind, NewRequest};
use domain::values::KEY_LIFETIME;

use super::key_uses::key_uses;
use super::row::with_submissions;
use super::{origin, template};
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, File, Statement, sql_row};

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
        .bind("key_seconds", KEY_LIFETIME.as_secs_f64())
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

sql_row! {
    struct StoredRow {
        request_id: uuid::Uuid,
    }
}

fn with_rows<'a, F: File>(
    statement: Statement<'a, F>,
    rows: &[&'a NewRequest],
) -> Statement<'a, F> {
    let statement = statement
        .bind_each("id", rows, |row| row.id.0)
        .bind_each("message_id", rows, |row| row.message.id.0)
        .bind_each("kind", rows, |row| row.message.kind.as_str())
        .bind_each("priority", rows, |row| priority(row.message.kind))
        .bind_each("template", rows, |row| row.message.template.as_str())
        .bind_each("template_version", rows, |row| {
            template::version(&row.message)
        })
        .bind_each("variables", rows, |row| template::variables(&row.message))
        .bind_each("body", rows, |row| row.message.body.as_str())
        .bind_each("not_before", rows, |row| row.message.not_before)
        .bind_each("http_request_id", rows, |row| {
            origin::request_id(&row.message)
        })
        .bind_each("traceparent", rows, |row| origin::traceparent(&row.message))
        .bind_each("key", rows, |row| Some(row.once.as_ref()?.key.as_str()))
        .bind_each("body_print", rows, |row| {
            Some(row.once.as_ref()?.body.as_bytes())
        });
    with_submissions(statement, rows).bind("author", CREATED_BY)
}

/// Lower is sent first.
pub(crate) const fn priority(kind: MessageKind) -> i16 {
    match kind {
        MessageKind::Live => 0,
        MessageKind::Bulk => 1,
    }
}
