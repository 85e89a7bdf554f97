//! Requests and the messages that belong to them.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use uuid::Uuid;

use crate::requests::{MessageState, Origin, ValidSubmission};
use crate::template::Variables;
use crate::values::Once;

/// The id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub Uuid);

/// The id of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `created_by` of a request from the API.
pub const CREATED_BY: &str = "api";

/// `last_modified_by` of a change of status.
pub const CHANGED_BY: &str = "system";

/// A checked request with its first message, to be stored together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// The id the request will have.
    pub id: RequestId,
    /// What was submitted.
    pub submission: ValidSubmission,
    /// The message to the person who brought the unit in.
    pub message: NewMessage,
    /// The idempotency key, if any.
    pub once: Option<Once>,
}

/// A message to be queued. `Debug` hides its text.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The id the message will have.
    pub id: MessageId,
    /// Its kind.
    pub kind: MessageKind,
    /// The name of the template it was made from.
    pub template: String,
    /// The version of the template; the built-in one has none.
    pub template_version: Option<u32>,
    /// What was given for the template's variables.
    pub variables: Variables,
    /// The finished text.
    pub body: String,
    /// When it may first be sent; `None` means at once.
    pub not_before: Option<DateTime<Utc>>,
    /// The HTTP request that asked for it.
    pub origin: Option<Origin>,
}

discreet!(
    NewMessage,
    id,
    kind,
    template,
    template_version,
    not_before,
    origin
);

named! {
    /// The kind of a message.
    pub enum MessageKind {
        /// A single submission, or a resend; goes before bulk.
        Live = "live",
        /// One of many that were submitted together; goes after the live ones of its dealer.
        Bulk = "bulk",
    }
}

/// A stored request, as it is shown.
///
/// Rows of an older service may break today's rules and are shown as stored. `Debug` hides personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The id.
    pub id: RequestId,
    /// The dealer.
    pub dealer_id: String,
    /// Local date of the submission's created time. This and the next five fields are always set in requests
    /// of this service; in other rows a value that cannot be shown is absent.
    pub request_date: Option<NaiveDate>,
    /// Local time of the submission's created time.
    pub request_time: Option<NaiveTime>,
    /// The person who brought the unit in.
    pub customer_name: Option<String>,
    /// That person's phone.
    pub phone: Option<String>,
    /// The type of the motorcycle.
    pub unit_type: Option<String>,
    /// The plate as sent.
    pub license_plate: Option<String>,
    /// The state of the request, see [`RequestStatus`](crate::requests::RequestStatus).
    pub request_status: String,
    /// The state of its newest message, see [`WhatsappStatus`](crate::requests::WhatsappStatus).
    pub whatsapp_status: String,
    /// The provider's last answer as JSON text.
    pub provider_answer: Option<String>,
    /// The creator of the row.
    pub created_by: Option<String>,
    /// Local time without a zone.
    pub created_date: Option<NaiveDateTime>,
    /// The last editor of the row.
    pub last_modified_by: Option<String>,
    /// Local time without a zone.
    pub last_modified_date: Option<NaiveDateTime>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("dealer_id", &self.dealer_id)
            .field(
                "phone",
                &self.phone.as_deref().map(crate::values::mask_phone),
            )
            .field("request_status", &self.request_status)
            .field("whatsapp_status", &self.whatsapp_status)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The request as stored just now.
    #[must_use]
    pub fn just_stored(new: &NewRequest) -> Self {
        Self::of_submission(new.id, new.submission.clone())
    }

    /// The request of a submission, as it was right after it was stored.
    #[must_use]
    pub fn of_submission(id: RequestId, submission: ValidSubmission) -> Self {
        let (request_status, whatsapp_status) = MessageState::Queued.version_1();
        Self {
            id,
            dealer_id: submission.dealer_id.as_str().to_owned(),
            request_date: Some(submission.created_time.date()),
            request_time: Some(submission.created_time.time()),
            customer_name: Some(submission.customer_name),
            phone: Some(submission.phone.into_national()),
            unit_type: Some(submission.unit_type),
            license_plate: Some(submission.license_plate.into_sent()),
            request_status: request_status.as_str().to_owned(),
            whatsapp_status: whatsapp_status.as_str().to_owned(),
            provider_answer: None,
            created_by: Some(CREATED_BY.to_owned()),
            created_date: Some(submission.created_time),
            last_modified_by: Some(CREATED_BY.to_owned()),
            last_modified_date: Some(submission.modified_time),
        }
    }
}
