use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use diesel::dsl::sql as fragment;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};
use domain::{
    CHANGED_BY, EVENT_LIFETIME, Erased, Message, MessageState, PersonalData, PersonalRecord, Phone,
    Request, RequestId, StoreError, Sweep, erased,
};
use uuid::Uuid;

use super::rows::{ErasedRow, EventsRow, MessageRow, RequestRow};
use super::sql;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::connection::{StoreResult, failed};
use crate::requests::{messages, row as request_row};
use crate::schema::customer_validation_request;
use crate::store::PgStore;

/// How many reports that match nothing one statement reads at most.
const EVENTS_AT_ONCE: usize = 10_000;

#[async_trait]
impl PersonalData for PgStore {
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError> {
        self.erase_elsewhere(phone).await?;
        let locking = |body| {
            with_limit(Statement::new(body), limit)
                .with::<Text, _>("varchar AS phone", phone.national())
        };
        let messages = locking(sql::LOCK_MESSAGES);
        let requests = locking(sql::LOCK_REQUESTS);
        let mut all = self
            .database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let messages: Vec<MessageRow> = messages.load(connection).await?;
                        let mut all = erase_messages(connection, &messages).await?;
                        // A request tells under which name its messages were sent: it is erased when
                        // none is left. Whoever resends a message holds the request: one that slips
                        // in between the two is found by its recipient the next time.
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
        Ok(all)
    }

    async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<PersonalRecord>, StoreError> {
        let requests = customer_validation_request::table
            .filter(fragment::<Bool>(sql::THEIRS).bind::<Text, _>(phone.national()))
            .filter(fragment::<Bool>(sql::NOT_ERASED))
            .filter(customer_validation_request::id.gt(after.map_or(Uuid::nil(), |id| id.0)))
            .order(customer_validation_request::id)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(request_row::RequestRow::as_select());
        let (requests, messages) = self
            .database
            .ask(|mut connection| async move {
                let rows: Vec<request_row::RequestRow> =
                    requests.load(&mut connection).await.map_err(failed)?;
                let requests: Vec<Request> = rows.into_iter().map(Request::from).collect();
                let ids: Vec<Uuid> = requests.iter().map(|request| request.id.0).collect();
                let messages: Vec<OwnedMessageRow> = Statement::new(sql::MESSAGES_OF)
                    .with::<Array<diesel::sql_types::Uuid>, _>("uuid[] AS requests", ids)
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

    async fn erase_older_than(
        &self,
        days: u32,
        from: Sweep,
        limit: usize,
    ) -> Result<(Erased, Option<Sweep>), StoreError> {
        let old = |body, after| old(body, days, after, limit);
        let (erased, last) = match from {
            // They are gone before they are old.
            Sweep::Events(_) if Duration::from_secs(u64::from(days) * 86_400) >= EVENT_LIFETIME => {
                return Ok((Erased::default(), Some(Sweep::Messages(Uuid::nil()))));
            }
            Sweep::Events(place) => {
                let row: EventsRow = self.step(old_events(days, place, limit)).await?;
                let next = row.last.map(Sweep::Events);
                let next = next.or(Some(Sweep::Messages(Uuid::nil())));
                return Ok((row.erased(), next));
            }
            Sweep::Messages(after) => {
                let locking = old(sql::LOCK_OLD_MESSAGES, after);
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
                let locking = old(sql::LOCK_OLD_REQUESTS, after);
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
    /// Erases at most `limit` reports, or a few more, that match no message and quote a phone.
    async fn erase_events(&self, phone: &Phone, limit: usize) -> StoreResult<Erased> {
        let mut all = Erased::default();
        let mut after = 0;
        loop {
            let row: EventsRow = self.step(quoting(phone, after)).await?;
            all.add(row.erased());
            match row.last {
                Some(last) if all.events < limit as u64 => after = last,
                _ => return Ok(all),
            }
        }
    }

    async fn step<R>(&self, statement: Statement<'_>) -> StoreResult<R>
    where
        R: QueryableByName<diesel::pg::Pg> + Send + 'static,
    {
        self.database
            .ask(|mut connection| async move {
                statement.one_row(&mut connection).await.map_err(failed)
            })
            .await
    }
}

/// Erases messages that are locked; places without a message are passed over.
async fn erase_messages(
    connection: &mut AsyncPgConnection,
    rows: &[MessageRow],
) -> QueryResult<Erased> {
    let rows: Vec<&MessageRow> = rows.iter().filter(|row| row.id.is_some()).collect();
    if rows.is_empty() {
        return Ok(Erased::default());
    }
    macro_rules! column {
        (|$row:ident| $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let (request_status, whatsapp_status) = MessageState::Cancelled.version_1();
    let erased: ErasedRow = Statement::new(sql::ERASE_MESSAGES)
        .with::<Array<Nullable<diesel::sql_types::Uuid>>, _>("uuid[] AS ids", column!(|row| row.id))
        .with::<Array<Nullable<Bool>>, _>("bool[] AS queued", column!(|row| row.queued))
        .with::<Array<Nullable<Text>>, _>("text[] AS reasons", column!(|row| row.reason()))
        .with::<Array<Nullable<Text>>, _>("text[] AS calls", column!(|row| row.call()))
        .with::<Array<Nullable<Text>>, _>("text[] AS state_ids", column!(|row| row.state_id()))
        .with::<Text, _>("text AS reason", erased(0))
        .with::<Text, _>("text AS undecided_reason", erased(1))
        .with::<Text, _>("varchar AS request_status", request_status.as_str())
        .with::<Text, _>("varchar AS whatsapp_status", whatsapp_status.as_str())
        .with::<Text, _>("varchar AS author", CHANGED_BY)
        .one_row(connection)
        .await?;
    Ok(erased.into())
}

/// Erases requests that are locked; places without a request are passed over.
async fn erase_requests(
    connection: &mut AsyncPgConnection,
    rows: &[RequestRow],
) -> QueryResult<Erased> {
    let rows: Vec<&RequestRow> = rows.iter().filter(|row| row.id.is_some()).collect();
    if rows.is_empty() {
        return Ok(Erased::default());
    }
    macro_rules! texts {
        ($column:ident) => {
            rows.iter()
                .map(|row| row.without_person(row.$column.as_deref()))
                .collect::<Vec<_>>()
        };
    }
    let ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.id).collect();
    let erased: ErasedRow = Statement::new(sql::ERASE_REQUESTS)
        .with::<Array<Nullable<diesel::sql_types::Uuid>>, _>("uuid[] AS ids", ids)
        .with::<Array<Nullable<Text>>, _>("text[] AS unit_types", texts!(unit_type))
        .with::<Array<Nullable<Text>>, _>("text[] AS creators", texts!(created_by))
        .with::<Array<Nullable<Text>>, _>("text[] AS changers", texts!(last_modified_by))
        .one_row(connection)
        .await?;
    Ok(erased.into())
}

/// The statements that walk through a whole table, for a look at their plans.
#[cfg(feature = "testing")]
pub(crate) fn sweeps() -> Vec<(&'static str, String)> {
    let phone = Phone::parse("081234567890").expect("a phone");
    let old = |body| old(body, 1, Uuid::nil(), 500).text();
    vec![
        ("erase quoting events", quoting(&phone, 0).text()),
        ("erase old events", old_events(1, 0, 500).text()),
        ("lock old messages", old(sql::LOCK_OLD_MESSAGES)),
        ("lock old requests", old(sql::LOCK_OLD_REQUESTS)),
    ]
}

/// A step through what is older than so many days.
fn old(body: &'static str, days: u32, after: Uuid, limit: usize) -> Statement<'static> {
    with_limit(Statement::new(body), limit)
        .with::<Integer, _>("int AS days", i32::try_from(days).unwrap_or(i32::MAX))
        .with::<diesel::sql_types::Uuid, _>("uuid AS after", after)
}

/// A step through old reports.
fn old_events(days: u32, after: i64, limit: usize) -> Statement<'static> {
    with_limit(Statement::new(sql::ERASE_OLD_EVENTS), limit)
        .with::<Integer, _>("int AS days", i32::try_from(days).unwrap_or(i32::MAX))
        .with::<BigInt, _>("bigint AS place", after)
}

/// A step through reports that may quote a phone.
fn quoting(phone: &Phone, after: i64) -> Statement<'static> {
    with_limit(Statement::new(sql::ERASE_EVENTS), EVENTS_AT_ONCE)
        .with::<BigInt, _>("bigint AS after", after)
        .with::<Text, _>("text AS subscriber", phone.national()[1..].to_owned())
}

fn with_limit(statement: Statement<'_>, limit: usize) -> Statement<'_> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.with::<BigInt, _>("bigint AS most", most)
}

#[derive(QueryableByName)]
struct OwnedMessageRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    request_id: Uuid,
    #[diesel(embed)]
    message: messages::MessageRow,
}
