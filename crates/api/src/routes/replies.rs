use std::convert::identity;

use actix_web::HttpResponse;
use actix_web::web::Data;
use api_types::{
    OptOutBody, OptOutItem, OptOutReply, OptOutsData, OptOutsReply, RepliesData, RepliesReply,
    ReplyItem, ReplyListQuery, rfc_3339,
};
use domain::ports::{OptedOut, StoreError};
use domain::replies::{LONGEST_NOTE, OptOut, Reply};
use domain::requests::{Fault, RequestId};
use domain::usecases::LookupError;
use domain::values::Phone;
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use serde::Deserialize;
use uuid::Uuid;

use super::list_page::{Page, found};
use crate::access::{Caller, DealerAt};
use crate::http::{Answered, JsonBody, QueryParameters, text};
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// The part of a path with a phone.
#[derive(Deserialize, paperclip::actix::Apiv2Schema)]
pub(crate) struct PhoneAt {
    phone: String,
}

/// List what customers wrote back to a dealer
///
/// Newest first. Only private messages of persons are kept, each once; `request_id` is the request of that
/// phone at this dealer that was the newest when the reply was stored.
#[api_v2_operation(operation_id = "list_dealer_replies", tags(dealer))]
pub(crate) async fn list_dealer_replies(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<RepliesReply>, Problem> {
    let page = Page::read(query)?;
    let asking = api
        .conversations
        .replies(dealer.id()?, page.after, page.limit());
    let replies = in_time(asking, LookupError::Store).await?;
    Ok(Answered::ok(&replies_reply(page, replies)))
}

/// List what a customer wrote back about a request
///
/// Newest first: the replies that came while it was the newest request of its phone at its dealer.
#[api_v2_operation(operation_id = "list_request_replies", tags(customer))]
pub(crate) async fn list_request_replies(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<RepliesReply>, Problem> {
    let page = Page::read(query)?;
    let id = Uuid::try_parse(&request_id).map_err(|_| Problem::UnknownRequest)?;
    let asking =
        api.conversations
            .replies_of(RequestId(id), caller.visibility(), page.after, page.limit());
    let replies = in_time(asking, identity::<StoreError>).await?;
    let replies = replies.ok_or(Problem::UnknownRequest)?;
    Ok(Answered::ok(&replies_reply(page, replies)))
}

/// List who gets no messages of a dealer
///
/// Newest first: those who said so in a reply, and those who were opted out by hand.
#[api_v2_operation(operation_id = "list_dealer_opt_outs", tags(dealer))]
pub(crate) async fn list_dealer_opt_outs(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<OptOutsReply>, Problem> {
    let page = Page::read(query)?;
    let asking = api
        .conversations
        .opt_outs(dealer.id()?, page.after, page.limit());
    let mut opt_outs = in_time(asking, LookupError::Store).await?;
    let next_cursor = page.cut(&mut opt_outs, |opt_out| opt_out.cursor);
    let found = found(opt_outs.len(), "opt-out", "opt-outs");
    let items = opt_outs.into_iter().map(opt_out_item).collect();
    let data = OptOutsData { items, next_cursor };
    Ok(Answered::ok(&OptOutsReply::new(found, data)))
}

/// Opt a phone out of a dealer's messages
///
/// From now on the phone gets none of this dealer: what waits or is scheduled is cancelled, and what is
/// submitted is stored and not sent. A phone that is opted out stays as it is.
#[api_v2_operation(operation_id = "opt_out_phone", tags(dealer))]
pub(crate) async fn opt_out_phone(
    dealer: DealerAt,
    api: Data<Api>,
    body: JsonBody<OptOutBody>,
) -> Result<Answered<OptOutReply>, Problem> {
    let mut fields = body.fields()?;
    let phone = fields.required("phone", text(phone));
    let note = fields.optional("note", text(note));
    let (Some(phone), Some(note)) = (phone, note) else {
        return Err(fields.invalid());
    };
    let author = dealer.author();
    let doing = api
        .conversations
        .opt_out(dealer.id()?, &phone, note, &author);
    let done = in_time(doing, LookupError::Store).await?;
    tracing::info!(person.phone = phone.masked(), "phone opted out by hand");
    Ok(match done {
        OptedOut::Now(opt_out) => Answered::with(
            HttpResponse::Created()
                .json(OptOutReply::new("Phone opted out", opt_out_item(opt_out))),
        ),
        OptedOut::Before(opt_out) => Answered::ok(&OptOutReply::new(
            "Phone was opted out before",
            opt_out_item(opt_out),
        )),
    })
}

/// Opt a phone in again
///
/// New messages are sent again. What was cancelled stays cancelled.
#[api_v2_operation(operation_id = "opt_in_phone", tags(dealer))]
pub(crate) async fn opt_in_phone(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<PhoneAt>,
) -> Result<HttpResponse, Problem> {
    let id = dealer.id()?;
    let author = dealer.author();
    let Ok(phone) = Phone::parse(&path.phone) else {
        return Err(Problem::UnknownOptOut);
    };
    let doing = api.conversations.opt_in(id, &phone, &author);
    if !in_time(doing, LookupError::Store).await? {
        return Err(Problem::UnknownOptOut);
    }
    tracing::info!(person.phone = phone.masked(), "phone opted in by hand");
    Ok(HttpResponse::NoContent().finish())
}

fn replies_reply(page: Page, mut replies: Vec<Reply>) -> RepliesReply {
    let next_cursor = page.cut(&mut replies, |reply| reply.cursor);
    let found = found(replies.len(), "reply", "replies");
    let items = replies.into_iter().map(reply_item).collect();
    RepliesReply::new(found, RepliesData { items, next_cursor })
}

pub(crate) fn reply_item(reply: Reply) -> ReplyItem {
    ReplyItem {
        id: reply.id.to_string(),
        at: rfc_3339(reply.at),
        phone: reply.phone,
        name: reply.name,
        text: reply.text,
        request_id: reply.request.map(|id| id.to_string()),
    }
}

pub(crate) fn opt_out_item(opt_out: OptOut) -> OptOutItem {
    OptOutItem {
        phone: opt_out.phone,
        origin: opt_out.origin.as_str().into(),
        note: opt_out.note,
        at: rfc_3339(opt_out.at),
    }
}

fn phone(raw: &str) -> Result<Phone, Fault> {
    Phone::parse(raw).map_err(|_| Fault::Phone)
}

fn note(raw: &str) -> Result<String, Fault> {
    match raw.chars().count() {
        0 => Err(Fault::TooShort { min: 1 }),
        count if count > LONGEST_NOTE => Err(Fault::TooLong { max: LONGEST_NOTE }),
        _ if raw.chars().any(char::is_control) => Err(Fault::ControlCharacter),
        _ if raw.trim().is_empty() => Err(Fault::Blank),
        _ => Ok(raw.to_owned()),
    }
}
