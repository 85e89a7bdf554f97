use std::convert::identity;

use actix_web::web::Data;
use domain::{Erased, Fault, MessageView, Phone, Request, RequestId, StoreError};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::Caller;
use crate::deadline::in_time;
use crate::http::{Answered, JsonBody};
use crate::problem::Problem;
use crate::routes::item::Item;
use crate::routes::messages::MessageItem;
use crate::state::Api;
use crate::validation::FaultBody;

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
    let fields = body.object()?;
    let phone = phone(&fields).map_err(|fault| Problem::Invalid(vec![*fault]))?;
    let author = caller.author();
    let erasing = api.persons.erase(&phone, &author);
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
    let fields = body.object()?;
    let mut faults = Vec::new();
    let phone = phone(&fields).map_err(|fault| faults.push(*fault)).ok();
    let after = cursor(&fields).map_err(|fault| faults.push(*fault)).ok();
    let (Some(phone), Some(after)) = (phone, after) else {
        return Err(Problem::Invalid(faults));
    };
    let author = caller.author();
    // One more than is shown tells whether there is another page.
    let exporting = api.persons.export(&phone, after, PAGE_SIZE + 1, &author);
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

fn phone(fields: &Map<String, Value>) -> Result<Phone, Box<FaultBody>> {
    let value = fields.get("phone");
    let parsed = match value {
        None => Err(Fault::Missing),
        Some(Value::String(text)) => Phone::parse(text).map_err(|_| Fault::Phone),
        Some(_) => Err(Fault::NotText),
    };
    let input = || value.cloned().unwrap_or(Value::Null);
    parsed.map_err(|fault| Box::new(FaultBody::of_field("phone", fault, input())))
}

fn cursor(fields: &Map<String, Value>) -> Result<Option<RequestId>, Box<FaultBody>> {
    let value = fields.get("cursor").filter(|value| !value.is_null());
    let Some(value) = value else {
        return Ok(None);
    };
    let Some(text) = value.as_str() else {
        let fault = FaultBody::of_field("cursor", Fault::NotText, value.clone());
        return Err(Box::new(fault));
    };
    match Uuid::try_parse(text) {
        Ok(id) if id.simple().to_string() == text => Ok(Some(RequestId(id))),
        _ => {
            let words = "Expected the next_cursor of a page";
            Err(Box::new(FaultBody::of_value(
                "cursor",
                words,
                value.clone(),
            )))
        }
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
