//! The simulated API: endpoints, and the faults of a call.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Unread, device, method_not_allowed, read_body, send};
use crate::call::CallOutcome;
use crate::fault::{Fault, FaultBody};
use crate::form::{self, Fields};
use crate::open_call::OpenCall;
use crate::reason;
use crate::reply::{AnswerBody, Dropped, Members, Reply};
use crate::shared::Shared;
use crate::switches::TextForm;
use crate::world::World;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Send,
    Device,
    Validate,
    DeleteMessage,
    Status,
    Disconnect,
}

/// The API's own answer, before faults are applied.
enum Said {
    Members(Members),
    Other(Reply),
}

impl Endpoint {
    const ALL: [(&'static str, Self); 6] = [
        ("/send", Self::Send),
        ("/device", Self::Device),
        ("/validate", Self::Validate),
        ("/delete-message", Self::DeleteMessage),
        ("/status", Self::Status),
        ("/disconnect", Self::Disconnect),
    ];
}

pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Dropped> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_end_matches('/');
    let known = Endpoint::ALL.into_iter().find(|(known, _)| *known == path);
    let (name, endpoint) = match known {
        Some((name, endpoint)) => (Cow::Borrowed(name), Some(endpoint)),
        None => (Cow::Owned(path.to_owned()), None),
    };
    let token = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token: Option<Arc<str>> = token.map(|token| Arc::from(token.trim()));
    let is_send = endpoint == Some(Endpoint::Send);

    let call = OpenCall::begin(&shared, name, token.clone(), is_send);
    let next = shared.change(|world| world.take_fault(token.as_deref(), is_send));
    if let Some(Fault::Drop { queued: false }) = next.fault {
        call.end(CallOutcome::Dropped);
        return Err(Dropped);
    }

    let said = match read_body(body).await {
        Err(Unread::ClientLeft) => return Err(Dropped),
        Err(Unread::TooLarge) => Some(Said::Other(too_large())),
        Ok(_) if !next.fault.as_ref().is_none_or(Fault::handles_the_call) => None,
        Ok(body) => Some(say(&shared, endpoint, &head, token.as_deref(), body).await),
    };
    if let Some(ms) = next.slow_ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    let reply = match &next.fault {
        Some(Fault::Hang { .. }) => match std::future::pending::<Infallible>().await {},
        Some(Fault::Drop { .. }) => {
            call.end(CallOutcome::Dropped);
            return Err(Dropped);
        }
        Some(Fault::Truncate) => {
            let response = plain(said).broken();
            call.end(CallOutcome::Truncated);
            return Ok(response);
        }
        Some(Fault::Reason { text }) => {
            Reply::json(&shared.change(|world| refusal(world, text, is_send)))
        }
        Some(fault) => spoil(fault, said),
        None => plain(said),
    };
    call.end(CallOutcome::Answered {
        http_status: reply.status.as_u16(),
    });
    Ok(reply.whole())
}

fn too_large() -> Reply {
    Reply::text(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

async fn say(
    shared: &Arc<Shared>,
    endpoint: Option<Endpoint>,
    head: &Parts,
    token: Option<&str>,
    body: Bytes,
) -> Said {
    let Some(endpoint) = endpoint else {
        return Said::Other(Reply::text(StatusCode::NOT_FOUND, "Not Found"));
    };
    if head.method != Method::POST {
        return Said::Other(method_not_allowed("POST"));
    }
    let content_type = head
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let fields = form::parse(content_type, body).await;
    if let (Endpoint::Send, Ok(fields)) = (endpoint, &fields)
        && let Some(status) = shared.read(|world| forbidden(world, token, fields))
    {
        return Said::Other(Reply::html(status, gateway_page(status)));
    }
    Said::Members(match (endpoint, fields) {
        (Endpoint::Send, fields) => send::send(shared, token, fields).await,
        (_, Err(form::Undecodable)) => refused(reason::INVALID_BODY_VALUE),
        (Endpoint::Device, Ok(_)) => device::device(shared, token),
        (Endpoint::Validate, Ok(fields)) => device::validate(shared, token, &fields).await,
        (Endpoint::DeleteMessage, Ok(fields)) => device::delete_message(shared, token, &fields),
        (Endpoint::Status, Ok(_)) => device::status(shared, token),
        (Endpoint::Disconnect, Ok(_)) => device::disconnect(shared, token),
    })
}

/// The HTTP status of a firewall's refusal of this message, if any.
fn forbidden(world: &World, token: Option<&str>, fields: &Fields) -> Option<StatusCode> {
    let place = world.devices.find_token(token?)?;
    let switches = world.devices.get(place).switches();
    let text = switches.forbidden_text.as_deref()?;
    let message = fields.get("message")?;
    let status = StatusCode::from_u16(switches.forbidden_status).ok()?;
    message.contains(text).then_some(status)
}

fn plain(said: Option<Said>) -> Reply {
    match said {
        Some(Said::Members(members)) => Reply::json(&members),
        Some(Said::Other(reply)) => reply,
        None => Reply::empty(StatusCode::OK),
    }
}

/// Applies a fault to an answer.
fn spoil(fault: &Fault, said: Option<Said>) -> Reply {
    match (fault, said) {
        (
            Fault::Http {
                status,
                body,
                retry_after,
                location,
                ..
            },
            said,
        ) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut reply = match body {
                FaultBody::Html => Reply::html(status, gateway_page(status)),
                FaultBody::Json => Reply::value(status, &json!({"message": "Server Error"})),
                FaultBody::Empty => Reply::empty(status),
                FaultBody::Answer => plain(said).under(status),
            };
            if let Some(seconds) = retry_after {
                reply = reply.with(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            if let Some(Ok(address)) = location.as_deref().map(HeaderValue::from_str) {
                reply = reply.with(header::LOCATION, address);
            }
            reply
        }
        (Fault::CutJson, said) => plain(said).cut(),
        (fault, Some(Said::Members(mut members))) => {
            let status = members.remove("status").or(members.remove("Status"));
            match (fault, status) {
                (Fault::TextStatus, Some(status)) => {
                    members.insert("status", Value::from(status.to_string()));
                }
                (Fault::CapitalStatus, Some(status)) => {
                    members.insert("Status", status);
                }
                _ => {}
            }
            Reply::json(&members)
        }
        (_, said) => plain(said),
    }
}

/// An error page of a proxy in front.
fn gateway_page(status: StatusCode) -> String {
    let title = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Error")
    );
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// A refusal by an endpoint other than `/send`.
pub(super) fn refused(text: &str) -> Members {
    Members::from([
        ("reason", Value::from(text)),
        ("status", Value::from(false)),
    ])
}

/// A refusal by any endpoint; by `/send` with `requestid`, except for the recorded bad token.
pub(super) fn refusal(world: &mut World, text: &str, is_send: bool) -> Members {
    let mut members = refused(text);
    if !is_send || text == reason::INVALID_TOKEN {
        return members;
    }
    members.insert("requestid", Value::from(world.take_requestid()));
    if [reason::TOKEN_INVALID, reason::DEVICES_OF_MANY_ACCOUNTS].contains(&text) {
        members.remove("status");
        members.insert("Status", Value::from(false));
    }
    members
}

/// The text for a bad token, as switched.
pub(super) fn bad_token(world: &World) -> &'static str {
    match world.global.bad_token_form {
        TextForm::Recorded => reason::INVALID_TOKEN,
        TextForm::Documented => reason::TOKEN_INVALID,
    }
}
