//! Rows that are locked for erasure, and what remains of them.

use domain::persons::{Erased, Person};
use domain::requests::impersonal_call;

use crate::sql::sql_row;

sql_row! {
    /// A message, or an id of a batch without a message to erase.
    pub(crate) struct MessageRow {
        pub(crate) place: uuid::Uuid,
        pub(crate) id: Option<uuid::Uuid>,
        pub(crate) queued: Option<bool>,
        target: Option<String>,
        reason: Option<String>,
        http_request_id: Option<String>,
        provider_state_id: Option<String>,
        name: Option<String>,
        plate: Option<String>,
    }
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

sql_row! {
    /// A request, or an id of a batch without a request to erase.
    pub(crate) struct RequestRow {
        pub(crate) place: uuid::Uuid,
        pub(crate) id: Option<uuid::Uuid>,
        phone: Option<String>,
        name: Option<String>,
        plate: Option<String>,
        /// The texts of [`MENTIONING`](crate::requests::row::MENTIONING).
        texts: Vec<Option<String>>,
    }
}

impl RequestRow {
    /// The nth text of the request without the person.
    pub(crate) fn without_person(&self, n: usize) -> Option<String> {
        let person = named(
            self.phone.as_deref(),
            self.name.as_deref(),
            self.plate.as_deref(),
        );
        let text = self.texts.get(n)?.as_deref()?;
        Some(person.erased_from(text).into_owned())
    }
}

fn named(phone: Option<&str>, name: Option<&str>, plate: Option<&str>) -> Person {
    Person::default()
        .with_phone(phone.unwrap_or_default())
        .with_name(name.unwrap_or_default())
        .with_plate(plate.unwrap_or_default())
}

sql_row! {
    /// The counts of erased messages and reports.
    pub(crate) struct ErasedRow {
        messages: i64,
        cancelled: i64,
        events: i64,
    }
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

sql_row! {
    /// How many reports were erased, and where the next batch begins.
    pub(crate) struct EventsRow {
        events: i64,
        pub(crate) last: Option<i64>,
    }
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
