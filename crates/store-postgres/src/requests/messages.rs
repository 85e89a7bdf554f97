use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::AsyncConnection as _;
use domain::access::{AuditEntry, Visibility};
use domain::delivery::{OutcomeKind, QueueState};
use domain::persons::ERASED;
use domain::ports::{BoxError, Cancelled, Messages, Resent, StoreError};
use domain::requests::{
    CHANGED_BY, Message, MessageId, MessageKind, MessageState, NewMessage, PastAttempt, RequestId,
    cancelled,
};
use domain::values::{DealerId, Phone};
use serde_json::Value;

use super::intake::priority;
use super::{origin, template};
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::lanes::queue::{PlaceRow, queue};
use crate::operations::audit::with_entry;
use crate::schema::customer_validation_request as requests;
use crate::sql::{self, File, Statement};
use crate::store::PgStore;

#[async_trait]
impl Messages for PgStore {
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError> {
        let statement = seeing(Statement::new(sql::Timeline), request, seen);
        let rows: Vec<MessageRow> = self.database.all(statement).await?;
        rows.into_iter().map(Message::try_from).collect()
    }

    async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        message: &NewMessage,
        target: &Phone,
        entry: &AuditEntry,
    ) -> Result<Resent, StoreError> {
        let (request_status, whatsapp_status) = MessageState::Queued.version_1();
        let only = seen.dealer().map(DealerId::as_str);
        let locking = requests::table
            .filter(requests::id.eq(request.0))
            .filter(sees(only))
            .select(requests::no_telp.is_not_distinct_from(ERASED))
            .for_no_key_update();
        let statement = with_entry(seeing(Statement::new(sql::Resend), request, seen), entry)
            .bind("message_id", message.id.0)
            .bind("kind", message.kind.as_str())
            .bind("priority", priority(message.kind))
            .bind("template", &*message.template)
            .bind("template_version", template::version(message))
            .bind("variables", template::variables(message))
            .bind("body", &*message.body)
            .bind("target", target.national())
            .bind("not_before", message.not_before)
            .bind("http_request_id", origin::request_id(message))
            .bind("traceparent", origin::traceparent(message))
            .bind("request_status", request_status.as_str())
            .bind("whatsapp_status", whatsapp_status.as_str())
            .bind("author", CHANGED_BY)
            .bind("erased", ERASED);
        let (erased, row) = self
            .database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let erased: Option<bool> = locking.optional_row(connection).await?;
                        let row: Option<MessageRow> = statement.optional_row(connection).await?;
                        Ok::<_, Error>((erased, row))
                    })
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(match (row, erased) {
            (Some(row), _) => Resent::Queued(row.try_into()?),
            (None, Some(true)) => Resent::Erased,
            (None, Some(false)) => Resent::Pending,
            (None, None) => Resent::UnknownRequest,
        })
    }

    async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        entry: &AuditEntry,
    ) -> Result<Cancelled, StoreError> {
        let (request_status, whatsapp_status) = MessageState::Cancelled.version_1();
        let only = seen.dealer().map(DealerId::as_str);
        let knowing = requests::table
            .filter(requests::id.eq(request.0))
            .filter(sees(only))
            .select(requests::id);
        let statement = with_entry(seeing(Statement::new(sql::Cancel), request, seen), entry)
            .bind("reason", cancelled(0))
            .bind("undecided_reason", cancelled(1))
            .bind("request_status", request_status.as_str())
            .bind("whatsapp_status", whatsapp_status.as_str())
            .bind("author", CHANGED_BY);
        let (row, known) = self
            .database
            .ask(|mut connection| async move {
                let row: Option<MessageRow> = statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)?;
                if row.is_some() {
                    return Ok((row, true));
                }
                let known: Option<uuid::Uuid> = knowing
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)?;
                Ok((None, known.is_some()))
            })
            .await?;
        Ok(match row {
            Some(row) => Cancelled::Stopped(row.try_into()?),
            None if known => Cancelled::TooLate,
            None => Cancelled::UnknownRequest,
        })
    }

    async fn queue(&self, dealer: &DealerId) -> Result<QueueState, StoreError> {
        self.database
            .ask(|mut connection| async move { queue(&mut connection, dealer).await })
            .await
    }
}

/// Whether a request belongs to this tenant; true without one.
#[auto_type(no_type_alias)]
fn sees(only: Option<&str>) -> _ {
    let anybody: bool = only.is_none();
    requests::dealer_id
        .nullable()
        .eq(only)
        .or(anybody.into_sql::<Bool>())
}

/// Binds a request, and the tenant of the caller.
fn seeing<'a, F: File>(
    statement: Statement<'a, F>,
    request: RequestId,
    seen: &'a Visibility,
) -> Statement<'a, F> {
    let only = seen.dealer().map(DealerId::as_str);
    statement.bind("request_id", request.0).bind("only", only)
}

/// A row of `message`.
#[derive(QueryableByName)]
pub(crate) struct MessageRow {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    template: String,
    #[diesel(sql_type = Nullable<Integer>)]
    template_version: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    variables: Option<String>,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Timestamptz)]
    due_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    delivered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    read_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    attempts: String,
    #[diesel(sql_type = Nullable<Text>)]
    provider_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(embed)]
    place: PlaceRow,
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: MessageId(row.id),
            kind: MessageKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            state: MessageState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            template: row.template,
            template_version: template::version_read(row.template_version),
            variables: template::variables_read(row.variables.as_deref())?,
            body: row.body,
            target: row.target,
            scheduled_at: row.due_at,
            created_at: row.created_at,
            sent_at: row.sent_at,
            delivered_at: row.delivered_at,
            read_at: row.read_at,
            failed_at: row.failed_at,
            attempts: attempts(&row.attempts)?,
            provider_id: row.provider_id,
            reason: row.reason,
            place: row.place.place()?,
        })
    }
}

fn attempts(json: &str) -> Result<Vec<PastAttempt>, StoreError> {
    let all: Vec<Value> =
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(error.into()))?;
    all.iter()
        .map(|one| attempt(one).ok_or_else(|| corrupt("attempts")))
        .collect()
}

fn attempt(json: &Value) -> Option<PastAttempt> {
    Some(PastAttempt {
        at: DateTime::parse_from_rfc3339(json["at"].as_str()?)
            .ok()?
            .to_utc(),
        outcome: OutcomeKind::parse(json["outcome"].as_str()?)?,
        detail: json["detail"].as_str()?.to_owned(),
        duration: Duration::from_millis(json["duration_ms"].as_u64()?),
    })
}

fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(BoxError::from(format!("message.{column} cannot be read")))
}
