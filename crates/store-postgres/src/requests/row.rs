use chrono::NaiveDateTime;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Json;
use domain::ports::ListPlace;
use domain::requests::{MessageState, Request, RequestId};
use uuid::Uuid;

use crate::requests::odd::{AnyDate, AnyTime, Shown};
use crate::schema::customer_validation_request;

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
