use actix_web::HttpResponse;
use actix_web::web::Data;
use domain::{MessageError, MessageView, PastAttempt, RequestId};
use paperclip::actix::web::Path;
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;
use uuid::Uuid;

use super::queue::WaitingItem;
use super::rfc_3339;
use crate::access::Caller;
use crate::deadline::in_time;
use crate::http::{Answered, CallOrigin};
use crate::problem::Problem;
use crate::state::Api;

/// The messages of a request.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct MessagesReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: String,
    /// The messages, oldest first.
    data: Vec<MessageItem>,
}

/// A message that was queued or stopped.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct MessageReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: MessageItem,
}

/// A message and what happened to it. Times are RFC 3339 in UTC.
#[derive(Serialize, Apiv2Schema)]
pub(crate) struct MessageItem {
    /// The id of the message.
    id: String,
    /// What it was made for: `live`, a single submission or a resend; `bulk`; `test`.
    kind: &'static str,
    /// `QUEUED`: waits for its turn, its time or its next try. `SENDING`: a call is in flight, or its
    /// outcome is not decided yet. `SENT`, then `DELIVERED`, then `READ`: accepted by Fonnte,
    /// confirmed on the phone, read. `FAILED`: refused for good. `UNKNOWN`: it may have been sent, a
    /// person must decide. `CANCELLED`, `EXPIRED`: stopped, or too old, before it was sent.
    state: &'static str,
    /// The name of the template it was made from.
    template: String,
    /// The version of the template; null for the built-in one.
    template_version: Option<u32>,
    /// The text.
    body: String,
    /// The recipient's phone, `08…`.
    target: String,
    /// When it may, or might, first be sent: `sendAt`, or when it was queued.
    scheduled_at: String,
    /// When it was queued.
    created_at: String,
    /// When Fonnte accepted it.
    sent_at: Option<String>,
    /// When it was confirmed on the phone.
    delivered_at: Option<String>,
    /// When it was read.
    read_at: Option<String>,
    /// When it failed, expired, was cancelled, or was left to a person.
    failed_at: Option<String>,
    /// The calls to Fonnte, oldest first; of more than 50 the first five and the last.
    attempts: Vec<AttemptItem>,
    /// Fonnte's id of the message.
    fonnte_id: Option<String>,
    /// Why it ended as it did; null while it is on its way and when it was sent.
    reason: Option<String>,
    /// Why it waits; null when it is finished, while a call for it is in flight, and in the moment before
    /// that.
    waiting: Option<WaitingItem>,
}

impl std::fmt::Debug for MessageItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageItem")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A call to Fonnte.
#[derive(Serialize, Apiv2Schema)]
pub(crate) struct AttemptItem {
    /// When its outcome was recorded.
    at: String,
    /// `accepted`; `refused`: for good; `blocked`: the account cannot send; `not_sent`: nothing
    /// reached Fonnte, or it asked for patience; `unknown`: it may have been sent.
    outcome: &'static str,
    /// What Fonnte said, or what went wrong.
    detail: String,
    /// How long the call took, in milliseconds.
    duration_ms: u64,
}

impl std::fmt::Debug for AttemptItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttemptItem")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// List the messages of a request
///
/// Oldest first, each with its attempts. A request of an older service has none until one is resent.
#[api_v2_operation(operation_id = "list_request_messages", tags(customer))]
pub(crate) async fn list_request_messages(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
) -> Result<Answered<MessagesReply>, Problem> {
    let request = id(&request_id)?;
    let timeline = api.messages.timeline(request, caller.visibility());
    let messages = in_time(timeline, MessageError::Store).await?;
    Ok(Answered::ok(&MessagesReply {
        success: true,
        message: match messages.len() {
            1 => "Found 1 message".to_owned(),
            count => format!("Found {count} messages"),
        },
        data: messages.into_iter().map(MessageItem::from).collect(),
    }))
}

/// Send the message of a request once more
///
/// Queues a message with the text and the recipient of the newest one, due at once; a request of an
/// older service gets the built-in message. The request is then shown as waiting again. Whoever
/// resends a message whose outcome is unknown accepts that the person may get it twice.
#[api_v2_operation(operation_id = "resend_request_message", tags(customer))]
pub(crate) async fn resend_request_message(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
    origin: CallOrigin,
) -> Result<Answered<MessageReply>, Problem> {
    let request = id(&request_id)?;
    let author = caller.author();
    let seen = caller.visibility();
    let doing = api.messages.resend(request, seen, &author, origin.0);
    let message = in_time(doing, MessageError::Store).await?;
    tracing::info!(request.id = %request, message.id = %message.message.id, "message queued again");
    Ok(Answered::with(HttpResponse::Accepted().json(
        MessageReply {
            success: true,
            message: "Message queued",
            data: message.into(),
        },
    )))
}

/// Stop the message of a request
///
/// Only while it is queued, also when it is scheduled; the request is then shown as failed. Should
/// Fonnte turn out to have it all the same, it becomes `SENT`.
#[api_v2_operation(operation_id = "cancel_request_message", tags(customer))]
pub(crate) async fn cancel_request_message(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
) -> Result<Answered<MessageReply>, Problem> {
    let request = id(&request_id)?;
    let author = caller.author();
    let doing = api.messages.cancel(request, caller.visibility(), &author);
    let message = in_time(doing, MessageError::Store).await?;
    tracing::info!(request.id = %request, message.id = %message.message.id, "message cancelled");
    Ok(Answered::ok(&MessageReply {
        success: true,
        message: "Message cancelled",
        data: message.into(),
    }))
}

fn id(raw: &str) -> Result<RequestId, Problem> {
    let id = Uuid::try_parse(raw).map_err(|_| Problem::UnknownRequest)?;
    Ok(RequestId(id))
}

impl From<MessageView> for MessageItem {
    fn from(MessageView { message, waiting }: MessageView) -> Self {
        Self {
            id: message.id.to_string(),
            kind: message.kind.as_str(),
            state: message.state.as_str(),
            template: message.template,
            template_version: None,
            body: message.body,
            target: message.target,
            scheduled_at: rfc_3339(message.scheduled_at),
            created_at: rfc_3339(message.created_at),
            sent_at: message.sent_at.map(rfc_3339),
            delivered_at: message.delivered_at.map(rfc_3339),
            read_at: message.read_at.map(rfc_3339),
            failed_at: message.failed_at.map(rfc_3339),
            attempts: message
                .attempts
                .into_iter()
                .map(AttemptItem::from)
                .collect(),
            fonnte_id: message.provider_id,
            reason: message.reason,
            waiting: waiting.map(WaitingItem::from),
        }
    }
}

impl From<PastAttempt> for AttemptItem {
    fn from(attempt: PastAttempt) -> Self {
        Self {
            at: rfc_3339(attempt.at),
            outcome: attempt.outcome.as_str(),
            detail: attempt.detail,
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
