//! The columns of a request: what a submission fills, what answers show, and what an erasure looks through.

use chrono::NaiveDateTime;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Json;
use domain::ports::ListPlace;
use domain::requests::{Field, MessageState, NewRequest, Request, RequestId, ValidSubmission};
use uuid::Uuid;

use crate::requests::odd::{AnyDate, AnyTime, Shown};
use crate::schema::customer_validation_request;
use crate::sql::{File, Statement};

/// The columns that [`with_submissions`] binds with their types, and the fields whose longest texts they hold.
pub(crate) const SUBMITTED: [(&str, &str, Option<Field>); 10] = [
    ("dealer_id", "varchar", Some(Field::DealerId)),
    ("request_date", "date", None),
    ("request_time", "time", None),
    ("nama_pembawa", "varchar", Some(Field::CustomerName)),
    ("no_telp", "varchar", Some(Field::Phone)),
    ("tipe_unit", "varchar", Some(Field::UnitType)),
    ("no_pol", "varchar", Some(Field::LicensePlate)),
    ("no_pol_normal", "varchar", Some(Field::LicensePlate)),
    ("created_date", "timestamp", None),
    ("last_modified_date", "timestamp", None),
];

/// The columns whose texts may mention the person, whoever wrote them. An erasure takes the person out of them;
/// it knows the person by name, phone and plate, which it empties.
pub(crate) const MENTIONING: [&str; 3] = ["tipe_unit", "created_by", "last_modified_by"];

/// The columns that answers show, without the provider's.
pub(crate) const EXPORTED: [&str; 14] = [
    "id",
    "dealer_id",
    "request_date",
    "request_time",
    "nama_pembawa",
    "no_telp",
    "tipe_unit",
    "no_pol",
    "request_status",
    "whatsapp_status",
    "created_by",
    "created_date",
    "last_modified_by",
    "last_modified_date",
];

/// Binds the values of [`SUBMITTED`].
pub(crate) fn with_submissions<'a, F: File>(
    statement: Statement<'a, F>,
    rows: &[&'a NewRequest],
) -> Statement<'a, F> {
    let rows: Vec<&ValidSubmission> = rows.iter().map(|row| &row.submission).collect();
    statement
        .bind_each("dealer_id", &rows, |it| it.dealer_id.as_str())
        .bind_each("request_date", &rows, |it| it.created_time.date())
        .bind_each("request_time", &rows, |it| it.created_time.time())
        .bind_each("nama_pembawa", &rows, |it| it.customer_name.as_str())
        .bind_each("no_telp", &rows, |it| it.phone.national())
        .bind_each("tipe_unit", &rows, |it| it.unit_type.as_str())
        .bind_each("no_pol", &rows, |it| it.license_plate.as_sent())
        .bind_each("no_pol_normal", &rows, |it| it.license_plate.normal_form())
        .bind_each("created_date", &rows, |it| it.created_time)
        .bind_each("last_modified_date", &rows, |it| it.modified_time)
}

/// A row of `customer_validation_request`, possibly of an older service.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = customer_validation_request)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct RequestRow {
    id: Uuid,
    dealer_id: String,
    request_date: AnyDate,
    request_time: AnyTime,
    nama_pembawa: Shown<String>,
    no_telp: Shown<String>,
    tipe_unit: Shown<String>,
    no_pol: Shown<String>,
    request_status: Option<String>,
    whatsapp_status: Option<String>,
    fonnte_response: Option<JsonText>,
    created_by: Option<String>,
    created_date: Option<Shown<NaiveDateTime>>,
    last_modified_by: Option<String>,
    last_modified_date: Option<Shown<NaiveDateTime>>,
}

/// A `json` value as its text: the provider's answers are shown byte for byte.
#[derive(Debug, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Json)]
pub(crate) struct JsonText(String);

impl FromSql<Json, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(String::from_utf8(value.as_bytes().to_vec())?))
    }
}

impl RequestRow {
    /// Its place in the dealer's list.
    pub(crate) fn place(&self) -> ListPlace {
        ListPlace {
            days: self.request_date.days,
            micros: self.request_time.micros,
            id: RequestId(self.id),
        }
    }
}

impl From<RequestRow> for Request {
    fn from(row: RequestRow) -> Self {
        let (request_status, whatsapp_status) = MessageState::Queued.version_1();
        Self {
            id: RequestId(row.id),
            dealer_id: row.dealer_id,
            request_date: row.request_date.shown(),
            request_time: row.request_time.shown(),
            customer_name: row.nama_pembawa.0,
            phone: row.no_telp.0,
            unit_type: row.tipe_unit.0,
            license_plate: row.no_pol.0,
            request_status: row
                .request_status
                .unwrap_or_else(|| request_status.as_str().to_owned()),
            whatsapp_status: row
                .whatsapp_status
                .unwrap_or_else(|| whatsapp_status.as_str().to_owned()),
            provider_answer: row.fonnte_response.map(|JsonText(text)| text),
            created_by: row.created_by,
            created_date: row.created_date.and_then(|Shown(at)| at),
            last_modified_by: row.last_modified_by,
            last_modified_date: row.last_modified_date.and_then(|Shown(at)| at),
        }
    }
}
