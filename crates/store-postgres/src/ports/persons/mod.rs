use std::collections::HashMap;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    CHANGED_BY, Erased, Message, MessageState, PersonalData, PersonalRecord, Phone, Request,
    RequestId, StoreError, Sweep, erased,
};
use uuid::Uuid;

use super::PgStore;
use super::messages::MessageRow;
use super::request_row::RequestRow;
use crate::connect::failed;
use crate::read_to_end::ReadToEnd as _;
use crate::schema::customer_validation_request;
use crate::statement::Statement;

mod sql;

#[async_trait]
impl PersonalData for PgStore {
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError> {
        let of = |body| {
            with_limit(Statement::new(body), limit)
                .with::<Text, _>("varchar AS phone", phone.national())
        };
        // Whoever resends a message holds its request: one that slips in between the two is found
        // by its recipient the next time.
        let messages = cancelling(of(sql::ERASE_MESSAGES));
        let requests = of(sql::ERASE_REQUESTS);
        let mut all = self
            .database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let messages: ErasedMessagesRow = messages.one_row(connection).await?;
                        let mut all = Erased::from(messages.erased);
                        if !messages.ids.is_empty() {
                            let reports: ErasedRow = Statement::new(sql::ERASE_REPORTS)
                                .with::<Array<diesel::sql_types::Uuid>, _>(
                                    "uuid[] AS messages",
                                    messages.ids,
                                )
                                .one_row(connection)
                                .await?;
                            all.add(reports.into());
                        }
                        let requests: ErasedRow = requests.one_row(connection).await?;
                        all.add(requests.into());
                        Ok::<_, Error>(all)
                    })
                    .await
                    .map_err(failed)
            })
            .await?;
        if all.is_nothing() {
            let events = with_limit(Statement::new(sql::ERASE_EVENTS), limit)
                .with::<Text, _>("text AS subscriber", phone.national()[1..].to_owned());
            let events: ErasedRow = self.step(events).await?;
            all.add(events.into());
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
            .filter(sql::<Bool>(sql::THEIRS).bind::<Text, _>(phone.national()))
            .filter(sql::<Bool>(sql::NOT_ERASED))
            .filter(customer_validation_request::id.gt(after.map_or(Uuid::nil(), |id| id.0)))
            .order(customer_validation_request::id)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(RequestRow::as_select());
        let (requests, messages) = self
            .database
            .ask(|mut connection| async move {
                let rows: Vec<RequestRow> = requests.load(&mut connection).await.map_err(failed)?;
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
        let (body, after) = match from {
            Sweep::Events => (sql::SWEEP_EVENTS, Uuid::nil()),
            Sweep::Messages(after) => (sql::SWEEP_MESSAGES, after),
            Sweep::Requests(after) => (sql::SWEEP_REQUESTS, after),
        };
        let statement = with_limit(Statement::new(body), limit)
            .with::<Integer, _>("int AS days", i32::try_from(days).unwrap_or(i32::MAX))
            .with::<diesel::sql_types::Uuid, _>("uuid AS after", after);
        let row: SweptRow = self.step(cancelling(statement)).await?;
        let erased = Erased::from(row.erased);
        let next = match (from, row.last) {
            (Sweep::Events, _) if erased.events > 0 => Some(Sweep::Events),
            (Sweep::Events, _) => Some(Sweep::Messages(Uuid::nil())),
            (Sweep::Messages(_), Some(last)) => Some(Sweep::Messages(last)),
            (Sweep::Messages(_), None) => Some(Sweep::Requests(Uuid::nil())),
            (Sweep::Requests(_), last) => last.map(Sweep::Requests),
        };
        Ok((erased, next))
    }
}

impl PgStore {
    async fn step<R>(&self, statement: Statement<'_>) -> Result<R, StoreError>
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

fn with_limit(statement: Statement<'_>, limit: usize) -> Statement<'_> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.with::<BigInt, _>("bigint AS most", most)
}

/// Adds what a message becomes that waited, and what its request shows then.
fn cancelling(statement: Statement<'_>) -> Statement<'_> {
    let (request_status, whatsapp_status) = MessageState::Cancelled.version_1();
    statement
        .with::<Text, _>("text AS reason", erased(0))
        .with::<Text, _>("text AS undecided_reason", erased(1))
        .with::<Text, _>("varchar AS request_status", request_status.as_str())
        .with::<Text, _>("varchar AS whatsapp_status", whatsapp_status.as_str())
        .with::<Text, _>("varchar AS author", CHANGED_BY)
}

#[derive(QueryableByName)]
struct ErasedRow {
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

#[derive(QueryableByName)]
struct ErasedMessagesRow {
    #[diesel(embed)]
    erased: ErasedRow,
    #[diesel(sql_type = Array<diesel::sql_types::Uuid>)]
    ids: Vec<Uuid>,
}

#[derive(QueryableByName)]
struct SweptRow {
    #[diesel(embed)]
    erased: ErasedRow,
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    last: Option<Uuid>,
}

#[derive(QueryableByName)]
struct OwnedMessageRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    request_id: Uuid,
    #[diesel(embed)]
    message: MessageRow,
}

impl From<ErasedRow> for Erased {
    fn from(row: ErasedRow) -> Self {
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Self {
            requests: count(row.requests),
            messages: count(row.messages),
            cancelled: count(row.cancelled),
            events: count(row.events),
        }
    }
}
