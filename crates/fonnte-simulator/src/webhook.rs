//! Reports to a device's receivers: status events in three shapes, changes of the device's connection, and
//! incoming messages.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::SimulatorError;
use crate::message::Stage;
use crate::receiver::WebhookAttempt;
use crate::shared::Shared;
use crate::switches::{IdForm, SecretKey, SenderForm, Shape, Switches, Webhooks};
use crate::world::{ConnectionChange, Incoming, World};

/// The most bytes read of a receiver's answer, which is ignored (chosen).
const MOST_OF_AN_ANSWER: usize = 64 * 1024;

/// A status event as sent. Absent values are left out of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusEvent {
    /// An element of `id` in the answer of `/send`.
    pub id: Option<i64>,
    /// WhatsApp's id.
    pub stateid: Option<String>,
    /// The status in Fonnte's pipeline.
    pub status: Option<String>,
    /// WhatsApp's receipt.
    pub state: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
}

/// A message that comes in. Absent values are left out of the report, except that `timestamp` is now and
/// `inboxid` the next one, where the device's switches do not leave it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IncomingMessage {
    /// Who wrote it: a number, or a group's or a channel's id.
    pub sender: String,
    /// The text, or the caption of media.
    pub message: Option<String>,
    /// The text of a button.
    pub text: Option<String>,
    /// In a group: who of it wrote.
    pub member: Option<String>,
    /// The sender's name in WhatsApp.
    pub name: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
    /// Fonnte's id of it.
    pub inboxid: Option<i64>,
    /// The address of media. Without a caption, `message` says `non-text message` then.
    pub url: Option<String>,
}

/// What `message` says of media without a caption.
const MEDIA: &str = "non-text message";

/// An event to be sent.
#[derive(Clone)]
pub(crate) struct Parcel {
    device: Arc<str>,
    address: String,
    body: Bytes,
    webhooks: Arc<Webhooks>,
    /// The message of the event; once it is dropped, retries end.
    about: Option<i64>,
}

/// The event for a stage of a message, in the shape that its device uses.
pub(crate) fn parcel_for_stage(world: &World, id: i64, stage: Stage) -> Option<Parcel> {
    let message = world.message(id)?;
    let place = world.devices.find_number(&message.device)?;
    let webhooks = &world.devices.get(place).switches().webhooks;
    if webhooks.status_url.is_none() || (stage == Stage::Processing && !webhooks.report_processing)
    {
        return None;
    }
    let shape = match stage {
        Stage::Sent => webhooks.shape_of_sent,
        Stage::Delivered | Stage::Read => webhooks.shape_of_receipts,
        _ => webhooks.shape_of_others,
    };
    let word = stage.word().to_owned();
    let status = if stage.is_receipt() {
        Stage::Sent.word().to_owned()
    } else {
        word.clone()
    };
    let stateid = Some(message.stateid.clone());
    let event = match shape {
        Shape::A => StatusEvent {
            id: Some(id),
            stateid,
            status: Some(status),
            state: Some(word),
            timestamp: None,
        },
        Shape::B => StatusEvent {
            id: Some(id),
            status: Some(word),
            ..StatusEvent::default()
        },
        Shape::C => StatusEvent {
            stateid,
            state: Some(word),
            ..StatusEvent::default()
        },
    };
    parcel_for_event(world, place, event)
}

/// Exactly this event, from this device.
pub(crate) fn parcel_for_event(world: &World, place: usize, event: StatusEvent) -> Option<Parcel> {
    let known = world.devices.get(place);
    let webhooks = &known.switches().webhooks;
    let address = webhooks.status_url.clone()?;
    let mut body = BTreeMap::from([("device", Value::from(&*known.number))]);
    if let Some(id) = event.id {
        let id = match known.switches().id_form {
            IdForm::Number => Value::from(id),
            IdForm::Text => Value::from(id.to_string()),
        };
        body.insert("id", id);
    }
    let texts = [
        ("stateid", event.stateid),
        ("status", event.status),
        ("state", event.state),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            body.insert(key, Value::from(text));
        }
    }
    let now = webhooks.timestamp.then(|| Utc::now().timestamp());
    if let Some(timestamp) = event.timestamp.or(now) {
        body.insert("timestamp", Value::from(timestamp));
    }
    Some(parcel(
        known.number.clone(),
        address,
        body,
        webhooks,
        event.id,
    ))
}

/// The report of an incoming message, which is kept to be shown.
pub(crate) fn parcel_for_incoming(
    world: &mut World,
    place: usize,
    message: IncomingMessage,
) -> Option<Parcel> {
    let inboxid = message.inboxid.unwrap_or_else(|| world.take_inboxid());
    let known = world.devices.get(place);
    let webhooks = &known.switches().webhooks;
    let address = webhooks.incoming_url.clone()?;
    let now = Utc::now();
    let sender = match webhooks.sender_form {
        SenderForm::Number => message.sender.clone(),
        // WhatsApp's id of a person has as many digits, which are not the phone's.
        SenderForm::Lid => format!("{}@lid", message.sender.chars().rev().collect::<String>()),
    };
    let said = match (&message.message, &message.url) {
        (None, Some(_)) => Some(MEDIA.to_owned()),
        (said, _) => said.clone(),
    };
    let mut body = BTreeMap::from([
        ("device", Value::from(&*known.number)),
        ("sender", Value::from(sender)),
        (
            "timestamp",
            Value::from(message.timestamp.unwrap_or_else(|| now.timestamp())),
        ),
    ]);
    let texts = [
        ("message", said.clone()),
        ("text", message.text),
        ("member", message.member),
        ("name", message.name),
        ("url", message.url),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            body.insert(key, Value::from(text));
        }
    }
    if webhooks.inboxid {
        let id = match known.switches().id_form {
            IdForm::Number => Value::from(inboxid),
            IdForm::Text => Value::from(inboxid.to_string()),
        };
        body.insert("inboxid", id);
    }
    let parcel = parcel(known.number.clone(), address, body, webhooks, None);
    world.record_incoming(Incoming {
        at: now,
        device: parcel.device.clone(),
        sender: message.sender,
        text: said,
    });
    Some(parcel)
}

fn parcel(
    device: Arc<str>,
    address: String,
    mut body: BTreeMap<&'static str, Value>,
    webhooks: &Webhooks,
    about: Option<i64>,
) -> Parcel {
    if let Some(secret) = &webhooks.secret {
        let key = match webhooks.secret_key {
            SecretKey::Secret => "secret",
            SecretKey::SecretKey => "secret_key",
        };
        body.insert(key, Value::from(secret.as_str()));
    }
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let webhooks = Arc::new(webhooks.clone());
    Parcel {
        device,
        address,
        body: Bytes::from(body),
        webhooks,
        about,
    }
}

/// Reports to `webhookconnect` that a device went offline or online.
pub(crate) async fn report_connection(shared: Arc<Shared>, change: ConnectionChange) {
    let found = shared.read(|world| {
        let place = world.devices.find_number(&change.number)?;
        let webhooks = &world.devices.get(place).switches().webhooks;
        let address = webhooks.connect_url.clone()?;
        let status = if change.online {
            "connect"
        } else {
            "disconnect"
        };
        let mut body = BTreeMap::from([
            ("device", Value::from(&*change.number)),
            ("status", Value::from(status)),
            ("timestamp", Value::from(Utc::now().timestamp())),
        ]);
        if let Some(reason) = change.reason {
            body.insert("reason", Value::from(reason));
        }
        Some(parcel(change.number.clone(), address, body, webhooks, None))
    });
    if let Some(parcel) = found {
        // The attempts are recorded.
        let _ = deliver(&shared, parcel).await;
    }
}

/// Attempts once, and once more for each duplicate; failures are repeated in the background. Returns the
/// receiver's HTTP status of the first attempt.
pub(crate) async fn deliver(shared: &Arc<Shared>, parcel: Parcel) -> Result<u16, SimulatorError> {
    let mut first = None;
    for _ in 0..=parcel.webhooks.duplicates {
        let outcome = post(shared, &parcel, 1).await;
        let is_over = matches!(outcome, Ok(200)) || parcel.webhooks.attempts <= 1;
        first.get_or_insert(outcome);
        if is_over {
            continue;
        }
        // The bound of waiting events; the rest is dropped.
        if let Ok(place) = Arc::clone(&shared.webhook_retries).try_acquire_owned() {
            shared.spawn(retry(Arc::clone(shared), parcel.clone(), place));
        }
    }
    first.unwrap_or(Err(SimulatorError::NoWebhook))
}

async fn retry(shared: Arc<Shared>, parcel: Parcel, _place: OwnedSemaphorePermit) {
    for attempt in 2..=parcel.webhooks.attempts {
        tokio::time::sleep(Duration::from_millis(parcel.webhooks.retry_interval_ms)).await;
        let forgotten = parcel
            .about
            .is_some_and(|id| shared.read(|world| world.message(id).is_none()));
        if forgotten || matches!(post(&shared, &parcel, attempt).await, Ok(200)) {
            return;
        }
    }
}

/// Attempts once; returns the receiver's HTTP status.
pub(crate) async fn post(
    shared: &Shared,
    parcel: &Parcel,
    attempt: u32,
) -> Result<u16, SimulatorError> {
    // Closed only with the simulator; then the limit would be off, not the post.
    let _place = shared.webhook_places.acquire().await;
    let limit = Duration::from_millis(parcel.webhooks.timeout_ms);
    let outcome = match tokio::time::timeout(limit, request(shared, parcel)).await {
        Ok(outcome) => outcome,
        Err(_) => Err("no answer in time".to_owned()),
    };
    let record = WebhookAttempt {
        at: Utc::now(),
        device: parcel.device.clone(),
        body: String::from_utf8_lossy(&parcel.body).into_owned(),
        attempt,
        outcome: outcome.clone(),
    };
    shared.change(|world| world.record_webhook(record));
    outcome.map_err(|problem| SimulatorError::Webhook { problem })
}

async fn request(shared: &Shared, parcel: &Parcel) -> Result<u16, String> {
    let request = Request::post(parcel.address.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "fonnte-simulator")
        .body(Full::new(parcel.body.clone()))
        .map_err(|error| error.to_string())?;
    match shared.webhook_client.request(request).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // Read to the end, so that the connection can carry the next event.
            let _ = Limited::new(answer.into_body(), MOST_OF_AN_ANSWER)
                .collect()
                .await;
            Ok(status)
        }
        Err(error) => Err(match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }),
    }
}

/// The owner of switches.
pub(crate) enum Whose<'a> {
    Token(&'a str),
    Number(&'a str),
}

/// Changes a device's switches, all or nothing, and reports a changed connection.
pub(crate) fn switch<E: From<SimulatorError>>(
    shared: &Arc<Shared>,
    whose: Whose<'_>,
    reason: Option<&'static str>,
    act: impl FnOnce(&mut Switches) -> Result<(), E>,
) -> Result<(), E> {
    let change = shared.change(|world| {
        let place = match whose {
            Whose::Token(token) => world.devices.find_token(token),
            Whose::Number(number) => world.devices.find_number(number),
        };
        let place = place.ok_or(SimulatorError::UnknownDevice)?;
        let mut switches = world.devices.get(place).switches().clone();
        act(&mut switches)?;
        Ok::<_, E>(world.set_switches(place, switches, reason)?)
    })?;
    if let Some(change) = change {
        shared.connection_changed.notify_waiters();
        shared.spawn(report_connection(Arc::clone(shared), change));
    }
    Ok(())
}
