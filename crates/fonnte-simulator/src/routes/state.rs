//! The state of the simulator as JSON, for the page.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::call::Call;
use crate::device::masked;
use crate::message::ReceivedMessage;
use crate::receiver::WebhookAttempt;
use crate::registry::Registered;
use crate::world::{Incoming, World};

/// How many calls and webhook attempts are shown (chosen).
const SHOWN: usize = 50;

pub(super) fn state(world: &World, messages: usize) -> Value {
    json!({
        "calls": newest(&world.calls, SHOWN).map(call).collect::<Vec<_>>(),
        "calls_seen": world.calls_seen,
        "devices": world.devices.iter().map(device).collect::<Vec<_>>(),
        "incoming": newest(&world.incoming, messages).map(incoming).collect::<Vec<_>>(),
        "messages": newest(&world.messages, messages).map(message).collect::<Vec<_>>(),
        "messages_seen": world.messages_seen,
        "settings": world.global,
        "version": world.version,
        "webhooks": newest(&world.webhooks, SHOWN).map(webhook).collect::<Vec<_>>(),
    })
}

fn newest<T>(list: &std::collections::VecDeque<T>, count: usize) -> impl Iterator<Item = &T> {
    list.iter().skip(list.len().saturating_sub(count))
}

pub(super) fn device(known: &Registered) -> Value {
    let mut switches = json!(known.switches());
    let secret = &mut switches["webhooks"]["secret"];
    if secret.is_string() {
        *secret = Value::from("********");
    }
    json!({
        "account": known.device.account,
        "expired": known.device.expired,
        "max_in_flight": known.max_in_flight,
        "messages": known.accepted,
        "name": known.device.name,
        "number": known.device.number,
        "package": known.device.package,
        "switches": switches,
        "token": masked(&known.token),
    })
}

fn message(message: &ReceivedMessage) -> Value {
    json!({
        "at": time(message.at),
        "body_form": message.body_form,
        "device": &*message.device,
        "id": message.id,
        "message": message.message,
        "requestid": message.requestid,
        "schedule": message.schedule.map(time),
        "state": message.state,
        "stateid": message.stateid,
        "status": message.status,
        "target": message.target,
    })
}

fn incoming(message: &Incoming) -> Value {
    json!({
        "at": time(message.at),
        "device": &*message.device,
        "message": message.text,
        "sender": message.sender,
    })
}

fn call(call: &Call) -> Value {
    json!({
        "answered_at": call.answered_at.map(time),
        "endpoint": call.endpoint,
        "outcome": call.outcome,
        "received_at": time(call.received_at),
        "seq": call.seq,
        "token": call.token.as_deref().map(masked),
    })
}

fn webhook(attempt: &WebhookAttempt) -> Value {
    json!({
        "at": time(attempt.at),
        "attempt": attempt.attempt,
        "device": &*attempt.device,
        "http_status": attempt.outcome.as_ref().ok(),
        "problem": attempt.outcome.as_ref().err(),
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
