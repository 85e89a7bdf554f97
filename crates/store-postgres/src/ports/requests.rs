use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, SmallInt, Text, Time, Timestamp, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use domain::{CREATED_BY, MessageKind, NewRequest, Request, RequestId, RequestStore, StoreError};

use super::PgStore;
use super::request_row::RequestRow;
use crate::connect::failed;
use crate::schema::customer_validation_request;
use crate::statement::Statement;

/// One statement, and with it one transaction and one round trip.
const ACCEPT: &str = "
, request AS (
    INSERT INTO customer_validation_request (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, request_status, whatsapp_status, created_by, created_date,
        last_modified_by, last_modified_date)
    SELECT id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, 'PENDING', 'NOT_SENT', author, created_date, author, modified_date
    FROM input
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT dealer_id FROM input ON CONFLICT DO NOTHING
)
INSERT INTO message (
    id, request_id, dealer_id, kind, priority, template, body, target, due_at, next_try_at)
SELECT message_id, id, dealer_id, kind, priority, template, body, no_telp,
    greatest(not_before, now()), greatest(not_before, now())
FROM input";

#[async_trait]
impl RequestStore for PgStore {
    async fn accept(&self, request: &NewRequest) -> Result<(), StoreError> {
        let submission = &request.submission;
        let message = &request.message;
        let statement = Statement::new(ACCEPT)
            .with::<Uuid, _>("uuid AS id", request.id.0)
            .with::<Text, _>("varchar AS dealer_id", submission.dealer_id.as_str())
            .with::<Date, _>("date AS request_date", submission.created_time.date())
            .with::<Time, _>("time AS request_time", submission.created_time.time())
            .with::<Text, _>("varchar AS nama_pembawa", &*submission.customer_name)
            .with::<Text, _>("varchar AS no_telp", submission.phone.national())
            .with::<Text, _>("varchar AS tipe_unit", &*submission.unit_type)
            .with::<Text, _>("varchar AS no_pol", submission.license_plate.as_sent())
            .with::<Nullable<Text>, _>(
                "varchar AS no_pol_normal",
                submission.license_plate.normal_form(),
            )
            .with::<Text, _>("varchar AS author", CREATED_BY)
            .with::<Timestamp, _>("timestamp AS created_date", submission.created_time)
            .with::<Timestamp, _>("timestamp AS modified_date", submission.modified_time)
            .with::<Uuid, _>("uuid AS message_id", message.id.0)
            .with::<Text, _>("text AS kind", message.kind.as_str())
            .with::<SmallInt, _>("smallint AS priority", priority(message.kind))
            .with::<Text, _>("text AS template", &*message.template)
            .with::<Text, _>("text AS body", &*message.body)
            .with::<Nullable<Timestamptz>, _>("timestamptz AS not_before", message.not_before);
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)?;
                Ok(())
            })
            .await
    }

    async fn find(&self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.database
            .ask(|mut connection| async move {
                let row = customer_validation_request::table
                    .find(id.0)
                    .select(RequestRow::as_select())
                    .first(&mut connection)
                    .await
                    .optional()
                    .map_err(failed)?;
                Ok(row.map(Request::from))
            })
            .await
    }
}

/// Lower goes first.
const fn priority(kind: MessageKind) -> i16 {
    match kind {
        MessageKind::Live => 0,
    }
}
