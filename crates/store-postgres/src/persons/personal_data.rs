use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};
use domain::events::EVENT_LIFETIME;
use domain::persons::{Erased, PersonalRecord, Sweep, erased};
use domain::ports::{PersonalData, StoreError};
use domain::replies::{OptOut, Reply};
use domain::requests::{CHANGED_BY, Message, MessageState, Request, RequestId};
use domain::values::Phone;
use uuid::Uuid;

use super::rows::{ErasedRow, EventsRow, MessageRow, RequestRow};
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::{StoreResult, failed};
use crate::requests::messages;
use crate::requests::row::{self, MENTIONING};
use crate::sql::{self, File, Statement, sql_row};
use crate::store::PgStore;

/// The characters that may separate the digits of a phone in a text.
pub(crate) const BETWEEN_DIGITS: &str = " -.()/_+,:;|#*~=@&\\\u{a0}";

/// The most unmatched reports that one statement reads (chosen).
const EVENTS_AT_ONCE: i64 = 10_000;

#[async_trait]
impl PersonalData for PgStore {
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError> {
        self.erase_elsewhere(phone).await?;
        let replies = self.erase_replies(phone, most(limit)).await?;
        let messages = of_phone(Statement::new(sql::LockMessages), phone, limit);
        let requests = of_phone(Statement::new(sql::LockRequests), phone, limit);
        let mut all = self
            .database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let messages: Vec<MessageRow> = messages.load(connection).await?;
                        let mut all = erase_messages(connection, &messages).await?;
                        // Messages go first: a request tells the names under which they were sent. A resend
                        // holds the request's lock; a message it queues in between is found by its recipient
                        // the next time.
                        if messages.len() < limit {
                            let requests: Vec<RequestRow> = requests.load(connection).await?;
                            all.add(erase_requests(connection, &requests).await?);
                        }
                        Ok::<_, Error>(all)
                    })
                    .await
                    .map_err(failed)
            })
            .await?;
        if all.is_nothing() {
            all = self.erase_events(phone, limit).await?;
        }
        all.replies = replies;
        Ok(all)
    }

    async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<PersonalRecord>, StoreError> {
        let requests = of_phone(Statement::new(sql::RequestsOf), phone, limit)
            .bind("after", after.map_or(Uuid::nil(), |id| id.0));
        let (requests, messages) = self
            .database
            .ask(|mut connection| async move {
                let rows: Vec<row::RequestRow> =
                    requests.load(&mut connection).await.map_err(failed)?;
                let requests: Vec<Request> = rows.into_iter().map(Request::from).collect();
                let ids: Vec<Uuid> = requests.iter().map(|request| request.id.0).collect();
                let messages: Vec<OwnedMessageRow> = Statement::new(sql::MessagesOf)
                    .bind("requests", ids)
                    .load(&mut connection)
                    .await
                    .map_err(failed)?;
                Ok((requests, messages))
            })
            .await?;
        let mut of: HashMap<Uuid, Vec<Message>> = HashMap::new();
        for row in messages {
            let message = row.message.try_into()?;
            of.entry(row.request_id).or_default().push(message);
        }
        Ok(requests
            .into_iter()
            .map(|request| PersonalRecord {
                messages: of.remove(&request.id.0).unwrap_or_default(),
                request,
            })
            .collect())
    }

    async fn export_replies(
        &self,
        phone: &Phone,
        limit: usize,
    ) -> Result<(Vec<Reply>, Vec<OptOut>), StoreError> {
        self.written_by(phone, most(limit)).await
    }

    async fn erase_older_than(
        &self,
        days: u32,
        from: Sweep,
        limit: usize,
    ) -> Result<(Erased, Option<Sweep>), StoreError> {
        let (erased, last) = match from {
            Sweep::Replies => {
                let whole_days = i32::try_from(days).unwrap_or(i32::MAX);
                let replies = self.forget_replies(whole_days, most(limit)).await?;
                let erased = Erased {
                    replies,
                    ..Erased::default()
                };
                let is_all = replies < limit as u64;
                return Ok((erased, Some(if is_all { Sweep::Events(0) } else { from })));
            }
            // Reports are deleted before they are old.
            Sweep::Events(_) if Duration::from_secs(u64::from(days) * 86_400) >= EVENT_LIFETIME => {
                return Ok((Erased::default(), Some(Sweep::Messages(Uuid::nil()))));
            }
            Sweep::Events(place) => {
                let statement = Statement::new(sql::EraseOldEvents)
                    .bind("place", place)
                    .bind("most", most(limit))
                    .bind("days", i32::try_from(days).unwrap_or(i32::MAX));
                let row: EventsRow = self.database.one(statement).await?;
                let next = row.last.map(Sweep::Events);
                let next = next.or(Some(Sweep::Messages(Uuid::nil())));
                return Ok((row.erased(), next));
            }
            Sweep::Messages(after) => {
                let locking = old(Statement::new(sql::LockOldMessages), days, after, limit);
                self.database
                    .ask(|mut connection| async move {
                        connection
                            .transaction(async |connection| {
                                let messages: Vec<MessageRow> = locking.load(connection).await?;
                                let erased = erase_messages(connection, &messages).await?;
                                Ok::<_, Error>((erased, messages.last().map(|row| row.place)))
                            })
                            .await
                            .map_err(failed)
                    })
                    .await?
            }
            Sweep::Requests(after) => {
                let locking = old(Statement::new(sql::LockOldRequests), days, after, limit);
                self.database
                    .ask(|mut connection| async move {
                        connection
                            .transaction(async |connection| {
                                let requests: Vec<RequestRow> = locking.load(connection).await?;
                                let erased = erase_requests(connection, &requests).await?;
                                Ok::<_, Error>((erased, requests.last().map(|row| row.place)))
                            })
                            .await
                            .map_err(failed)
                    })
                    .await?
            }
        };
        let next = match (from, last) {
            (Sweep::Requests(_), last) => last.map(Sweep::Requests),
            (_, Some(last)) => Some(Sweep::Messages(last)),
            (_, None) => Some(Sweep::Requests(Uuid::nil())),
        };
        Ok((erased, next))
    }
}

impl PgStore {
    /// Erases about `limit` unmatched reports that quote a phone.
    async fn erase_events(&self, phone: &Phone, limit: usize) -> StoreResult<Erased> {
        let mut all = Erased::default();
        let mut after = 0;
        loop {
            let statement = Statement::new(sql::EraseEvents)
                .bind("subscriber", &phone.national()[1..])
                .bind("between", BETWEEN_DIGITS)
                .bind("after", after)
                .bind("most", EVENTS_AT_ONCE);
            let row: EventsRow = self.database.one(statement).await?;
            all.add(row.erased());
            match row.last {
                Some(last) if all.events < limit as u64 => after = last,
                _ => return Ok(all),
            }
        }
    }
}

/// Erases locked messages; places without a message are skipped.
async fn erase_messages(
    connection: &mut AsyncPgConnection,
    rows: &[MessageRow],
) -> QueryResult<Erased> {
    let rows: Vec<&MessageRow> = rows.iter().filter(|row| row.id.is_some()).collect();
    if rows.is_empty() {
        return Ok(Erased::default());
    }
    let (request_status, whatsapp_status) = MessageState::Cancelled.version_1();
    let erased: ErasedRow = Statement::new(sql::EraseMessages)
        .bind_each("ids", &rows, |row| row.id)
        .bind_each("queued", &rows, |row| row.queued)
        .bind_each("reasons", &rows, |row| row.reason())
        .bind_each("calls", &rows, |row| row.call())
        .bind_each("state_ids", &rows, |row| row.state_id())
        .bind("reason", erased(0))
        .bind("undecided_reason", erased(1))
        .bind("request_status", request_status.as_str())
        .bind("whatsapp_status", whatsapp_status.as_str())
        .bind("author", CHANGED_BY)
        .one_row(connection)
        .await?;
    Ok(erased.into())
}

/// Erases locked requests; places without a request are skipped.
async fn erase_requests(
    connection: &mut AsyncPgConnection,
    rows: &[RequestRow],
) -> QueryResult<Erased> {
    let rows: Vec<&RequestRow> = rows.iter().filter(|row| row.id.is_some()).collect();
    if rows.is_empty() {
        return Ok(Erased::default());
    }
    let mut erase = Statement::new(sql::EraseRequests).bind_each("ids", &rows, |row| row.id);
    for (n, column) in MENTIONING.into_iter().enumerate() {
        erase = erase.bind_each(column, &rows, |row| row.without_person(n));
    }
    let RequestsRow { requests } = erase.one_row(connection).await?;
    Ok(Erased {
        requests: u64::try_from(requests).unwrap_or(0),
        ..Erased::default()
    })
}

fn of_phone<'a, F: File>(
    statement: Statement<'a, F>,
    phone: &'a Phone,
    limit: usize,
) -> Statement<'a, F> {
    statement
        .bind("phone", phone.national())
        .bind("most", most(limit))
}

/// A batch of rows older than this many days.
fn old<F: File>(
    statement: Statement<'_, F>,
    days: u32,
    after: Uuid,
    limit: usize,
) -> Statement<'_, F> {
    statement
        .bind("after", after)
        .bind("most", most(limit))
        .bind("days", i32::try_from(days).unwrap_or(i32::MAX))
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

sql_row! {
    struct RequestsRow {
        requests: i64,
    }
}

#[derive(QueryableByName)]
struct OwnedMessageRow {
    #[diesel(sql_type = SqlUuid)]
    request_id: Uuid,
    #[diesel(embed)]
    message: messages::MessageRow,
}

#[cfg(test)]
mod tests {
    use domain::persons::ERASED;

    /// The indexes of `migrations/` hold the same mark of erased data and the same phone expression.
    #[test]
    fn the_indexes_are_those_that_the_statements_look_for() {
        let of_phone = include_str!("of_phone.sql");
        let phones = include_str!("../../../../migrations/2026-11-22-000020_index_phones/up.sql");
        let expression = of_phone.lines().find(|line| line.contains("regexp"));
        let expression = expression.map(|line| line.trim().replace("r.no_telp", "no_telp"));
        assert!(phones.contains(&expression.unwrap()), "{phones}");
        assert!(of_phone.contains(&format!("<> '{ERASED}'")));
        for migration in [
            phones,
            include_str!("../../../../migrations/2026-11-22-000021_index_recipients/up.sql"),
            include_str!("../../../../migrations/2026-11-30-000051_index_loose_events/up.sql"),
        ] {
            assert!(
                migration.contains(&format!("<> '{ERASED}';")),
                "{migration}"
            );
        }
    }
}
