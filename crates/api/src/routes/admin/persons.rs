use std::convert::identity;

use actix_web::web::Data;
use api_types::{
    EXPORT_PAGE_SIZE, EXPORTED_REPLIES, ErasureBody, ErasureData, ErasureReply, ExportBody,
    ExportData, ExportItem, ExportMessage, ExportOptOut, ExportReply, ExportReplyItem, Item,
};
use domain::ports::StoreError;
use domain::replies::{OptOut, Reply};
use domain::requests::{Fault, MessageView, RequestId};
use domain::values::Phone;
use paperclip::actix::api_v2_operation;
use uuid::Uuid;

use crate::access::Caller;
use crate::http::{Answered, JsonBody, text};
use crate::problem::Problem;
use crate::routes::messages::message_item;
use crate::routes::replies::{opt_out_item, reply_item};
use crate::state::Api;
use crate::validation::Rule;
use callers::in_time;

/// Erase a person
///
/// Name, phone and plate, the texts and the recipients of messages, the raw reports and the stored
/// answers of Fonnte, of all dealers and in every spelling of the phone; and where reasons, unit types,
/// the audit or names of keys tell them. What is queued is cancelled; a call that is on its way is
/// finished, but not repeated. Replies are removed; opt-outs hold on, under a keyed hash of the phone. Statuses, times and dealers stay, and so do all counts. Erasing once more
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
        erased.replies = erased.replies,
        "person erased"
    );
    let data = ErasureData {
        requests: erased.requests,
        messages: erased.messages,
        cancelled: erased.cancelled,
        events: erased.events,
        replies: erased.replies,
    };
    Ok(Answered::ok(&ErasureReply::new("Person erased", data)))
}

/// Show what is stored about a person
///
/// The requests of all dealers, in every spelling of the phone, each with its messages; 100 on a
/// page. The first page also has what the person wrote back, and its opt-outs. It changes nothing, and is a POST so that the phone is in no address.
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
    // One request more tells whether there is another page.
    let exporting = api
        .subjects
        .export(&phone, after, EXPORT_PAGE_SIZE + 1, &author);
    let mut records = in_time(exporting, identity::<StoreError>).await?;
    let more = records.len() > EXPORT_PAGE_SIZE;
    records.truncate(EXPORT_PAGE_SIZE);
    tracing::info!(
        person.phone = phone.masked(),
        exported.requests = records.len(),
        "person exported"
    );
    let (replies, opt_outs) = match after {
        None => {
            let asking = api.subjects.export_replies(&phone, EXPORTED_REPLIES);
            in_time(asking, identity::<StoreError>).await?
        }
        Some(_) => (Vec::new(), Vec::new()),
    };
    let last = records.last().filter(|_| more);
    let data = ExportData {
        next_cursor: last.map(|(request, _)| request.id.0.simple().to_string()),
        items: records
            .into_iter()
            .map(|(request, messages)| ExportItem {
                request: Item::from(request),
                messages: messages.into_iter().map(export_message).collect(),
            })
            .collect(),
        replies: replies.into_iter().map(export_reply).collect(),
        opt_outs: opt_outs.into_iter().map(export_opt_out).collect(),
    };
    Ok(Answered::ok(&ExportReply::new(
        "Personal data retrieved",
        data,
    )))
}

fn export_reply(reply: Reply) -> ExportReplyItem {
    ExportReplyItem {
        dealer_id: reply.dealer.to_string(),
        reply: reply_item(reply),
    }
}

fn export_opt_out(opt_out: OptOut) -> ExportOptOut {
    ExportOptOut {
        dealer_id: opt_out.dealer.to_string(),
        opt_out: opt_out_item(opt_out),
    }
}

/// A message with all that was given for it.
fn export_message(view: MessageView) -> ExportMessage {
    let variables = view.message.variables.iter();
    ExportMessage {
        variables: variables
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        message: message_item(view),
    }
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
