//! Submissions, and requests as they are stored.

use std::collections::BTreeMap;

use domain::requests::{Field, Input, Request, Submission};
use domain::template::{MAX_NAME_CHARACTERS, MAX_VARIABLE_CHARACTERS, MAX_VARIABLES, RawVariables};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::patterns::{DATE_TIME, PHONE, SEEN, SUBMITTED_TIME, TEMPLATE_NAME, TIME};
use crate::times::{iso_date_time, iso_time};
use crate::{Text, discreet, reply};

/// The name of a field of a submission; Indonesian, as the clients know it.
#[must_use]
pub const fn wire_name(field: Field) -> &'static str {
    match field {
        Field::CustomerName => "namaPembawa",
        Field::Phone => "noTelp",
        Field::UnitType => "tipeUnit",
        Field::LicensePlate => "noPol",
        Field::CreatedTime => "createdTime",
        Field::ModifiedTime => "modifiedTime",
        Field::DealerId => "dealerId",
        Field::Template => "template",
        Field::Variables => "variables",
        Field::SendAt => "sendAt",
    }
}

/// The least and the most characters of a field of a submission.
const fn length(field: Field) -> (usize, usize) {
    match field.length() {
        Some(length) => length,
        None => (0, usize::MAX),
    }
}

const NAME: (usize, usize) = length(Field::CustomerName);
const PHONE_LENGTH: (usize, usize) = length(Field::Phone);
const UNIT_TYPE: (usize, usize) = length(Field::UnitType);
const PLATE: (usize, usize) = length(Field::LicensePlate);
pub(crate) const DEALER_ID: (usize, usize) = length(Field::DealerId);

/// Who brought which unit to which dealer. No field may hold control characters, or only white space and
/// invisible ones; unknown fields are ignored.
// Unknown fields are no such body to serde: the service reads one that has some field by field, as it
// reads one that breaks rules.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(!deny_unknown_fields)]
pub struct SubmissionBody {
    /// The name of the person who brought the unit in.
    #[schemars(length(min = NAME.0, max = NAME.1), regex(pattern = SEEN), example = &"Adit")]
    pub nama_pembawa: String,
    /// That person's Indonesian mobile number, written as people write them; see the conventions.
    #[schemars(length(min = PHONE_LENGTH.0, max = PHONE_LENGTH.1), regex(pattern = PHONE), example = &"082148523421")]
    pub no_telp: String,
    /// The type of the motorcycle.
    #[schemars(length(min = UNIT_TYPE.0, max = UNIT_TYPE.1), regex(pattern = SEEN), example = &"BeAT Street")]
    pub tipe_unit: String,
    /// The motorcycle's plate. An unusual one, temporary or foreign, is not refused.
    #[schemars(length(min = PLATE.0, max = PLATE.1), regex(pattern = SEEN), example = &"D 123 AD")]
    pub no_pol: String,
    /// When the dealer's system made the record: `DD/MM/YYYY HH:mm:ss`, a date that exists, local
    /// time of Asia/Jakarta. Parts other than the year need not be padded: `1/2/2019 5:4:5`.
    #[schemars(regex(pattern = SUBMITTED_TIME), example = &"31/12/2019 15:40:50")]
    pub created_time: String,
    /// When the dealer's system changed the record last, in the same form.
    #[schemars(regex(pattern = SUBMITTED_TIME), example = &"31/12/2019 15:40:50")]
    pub modified_time: String,
    /// The dealer's number.
    #[schemars(length(min = DEALER_ID.0, max = DEALER_ID.1), regex(pattern = SEEN), example = &"0009999")]
    pub dealer_id: String,
    /// The name of the template of the message: one of the dealer's, of head office's, or `validation`. Absent
    /// or null means the dealer's `default_template`, else `validation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS), regex(pattern = TEMPLATE_NAME), example = &"validation")]
    pub template: Option<String>,
    /// Texts for the variables of the template, by name, without control characters. An empty one counts as
    /// not given; one that the template does not have is refused, and so is a missing one without a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, VariableText>>", extend("maxProperties" = MAX_VARIABLES), extend("example" = { "km": "12.000" }))]
    pub variables: Option<BTreeMap<String, String>>,
    /// When the message may first be sent: RFC 3339 with an offset, at most 30 days ahead. A time
    /// that has passed, like null or an absent one, means at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T15:40:50+07:00")]
    pub send_at: Option<String>,
}

discreet!(SubmissionBody, dealer_id);

impl SubmissionBody {
    /// The documented example, without what may be left out.
    #[must_use]
    pub fn example() -> Self {
        Self {
            nama_pembawa: "Adit".to_owned(),
            no_telp: "082148523421".to_owned(),
            tipe_unit: "BeAT Street".to_owned(),
            no_pol: "D 123 AD".to_owned(),
            created_time: "31/12/2019 15:40:50".to_owned(),
            modified_time: "31/12/2019 15:40:50".to_owned(),
            dealer_id: "0009999".to_owned(),
            template: None,
            variables: None,
            send_at: None,
        }
    }
}

impl From<SubmissionBody> for Submission {
    fn from(body: SubmissionBody) -> Self {
        Self {
            customer_name: body.nama_pembawa.into(),
            phone: body.no_telp.into(),
            unit_type: body.tipe_unit.into(),
            license_plate: body.no_pol.into(),
            created_time: body.created_time.into(),
            modified_time: body.modified_time.into(),
            dealer_id: body.dealer_id.into(),
            template: body.template.map_or(Input::Absent, Input::Text),
            variables: body.variables.map_or(RawVariables::Absent, |texts| {
                let texts = texts.into_iter();
                RawVariables::Given(texts.map(|(name, text)| (name, text.into())).collect())
            }),
            send_at: body.send_at.map_or(Input::Absent, Input::Text),
            origin: None,
        }
    }
}

/// Parts of a submission, to try a template out with.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubmissionSample {
    /// The name of the person who brought the unit in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = NAME.0, max = NAME.1), regex(pattern = SEEN), example = &"Adit")]
    pub nama_pembawa: Option<String>,
    /// The type of the motorcycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = UNIT_TYPE.0, max = UNIT_TYPE.1), regex(pattern = SEEN), example = &"BeAT Street")]
    pub tipe_unit: Option<String>,
    /// The motorcycle's plate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = PLATE.0, max = PLATE.1), regex(pattern = SEEN), example = &"D 123 AD")]
    pub no_pol: Option<String>,
    /// When the dealer's system made the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SUBMITTED_TIME), example = &"31/12/2019 15:40:50")]
    pub created_time: Option<String>,
    /// Texts for the template's variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, VariableText>>", extend("maxProperties" = MAX_VARIABLES), extend("example" = { "km": "12.000" }))]
    pub variables: Option<BTreeMap<String, String>>,
}

discreet!(SubmissionSample);

/// The text of a variable.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(crate) struct VariableText(
    #[schemars(length(max = MAX_VARIABLE_CHARACTERS))]
    #[expect(dead_code, reason = "a schema only")]
    String,
);

/// The answer to a submission that was stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StoredReply {
    /// Always 1.
    #[schemars(extend("enum" = [1]))]
    pub status: u8,
    /// That it was stored, in Indonesian.
    pub message: StoredMessage,
    /// The stored request with `Prefer: return=representation`, else null.
    pub data: Option<Item>,
}

/// That it was stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct StoredMessage {
    /// An Indonesian sentence.
    #[schemars(extend("enum" = ["Data berhasil disimpan"]))]
    pub confirmation: Text,
}

/// The body of an answer to a submission that was not stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotStoredReply {
    /// Always 0.
    #[schemars(extend("enum" = [0]))]
    pub status: u8,
    /// Why, in Indonesian.
    pub message: NotStoredMessage,
    /// Always null.
    pub data: (),
}

/// Why a submission was not stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct NotStoredMessage {
    /// An Indonesian sentence.
    #[schemars(example = &"Dealer tidak ditemukan atau tidak aktif")]
    pub error: Text,
}

impl NotStoredMessage {
    /// The store does not take it: not now (503), or never (500).
    pub const NOT_STORED: &str = "Gagal menyimpan data ke database";

    /// Something unforeseen happened.
    pub const UNFORESEEN: &str = "Terjadi kesalahan sistem";
}

/// A stored request. The keys stand in this order; new ones may only follow. Of rows of other writers, what
/// cannot be shown is null, such as the date `infinity` or the time `24:00:00`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The id of the request.
    #[schemars(extend("format" = "uuid"), example = &"23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub id: String,
    /// The dealer's number.
    #[schemars(example = &"0009999")]
    pub dealer_id: String,
    /// The local date of the submission's `createdTime`, `YYYY-MM-DD`.
    #[schemars(extend("format" = "date"), example = &"2019-12-31")]
    pub request_date: Option<String>,
    /// The local time of the submission's `createdTime`, `HH:mm:ss`.
    #[schemars(regex(pattern = TIME), example = &"15:40:50")]
    pub request_time: Option<String>,
    /// The person who brought the unit in.
    #[schemars(example = &"Adit")]
    pub nama_pembawa: Option<String>,
    /// That person's phone, `08…`; in rows of an older service, as that service wrote it.
    #[schemars(example = &"082148523421")]
    pub no_telp: Option<String>,
    /// The type of the motorcycle.
    #[schemars(example = &"BeAT Street")]
    pub tipe_unit: Option<String>,
    /// The motorcycle's plate, as sent.
    #[schemars(example = &"D 123 AD")]
    pub no_pol: Option<String>,
    /// `PENDING`: stored, the message waits. `PROCESSED`: Fonnte accepted it. `FAILED`: see
    /// `whatsapp_status`. Rows of an older service may have others.
    #[schemars(example = &"PROCESSED")]
    pub request_status: String,
    /// `NOT_SENT`: the message waits. `SENT`, then `DELIVERED`, then `READ`: accepted by Fonnte,
    /// confirmed on the phone, read. `FAILED`: refused for good, expired or cancelled. `ERROR`: the
    /// outcome is unknown, a person must decide. Rows of an older service may have others.
    #[schemars(example = &"SENT")]
    pub whatsapp_status: String,
    /// Fonnte's last answer to the message, also while it waits for another try. An answer that is
    /// not JSON is kept as `raw_response`, a failure without an answer as `error`: `timeout` or
    /// `connection_error`.
    #[schemars(with = "serde_json::Value", extend("type" = "object", "nullable" = true, "additionalProperties" = true, "example" = {
        "detail": "success! message in queue",
        "id": [142223099],
        "process": "pending",
        "requestid": 369052479,
        "status": true,
        "target": ["6282148523421"]
    }))]
    pub fonnte_response: Option<Box<RawValue>>,
    /// Who made the row: `api` for what came in here.
    #[schemars(example = &"api")]
    pub created_by: Option<String>,
    /// The submission's `createdTime`; a local time without a zone.
    #[schemars(regex(pattern = DATE_TIME), example = &"2019-12-31T15:40:50")]
    pub created_date: Option<String>,
    /// Who changed the row last: `system` for a change of status.
    #[schemars(example = &"system")]
    pub last_modified_by: Option<String>,
    /// When the row was changed last, at first the submission's `modifiedTime`; a local time
    /// without a zone.
    #[schemars(regex(pattern = DATE_TIME), example = &"2026-11-22T16:20:13.344527")]
    pub last_modified_date: Option<String>,
}

discreet!(Item, id);

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
}

/// A request in a table: its values under [`Item::COLUMNS`].
pub type Cells = [Option<String>; Item::COLUMNS.len()];

impl Item {
    /// Its keys without `fonnte_response`, in their order.
    pub const COLUMNS: [&'static str; 14] = [
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

    /// Its values in a table.
    #[must_use]
    pub fn into_cells(self) -> Cells {
        [
            Some(self.id),
            Some(self.dealer_id),
            self.request_date,
            self.request_time,
            self.nama_pembawa,
            self.no_telp,
            self.tipe_unit,
            self.no_pol,
            Some(self.request_status),
            Some(self.whatsapp_status),
            self.created_by,
            self.created_date,
            self.last_modified_by,
            self.last_modified_date,
        ]
    }
}

reply! {
    /// A request that was found.
    RequestReply(Item, "The request."), extend("enum" = ["Request found"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_goes_both_ways_with_the_answer_byte_for_byte() {
        let text = r#"{"id":"i","dealer_id":"0009999","request_date":null,"request_time":null,"nama_pembawa":"Adit","no_telp":null,"tipe_unit":null,"no_pol":null,"request_status":"PENDING","whatsapp_status":"NOT_SENT","fonnte_response":{"b": 1e2, "a":[ ]},"created_by":null,"created_date":null,"last_modified_by":null,"last_modified_date":null}"#;
        let item: Item = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
        assert_eq!(format!("{item:?}"), r#"Item { id: "i", .. }"#);
    }

    #[test]
    fn the_fields_of_a_submission_have_the_names_that_it_is_read_by() {
        let schema = schemars::schema_for!(SubmissionBody);
        let named: Vec<&String> = schema
            .get("properties")
            .and_then(|it| it.as_object())
            .expect("an object")
            .keys()
            .collect();
        assert_eq!(named, Field::ALL.map(wire_name));
    }

    #[test]
    fn a_submission_has_the_names_of_the_wire() {
        let text = r#"{"namaPembawa":"Adit","noTelp":"082148523421","tipeUnit":"BeAT Street","noPol":"D 123 AD","createdTime":"31/12/2019 15:40:50","modifiedTime":"31/12/2019 15:40:50","dealerId":"0009999"}"#;
        let body: SubmissionBody = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), text);
        assert_eq!(
            serde_json::to_string(&SubmissionBody::example()).unwrap(),
            text
        );
    }
}
