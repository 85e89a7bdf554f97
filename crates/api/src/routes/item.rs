use api_types::Item;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::requests::Request;
use exports::{iso_date_time, iso_time};
use serde_json::value::RawValue;

/// The wire form of a request.
pub(super) fn item(request: Request) -> Item {
    Item {
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
        // A `json` column only holds JSON; the item would be shown without an invalid text.
        fonnte_response: request
            .provider_answer
            .and_then(|text| RawValue::from_string(text).ok()),
        created_by: request.created_by,
        created_date: request.created_date.map(iso_date_time),
        last_modified_by: request.last_modified_by,
        last_modified_date: request.last_modified_date.map(iso_date_time),
    }
}

/// The wire form of a time.
pub(super) fn rfc_3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
