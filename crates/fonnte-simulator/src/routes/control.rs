//! The controls below `/_simulator/`.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Unread, method_not_allowed, read_body, state};
use crate::device::Device;
use crate::error::SimulatorError;
use crate::life;
use crate::message::Stage;
use crate::receiver::is_loopback_host;
use crate::reply::{Dropped, Reply};
use crate::shared::Shared;
use crate::webhook::{self, IncomingMessage, StatusEvent, Whose, switch};

/// The default number of messages in the state (chosen).
const MESSAGES: usize = 200;

/// Why a control failed.
enum Problem {
    Simulator(SimulatorError),
    NotJson(String),
    BadBody(String),
}

/// An event to report: a stage of a message, or the fields of an event.
#[derive(Deserialize)]
struct EventBody {
    #[serde(default)]
    stage: Option<Stage>,
    #[serde(default)]
    device: Option<String>,
    #[serde(flatten)]
    event: StatusEvent,
}

/// A message that comes in for a device.
#[derive(Deserialize)]
struct IncomingBody {
    device: String,
    #[serde(flatten)]
    message: IncomingMessage,
}

/// Whether a browser's call comes from the simulator's own page and through this machine's own name (no DNS
/// rebinding): other pages must not read the messages.
pub(super) fn comes_from_here<B>(request: &Request<B>) -> bool {
    let text = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    let host = text(header::HOST).unwrap_or("");
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let own = format!("http://{host}");
    is_loopback_host(name) && text(header::ORIGIN).is_none_or(|origin| origin == own)
}

pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let (head, body) = request.into_parts();
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(Unread::ClientLeft) => return Err(Dropped),
        Err(Unread::TooLarge) => {
            return Ok(Reply::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Request Entity Too Large",
            ));
        }
    };
    let path = head.uri.path().trim_end_matches('/');
    let route = path.strip_prefix("/_simulator/").unwrap_or_default();
    let device = route.strip_prefix("devices/");
    let outcome = match (&head.method, route, device) {
        (&Method::GET, "state", _) => Ok(show(&shared, head.uri.query().unwrap_or_default())),
        (&Method::POST, "clear", _) => {
            shared.clear();
            Ok(done())
        }
        (&Method::POST, "event", _) => event(&shared, &body).await,
        (&Method::POST, "incoming", _) => incoming(&shared, &body).await,
        (&Method::PATCH, "settings", _) => patch_settings(&shared, &body),
        (&Method::POST, "devices", _) => add_device(&shared, &body),
        (&Method::PATCH, _, Some(number)) => patch_device(&shared, number, &body),
        (&Method::DELETE, _, Some(number)) => remove_device(&shared, number),
        (_, "state", _) => Ok(method_not_allowed("GET")),
        (_, "clear" | "event" | "incoming" | "devices", _) => Ok(method_not_allowed("POST")),
        (_, "settings", _) => Ok(method_not_allowed("PATCH")),
        (_, _, Some(_)) => Ok(method_not_allowed("PATCH, DELETE")),
        _ => Ok(failure(StatusCode::NOT_FOUND, "no such control")),
    };
    Ok(outcome.unwrap_or_else(Problem::into_reply))
}

fn show(shared: &Shared, query: &str) -> Reply {
    let query: HashMap<String, String> = serde_urlencoded::from_str(query).unwrap_or_default();
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let count = number("messages").and_then(|count| usize::try_from(count).ok());
    let state = shared.read(|world| {
        let is_news = number("since") != Some(world.version);
        is_news.then(|| state::state(world, count.unwrap_or(MESSAGES)))
    });
    match state {
        Some(state) => Reply::value(StatusCode::OK, &state),
        None => Reply::empty(StatusCode::NO_CONTENT),
    }
}

async fn event(shared: &Arc<Shared>, body: &[u8]) -> Result<Reply, Problem> {
    let EventBody {
        stage,
        device,
        event,
    } = read(body)?;
    let http_status = match (stage, event.id, &event.stateid) {
        (Some(stage), Some(id), _) => life::advance(shared, id, stage).await?,
        (Some(stage), None, Some(stateid)) => {
            let id = shared.read(|world| world.id_of_stateid(stateid));
            let id = id.ok_or(SimulatorError::UnknownMessage)?;
            life::advance(shared, id, stage).await?
        }
        (Some(_), None, None) => return Err(SimulatorError::UnknownMessage.into()),
        (None, ..) => {
            let parcel = shared.read(|world| {
                let number = device.as_deref().ok_or(SimulatorError::UnknownDevice)?;
                let place = world
                    .devices
                    .find_number(number)
                    .ok_or(SimulatorError::UnknownDevice)?;
                webhook::parcel_for_event(world, place, event).ok_or(SimulatorError::NoWebhook)
            })?;
            Some(webhook::post(shared, &parcel, 1).await?)
        }
    };
    Ok(Reply::value(
        StatusCode::OK,
        &json!({ "http_status": http_status, "ok": true }),
    ))
}

async fn incoming(shared: &Arc<Shared>, body: &[u8]) -> Result<Reply, Problem> {
    let IncomingBody { device, message } = read(body)?;
    let place = shared.read(|world| world.devices.find_number(&device));
    let place = place.ok_or(SimulatorError::UnknownDevice)?;
    let http_status = life::receive(shared, place, message).await?;
    Ok(Reply::value(
        StatusCode::OK,
        &json!({ "http_status": http_status, "ok": true }),
    ))
}

fn patch_settings(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let patch = read(body)?;
    shared.change(|world| {
        let settings = patched(&world.global, patch)?;
        crate::GlobalSwitches::check(&settings)?;
        world.global = settings;
        Ok(Reply::value(StatusCode::OK, &json!(world.global)))
    })
}

fn add_device(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let device: Device = read(body)?;
    let number = device.number.clone();
    shared.change(|world| world.devices.add(device))?;
    Ok(shown_device(shared, &number, StatusCode::CREATED))
}

fn patch_device(shared: &Arc<Shared>, number: &str, body: &[u8]) -> Result<Reply, Problem> {
    let patch: Value = read(body)?;
    switch(shared, Whose::Number(number), None, |switches| {
        *switches = patched(switches, patch)?;
        Ok::<_, Problem>(())
    })?;
    Ok(shown_device(shared, number, StatusCode::OK))
}

fn remove_device(shared: &Shared, number: &str) -> Result<Reply, Problem> {
    let removed = shared.change(|world| world.devices.remove(number));
    removed.ok_or(SimulatorError::UnknownDevice)?;
    shared.connection_changed.notify_waiters();
    Ok(done())
}

fn shown_device(shared: &Shared, number: &str, status: StatusCode) -> Reply {
    let shown = shared.read(|world| {
        let place = world.devices.find_number(number)?;
        Some(state::device(world.devices.get(place)))
    });
    Reply::value(status, &shown.unwrap_or_default())
}

/// A merge patch: an absent field stays, null resets to the default, lists are replaced.
fn patched<T: serde::Serialize + DeserializeOwned>(old: &T, patch: Value) -> Result<T, Problem> {
    let mut value = json!(old);
    merge(&mut value, patch);
    serde_json::from_value(value).map_err(|error| Problem::BadBody(error.to_string()))
}

fn merge(value: &mut Value, patch: Value) {
    match (value, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (name, new) in patch {
                if new.is_null() {
                    members.remove(&name);
                } else {
                    merge(members.entry(name).or_insert(Value::Null), new);
                }
            }
        }
        (value, patch) => *value = patch,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Problem::NotJson(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| Problem::BadBody(error.to_string()))
}

fn done() -> Reply {
    Reply::value(StatusCode::OK, &json!({ "ok": true }))
}

fn failure(status: StatusCode, text: &str) -> Reply {
    Reply::value(status, &json!({ "error": text }))
}

impl Problem {
    fn into_reply(self) -> Reply {
        let error = match self {
            Self::NotJson(text) => return failure(StatusCode::BAD_REQUEST, &text),
            Self::BadBody(text) => return failure(StatusCode::UNPROCESSABLE_ENTITY, &text),
            Self::Simulator(error) => error,
        };
        let status = match &error {
            SimulatorError::UnknownDevice | SimulatorError::UnknownMessage => StatusCode::NOT_FOUND,
            SimulatorError::DeviceExists | SimulatorError::NoWebhook => StatusCode::CONFLICT,
            SimulatorError::NotLoopback { .. } | SimulatorError::BadValue { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            SimulatorError::Webhook { .. } => StatusCode::BAD_GATEWAY,
            SimulatorError::Listen { .. }
            | SimulatorError::Start(_)
            | SimulatorError::TimedOut { .. }
            | SimulatorError::Stopped => StatusCode::INTERNAL_SERVER_ERROR,
        };
        failure(status, &error.to_string())
    }
}

impl From<SimulatorError> for Problem {
    fn from(error: SimulatorError) -> Self {
        Self::Simulator(error)
    }
}
