//! Rows that are locked for erasure, and what remains of them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid};
use domain::persons::{Erased, Person};
use domain::requests::impersonal_call;

/// A message, or an id of a batch without a message to erase.
#[derive(QueryableByName)]
pub(crate) struct MessageRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) place: uuid::Uuid,
    #[diesel(sql_type = Nullable<Uuid>)]
    pub(crate) id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub(crate) queued: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    target: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    http_request_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    provider_state_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plate: Option<String>,
}

impl MessageRow {
    fn person(&self) -> Person {
        named(
            self.target.as_deref(),
            self.name.as_deref(),
            self.plate.as_deref(),
        )
    }

    /// Why the message ended.
    pub(crate) fn reason(&self) -> Option<String> {
        Some(self.person().erased_from_words(self.reason.as_deref()?))
    }

    /// The id of the HTTP request that queued it.
    pub(crate) fn call(&self) -> Option<&str> {
        impersonal_call(self.http_request_id.as_deref()?)
    }

    /// WhatsApp's id of the message, unless that holds the phone.
    pub(crate) fn state_id(&self) -> Option<&str> {
        let id = self.provider_state_id.as_deref()?;
        (self.person().erased_from(id) == id).then_some(id)
    }
}

/// A request, or an id of a batch without a request to erase.
#[derive(QueryableByName)]
pub(crate) struct RequestRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) place: uuid::Uuid,
    #[diesel(sql_type = Nullable<Uuid>)]
    pub(crate) id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    phone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plate: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) unit_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) created_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) last_modified_by: Option<String>,
}

impl RequestRow {
    /// A text of the request without the person.
    pub(crate) fn without_person(&self, text: Option<&str>) -> Option<String> {
        let person = named(
            self.phone.as_deref(),
            self.name.as_deref(),
            self.plate.as_deref(),
        );
        Some(person.erased_from(text?).into_owned())
    }
}

fn named(phone: Option<&str>, name: Option<&str>, plate: Option<&str>) -> Person {
    Person::default()
        .with_phone(phone.unwrap_or_default())
        .with_name(name.unwrap_or_default())
        .with_plate(plate.unwrap_or_default())
}

/// The counts of erased messages and reports.
#[derive(QueryableByName)]
pub(crate) struct ErasedRow {
    #[diesel(sql_type = BigInt)]
    messages: i64,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
}

impl From<ErasedRow> for Erased {
    fn from(row: ErasedRow) -> Self {
        Self {
            messages: count(row.messages),
            cancelled: count(row.cancelled),
            events: count(row.events),
            ..Self::default()
        }
    }
}

/// How many reports were erased, and where the next batch begins.
#[derive(QueryableByName)]
pub(crate) struct EventsRow {
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) last: Option<i64>,
}

impl EventsRow {
    pub(crate) fn erased(&self) -> Erased {
        Erased {
            events: count(self.events),
            ..Erased::default()
        }
    }
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
