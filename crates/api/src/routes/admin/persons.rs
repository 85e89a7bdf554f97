use std::convert::identity;

use actix_web::web::Data;
use domain::{Erased, Fault, MessageView, Phone, Request, RequestId, StoreError};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;
use uuid::Uuid;

use crate::access::Caller;
use crate::deadline::in_time;
use crate::http::{Answered, JsonBody, text};
use crate::problem::Problem;
use crate::routes::item::Item;
use crate::routes::messages::MessageItem;
use crate::state::Api;
use crate::validation::Rule;

/// Requests on a page of an export.
const PAGE_SIZE: usize = 100;

/// Who is to be erased.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct ErasureBody {
    /// The person's phone, an Indonesian mobile number written as people write them.
    phone: String,
}

/// What was erased.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ErasureReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: ErasureData,
}

/// How much was erased by this call.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ErasureData {
    /// Requests whose name, phone, plate and stored answer are gone.
    requests: u64,
    /// Messages whose text and recipient are gone.
    messages: u64,
    /// Of those the ones that waited to be sent, and never will be.
    cancelled: u64,
    /// Reports of Fonnte whose text is gone.
    events: u64,
}

/// Whose data is to be shown.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct ExportBody {
    /// The person's phone, an Indonesian mobile number written as people write them.
    phone: String,
    /// The `next_cursor` of the page before; absent or null: the first page.
    cursor: Option<String>,
}

/// What is stored about a person.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ExportReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: ExportData,
}

/// A page of what is stored about a person.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ExportData {
    /// The requests of this page, at most 100, of all dealers, in the order of their ids.
    items: Vec<ExportItem>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// A request with its messages.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ExportItem {
    request: Item,
    /// Its messages, oldest first.
    messages: Vec<MessageItem>,
}

/// Erase a person
///
/// Name, phone and plate, the texts and the recipients of messages, the raw reports and the stored
/// answers of Fonnte, of all dealers and in every spelling of the phone; and where reasons, unit types,
/// the audit or names of keys tell them. What is queued is cancelled; a call that is on its way is
/// finished, but not repeated. Statuses, times and dealers stay, and so do all counts. Erasing once more
/// changes nothing; after a 503 repeat it.
#[api_v2_operation(operation_id = "erase_person", tags(admin))]
pub(crate) async fn erase_person(
    caller: Caller,
    api: Data<Api>,
    body: JsonBody<ErasureBody>,
) -> Result<Answered<ErasureReply>, Problem> {
    let mut fields = body.fields()?;
    let Some(phone) = fields.required("phone", text(phone)) else {
        return Err(fields.invalid());
    };
    let author = caller.author();
    let erasing = api.subjects.erase(&phone, &author);
    let erased = in_time(erasing, identity::<StoreError>).await?;
    tracing::info!(
        person.phone = phone.masked(),
        erased.requests = erased.requests,
        erased.messages = erased.messages,
        erased.cancelled = erased.cancelled,
        erased.events = erased.events,
        "person erased"
    );
    Ok(Answered::ok(&ErasureReply {
        success: true,
        message: "Person erased",
        data: erased.into(),
    }))
}

/// Show what is stored about a person
///
/// The requests of all dealers, in every spelling of the phone, each with its messages; 100 on a
/// page. It changes nothing, and is a POST so that the phone is in no address.
#[api_v2_operation(operation_id = "export_person", tags(admin))]
pub(crate) async fn export_person(
    caller: Caller,
    api: Data<Api>,
    body: JsonBody<ExportBody>,
) -> Result<Answered<ExportReply>, Problem> {
    let mut fields = body.fields()?;
    let phone = fields.required("phone", text(phone));
    let after = fields.optional("cursor", text(cursor));
    let (Some(phone), Some(after)) = (phone, after) else {
        return Err(fields.invalid());
    };
    let author = caller.author();
    // One more than is shown tells whether there is another page.
    let exporting = api.subjects.export(&phone, after, PAGE_SIZE + 1, &author);
    let mut records = in_time(exporting, identity::<StoreError>).await?;
    let more = records.len() > PAGE_SIZE;
    records.truncate(PAGE_SIZE);
    tracing::info!(
        person.phone = phone.masked(),
        exported.requests = records.len(),
        "person exported"
    );
    let last = records.last().filter(|_| more);
    let data = ExportData {
        next_cursor: last.map(|(request, _)| request.id.0.simple().to_string()),
        items: records.into_iter().map(ExportItem::from).collect(),
    };
    Ok(Answered::ok(&ExportReply {
        success: true,
        message: "Personal data retrieved",
        data,
    }))
}

fn phone(raw: &str) -> Result<Phone, Fault> {
    Phone::parse(raw).map_err(|_| Fault::Phone)
}

fn cursor(raw: &str) -> Result<RequestId, Rule> {
    match Uuid::try_parse(raw) {
        Ok(id) if id.simple().to_string() == raw => Ok(RequestId(id)),
        _ => Err(Rule::Own("Expected the next_cursor of a page")),
    }
}

impl From<Erased> for ErasureData {
    fn from(erased: Erased) -> Self {
        Self {
            requests: erased.requests,
            messages: erased.messages,
            cancelled: erased.cancelled,
            events: erased.events,
        }
    }
}

impl From<(Request, Vec<MessageView>)> for ExportItem {
    fn from((request, messages): (Request, Vec<MessageView>)) -> Self {
        Self {
            request: request.into(),
            messages: messages.into_iter().map(MessageItem::from).collect(),
        }
    }
}
