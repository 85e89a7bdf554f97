use actix_web::HttpResponse;
use actix_web::web::Data;
use api_types::{
    AttemptItem, MessageItem, MessageReply, MessagesReply, ResendBody, rfc_3339, wire_name,
};
use domain::requests::{Field, MessageView, PastAttempt, RequestId};
use domain::usecases::{MessageError, ResendOrder};
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use uuid::Uuid;

use super::queue::waiting_item;
use super::submissions::{described, variables};
use crate::access::Caller;
use callers::in_time;

use crate::http::{Answered, CallOrigin, Fields, JsonBody};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::place;

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
    let found = match messages.len() {
        1 => "Found 1 message".to_owned(),
        count => format!("Found {count} messages"),
    };
    let items = messages.into_iter().map(message_item).collect();
    Ok(Answered::ok(&MessagesReply::new(found, items)))
}

/// Send the message of a request once more
///
/// Queues a message to the recipient of the newest one, due at once: of the same template, in the version
/// that is in force, and with the same variables, unless the body names others. A request of an older
/// service gets one of the dealer's default template. The request is then shown as waiting again. Whoever
/// resends a message whose outcome is unknown accepts that the person may get it twice.
#[api_v2_operation(operation_id = "resend_request_message", tags(customer))]
pub(crate) async fn resend_request_message(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
    body: JsonBody<ResendBody>,
    origin: CallOrigin,
) -> Result<Answered<MessageReply>, Problem> {
    let fields = if body.is_absent() {
        Fields::new(vec![place("body")], serde_json::Map::new())
    } else {
        body.fields()?
    };
    let order = ResendOrder {
        template: fields.input(wire_name(Field::Template)),
        variables: variables(fields.value(wire_name(Field::Variables))),
    };
    // What is wrong with the body goes before the request.
    let order = match order.check() {
        Ok(order) => order,
        Err(faults) => return Err(Problem::Invalid(described(&faults, fields))),
    };
    let request = id(&request_id)?;
    let author = caller.author();
    let seen = caller.visibility();
    let doing = api.messages.resend(request, seen, order, &author, origin.0);
    let message = in_time(doing, MessageError::Store)
        .await
        .map_err(|error| match error {
            MessageError::Invalid(faults) => Problem::Invalid(described(&faults, fields)),
            other => other.into(),
        })?;
    tracing::info!(request.id = %request, message.id = %message.message.id, "message queued again");
    let reply = MessageReply::new("Message queued", message_item(message));
    Ok(Answered::with(HttpResponse::Accepted().json(reply)))
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
    let reply = MessageReply::new("Message cancelled", message_item(message));
    Ok(Answered::ok(&reply))
}

fn id(raw: &str) -> Result<RequestId, Problem> {
    let id = Uuid::try_parse(raw).map_err(|_| Problem::UnknownRequest)?;
    Ok(RequestId(id))
}

/// The wire form of a message.
pub(super) fn message_item(MessageView { message, waiting }: MessageView) -> MessageItem {
    let attempts = message.attempts.into_iter();
    MessageItem {
        id: message.id.to_string(),
        kind: message.kind.as_str().into(),
        state: message.state.as_str().into(),
        template: message.template,
        template_version: message.template_version,
        body: message.body,
        target: message.target,
        scheduled_at: rfc_3339(message.scheduled_at),
        created_at: rfc_3339(message.created_at),
        sent_at: message.sent_at.map(rfc_3339),
        delivered_at: message.delivered_at.map(rfc_3339),
        read_at: message.read_at.map(rfc_3339),
        failed_at: message.failed_at.map(rfc_3339),
        attempts: attempts.map(attempt_item).collect(),
        fonnte_id: message.provider_id,
        reason: message.reason,
        waiting: waiting.map(waiting_item),
    }
}

fn attempt_item(attempt: PastAttempt) -> AttemptItem {
    AttemptItem {
        at: rfc_3339(attempt.at),
        outcome: attempt.outcome.as_str().into(),
        detail: attempt.detail,
        duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
    }
}
