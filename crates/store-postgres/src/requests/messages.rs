use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    AuditEntry, BoxError, CHANGED_BY, Cancelled, DealerId, ERASED, Message, MessageId, MessageKind,
    MessageState, Messages, NewMessage, OutcomeKind, PastAttempt, Phone, QueueState, RequestId,
    Resent, StoreError, Visibility, cancelled,
};
use serde_json::Value;

use super::intake::priority;
use super::mirror::is_newest;
use super::origin;
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;
use crate::lanes::queue::{PlaceRow, queue};
use crate::operations::audit::{note, noted, with_entry};
use crate::store::PgStore;

/// What is shown of a message `m`, whose lane is `l` where it has one.
macro_rules! shown {
    () => {
        concat!(
            "m.id, m.kind, m.state, m.template, m.body, m.target::text, m.due_at, m.created_at,
    m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.attempts::text AS attempts, m.provider_id, m.reason,
    ",
            $crate::lanes::queue::place!()
        )
    };
}
pub(crate) use shown;

/// The lane of a message `m`.
macro_rules! with_lane {
    () => {
        "LEFT JOIN lane l ON l.dealer_id = m.dealer_id"
    };
}
pub(crate) use with_lane;

const TIMELINE: &str = concat!(
    "SELECT ",
    shown!(),
    " FROM input i
JOIN message m ON m.request_id = i.request_id AND (i.only IS NULL OR m.dealer_id = i.only)
",
    with_lane!(),
    "
ORDER BY m.created_at, m.id"
);

/// Whether a request is there to be seen.
const KNOWN: &str = "
SELECT r.id FROM customer_validation_request r, input i
WHERE r.id = i.request_id AND (i.only IS NULL OR r.dealer_id = i.only)";

/// The same, and nobody else changes it meanwhile.
const LOCK: &str = "
SELECT r.no_telp = i.erased AS erased FROM customer_validation_request r, input i
WHERE r.id = i.request_id AND (i.only IS NULL OR r.dealer_id = i.only)
FOR NO KEY UPDATE OF r";

/// Runs under the lock of the request, so that its snapshot shows every message that another call
/// has queued.
const RESEND: &str = concat!(
    "
, wanted AS (
    SELECT r.id AS request_id, r.dealer_id, i.message_id, i.kind, i.priority, i.template, i.body,
        i.target, i.not_before, i.http_request_id, i.traceparent
    FROM customer_validation_request r, input i
    WHERE r.id = i.request_id AND (i.only IS NULL OR r.dealer_id = i.only)
        AND r.no_telp <> i.erased
        AND NOT EXISTS (
            SELECT FROM message p
            WHERE p.request_id = r.id AND p.state IN ('QUEUED', 'SENDING'))
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT dealer_id FROM wanted ON CONFLICT DO NOTHING
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = i.request_status,
        whatsapp_status = i.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00',
        newest_message_id = w.message_id
    FROM wanted w, input i
    WHERE r.id = w.request_id
), queued AS (
    INSERT INTO message AS m (
        id, request_id, dealer_id, kind, priority, template, body, target, created_at, due_at,
        next_try_at, http_request_id, traceparent)
    SELECT message_id, request_id, dealer_id, kind, priority, template, body, target,
        -- now() is when the transaction began, before the wait for the lock.
        greatest(clock_timestamp(), (
            SELECT max(p.created_at) + INTERVAL '1 microsecond' FROM message p
            WHERE p.request_id = w.request_id)),
        greatest(not_before, now()), greatest(not_before, now()), http_request_id, traceparent
    FROM wanted w
    RETURNING m.*
)",
    noted!("wanted"),
    "SELECT ",
    shown!(),
    " FROM queued m ",
    with_lane!()
);

/// The lock waits for a claim of the same moment and asks again.
const CANCEL: &str = concat!(
    "
, waiting AS (
    SELECT m.id FROM message m, input i
    WHERE m.request_id = i.request_id AND m.state = 'QUEUED'
        AND (i.only IS NULL OR m.dealer_id = i.only)
    FOR UPDATE OF m
), ended AS (
    UPDATE message m SET
        state = 'CANCELLED',
        failed_at = now(),
        reason = CASE WHEN m.unknowns = 0 THEN i.reason ELSE i.undecided_reason END
    FROM waiting w, input i
    WHERE m.id = w.id
    RETURNING m.*
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = i.request_status,
        whatsapp_status = i.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM ended e, input i
    WHERE r.id = e.request_id AND ",
    is_newest!("e"),
    "
)",
    noted!("ended"),
    "SELECT ",
    shown!(),
    " FROM ended m ",
    with_lane!()
);

#[async_trait]
impl Messages for PgStore {
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError> {
        let statement = timeline(request, seen);
        let rows: Vec<MessageRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
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
        let locking =
            seeing(Statement::new(LOCK), request, seen).with::<Text, _>("text AS erased", ERASED);
        let statement = with_entry(seeing(Statement::new(RESEND), request, seen), entry)
            .with::<Uuid, _>("uuid AS message_id", message.id.0)
            .with::<Text, _>("text AS kind", message.kind.as_str())
            .with::<SmallInt, _>("smallint AS priority", priority(message.kind))
            .with::<Text, _>("text AS template", &*message.template)
            .with::<Text, _>("text AS body", &*message.body)
            .with::<Text, _>("varchar AS target", target.national())
            .with::<Nullable<Timestamptz>, _>("timestamptz AS not_before", message.not_before)
            .with::<Nullable<Text>, _>("text AS http_request_id", origin::request_id(message))
            .with::<Nullable<Text>, _>("text AS traceparent", origin::traceparent(message))
            .with::<Text, _>("varchar AS request_status", request_status.as_str())
            .with::<Text, _>("varchar AS whatsapp_status", whatsapp_status.as_str())
            .with::<Text, _>("varchar AS author", CHANGED_BY)
            .with::<Text, _>("text AS erased", ERASED);
        let (locked, row) = self
            .database
            .ask(|mut connection| async move {
                connection
                    .transaction(async |connection| {
                        let locked: Option<LockedRow> = locking.optional_row(connection).await?;
                        let row: Option<MessageRow> = statement.optional_row(connection).await?;
                        Ok::<_, Error>((locked, row))
                    })
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(match (row, locked) {
            (Some(row), _) => Resent::Queued(row.try_into()?),
            (None, Some(locked)) if locked.erased => Resent::Erased,
            (None, Some(_)) => Resent::Pending,
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
        let knowing = seeing(Statement::new(KNOWN), request, seen);
        let statement = with_entry(seeing(Statement::new(CANCEL), request, seen), entry)
            .with::<Text, _>("text AS reason", cancelled(0))
            .with::<Text, _>("text AS undecided_reason", cancelled(1))
            .with::<Text, _>("varchar AS request_status", request_status.as_str())
            .with::<Text, _>("varchar AS whatsapp_status", whatsapp_status.as_str())
            .with::<Text, _>("varchar AS author", CHANGED_BY);
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
                let known: Option<KnownRow> = knowing
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

pub(crate) fn timeline(request: RequestId, seen: &Visibility) -> Statement<'_> {
    seeing(Statement::new(TIMELINE), request, seen)
}

/// Adds a request, and the dealer to which what may be seen is limited, to a statement's `input`.
fn seeing<'a>(statement: Statement<'a>, request: RequestId, seen: &'a Visibility) -> Statement<'a> {
    let only = seen.dealer().map(DealerId::as_str);
    statement
        .with::<Uuid, _>("uuid AS request_id", request.0)
        .with::<Nullable<Text>, _>("varchar AS only", only)
}

/// A request that was locked.
#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Bool)]
    erased: bool,
}

/// That a request is there.
#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = Uuid)]
    #[expect(dead_code, reason = "a row needs a column")]
    id: uuid::Uuid,
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
