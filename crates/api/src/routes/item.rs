use chrono::{NaiveDateTime, NaiveTime, Timelike as _};
use domain::Request;
use paperclip::actix::Apiv2Schema;
use serde::Serialize;
use serde_json::value::RawValue;

/// A stored request. The keys stand in this order; new ones may only follow. Of rows of other writers, what
/// cannot be shown is null, such as the date `infinity` or the time `24:00:00`.
#[derive(Serialize, Apiv2Schema)]
pub(crate) struct Item {
    /// The id of the request.
    id: String,
    /// The dealer's number.
    dealer_id: String,
    /// The local date of the submission's `createdTime`, `YYYY-MM-DD`.
    request_date: Option<String>,
    /// The local time of the submission's `createdTime`, `HH:mm:ss`.
    request_time: Option<String>,
    /// The person who brought the unit in.
    nama_pembawa: Option<String>,
    /// That person's phone, `08…`; in rows of an older service, as that service wrote it.
    no_telp: Option<String>,
    /// The type of the motorcycle.
    tipe_unit: Option<String>,
    /// The motorcycle's plate, as sent.
    no_pol: Option<String>,
    /// `PENDING`: stored, the message waits. `PROCESSED`: Fonnte accepted it. `FAILED`: see
    /// `whatsapp_status`. Rows of an older service may have others.
    request_status: String,
    /// `NOT_SENT`: the message waits. `SENT`, then `DELIVERED`, then `READ`: accepted by Fonnte,
    /// confirmed on the phone, read. `FAILED`: refused for good, expired or cancelled. `ERROR`: the
    /// outcome is unknown, a person must decide. Rows of an older service may have others.
    whatsapp_status: String,
    /// Fonnte's last answer to the message, also while it waits for another try. An answer that is
    /// not JSON is kept as `raw_response`, a failure without an answer as `error`: `timeout` or
    /// `connection_error`.
    fonnte_response: Option<JsonText>,
    /// Who made the row: `api` for what came in here.
    created_by: Option<String>,
    /// The submission's `createdTime`; a local time without a zone.
    created_date: Option<String>,
    /// Who changed the row last: `system` for a change of status.
    last_modified_by: Option<String>,
    /// When the row was changed last, at first the submission's `modifiedTime`; a local time
    /// without a zone.
    last_modified_date: Option<String>,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// JSON that is passed on byte for byte.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct JsonText(Box<RawValue>);

impl paperclip::v2::schema::Apiv2Schema for JsonText {}

impl From<Request> for Item {
    fn from(request: Request) -> Self {
        Self {
            id: request.id.to_string(),
            dealer_id: request.dealer_id,
            request_date: request
                .request_date
                .map(|date| date.format("%Y-%m-%d").to_string()),
            request_time: request.request_time.map(iso_time),
            nama_pembawa: request.customer_name,
            no_telp: request.phone,
            tipe_unit: request.unit_type,
            no_pol: request.license_plate,
            request_status: request.request_status,
            whatsapp_status: request.whatsapp_status,
            // A text that is not JSON cannot come out of a column of type json; should it all the
            // same, the item is shown without it.
            fonnte_response: request
                .provider_answer
                .and_then(|text| RawValue::from_string(text).ok())
                .map(JsonText),
            created_by: request.created_by,
            created_date: request.created_date.map(iso_date_time),
            last_modified_by: request.last_modified_by,
            last_modified_date: request.last_modified_date.map(iso_date_time),
        }
    }
}

/// `2019-12-31T15:40:50`, with six more digits when there is a fraction, as Python writes it.
pub(super) fn iso_date_time(at: NaiveDateTime) -> String {
    format!("{}T{}", at.format("%Y-%m-%d"), iso_time(at.time()))
}

fn iso_time(at: NaiveTime) -> String {
    let whole = at.format("%H:%M:%S");
    match at.nanosecond() / 1_000 {
        0 => whole.to_string(),
        micros => format!("{whole}.{micros:06}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn times_are_written_as_the_service_of_before_wrote_them() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let at = |micros| iso_date_time(day.and_hms_micro_opt(16, 20, 13, micros).unwrap());
        assert_eq!(at(0), "2026-11-22T16:20:13");
        assert_eq!(at(344_527), "2026-11-22T16:20:13.344527");
        assert_eq!(at(500_000), "2026-11-22T16:20:13.500000");
        let early = NaiveDate::from_ymd_opt(1, 2, 3)
            .unwrap()
            .and_hms_opt(4, 5, 6)
            .unwrap();
        assert_eq!(iso_date_time(early), "0001-02-03T04:05:06");
    }
}
