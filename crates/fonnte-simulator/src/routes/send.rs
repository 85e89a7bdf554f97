//! `POST /send`.

use std::sync::Arc;

use chrono::Utc;
use serde_json::{Value, json};

use super::api::{bad_token, refusal};
use crate::form::{Fields, Undecodable};
use crate::life;
use crate::message::{MessageStatus, ReceivedMessage};
use crate::order::{self, BadOrder, Order};
use crate::reason;
use crate::registry::Holder;
use crate::reply::Members;
use crate::shared::Shared;
use crate::switches::{IdForm, TextForm};
use crate::target::replace_variables;
use crate::world::World;

const QUEUED: &str = "success! message in queue";
const SCHEDULED: &str = "success! message will be sent on scheduled time";
const SERVER_ISSUE: &str = "success! message pending due to server issue, will be sent later";

pub(super) async fn send(
    shared: &Arc<Shared>,
    token: Option<&str>,
    fields: Result<Fields, Undecodable>,
) -> Members {
    let orders = match &fields {
        Ok(fields) => order::read(fields),
        Err(Undecodable) => Err(BadOrder::Field(reason::INVALID_BODY_VALUE)),
    };
    let (members, ids) = shared.change(|world| decide(world, token, fields, orders));
    life::begin(shared, &ids).await;
    members
}

/// The checks in their order: body, token, device, fields, target, quota; then the queue.
fn decide(
    world: &mut World,
    token: Option<&str>,
    fields: Result<Fields, Undecodable>,
    orders: Result<Vec<Order>, BadOrder>,
) -> (Members, Vec<i64>) {
    let refuse = |world: &mut World, text: &str| (refusal(world, text, true), Vec::new());
    let Ok(fields) = fields else {
        return refuse(world, reason::INVALID_BODY_VALUE);
    };
    let place = match world.devices.holder(token) {
        Holder::Device(place) => place,
        Holder::Unknown => {
            let text = bad_token(world);
            return refuse(world, text);
        }
        Holder::ManyAccounts => return refuse(world, reason::DEVICES_OF_MANY_ACCOUNTS),
    };
    let known = world.devices.get(place);
    let switches = known.switches();
    if switches.offline && order::connect_only(&fields) {
        return refuse(world, reason::DISCONNECTED_DEVICE);
    }
    let orders = match (orders, switches.bad_target_form) {
        (Ok(orders), _) => orders,
        (Err(BadOrder::Field(text)), _) => return refuse(world, text),
        (Err(BadOrder::Target), TextForm::Recorded) => {
            return refuse(world, reason::TARGET_INPUT_INVALID);
        }
        (Err(BadOrder::Target), TextForm::Documented) => {
            return refuse(world, reason::TARGET_INVALID);
        }
    };
    let mut inbox_ids = orders.iter().filter_map(|order| order.inbox_id);
    if !inbox_ids.all(|id| switches.inbox_ids.contains(&id)) {
        return refuse(world, reason::UNKNOWN_INBOX_ID);
    }
    let count = orders
        .iter()
        .map(|order| order.targets.len())
        .sum::<usize>();
    let used = i64::try_from(count).unwrap_or(i64::MAX);
    if known.quota_left() < used {
        return refuse(world, reason::INSUFFICIENT_QUOTA);
    }
    queue(world, place, fields, orders, used)
}

fn queue(
    world: &mut World,
    place: usize,
    fields: Fields,
    orders: Vec<Order>,
    used: i64,
) -> (Members, Vec<i64>) {
    let requestid = world.take_requestid();
    let known = world.devices.get_mut(place);
    let quota = known.device.switches.quota;
    known.device.switches.quota -= used;
    known.accepted += used.unsigned_abs();
    let (token, device) = (known.token.clone(), known.number.clone());
    let switches = known.switches();
    let (quota_object, id_form) = (switches.quota_object, switches.id_form);
    let (replace_always, server_issue) = (switches.replace_always, switches.server_issue);

    let at = Utc::now();
    let is_scheduled = orders.iter().any(|order| order.schedule.is_some());
    let body_form = fields.form;
    let fields = Arc::new(fields.pairs);
    let mut ids = Vec::new();
    let mut targets = Vec::new();
    for order in orders {
        for target in order.targets {
            let message = replace_variables(&order.message, &target.variables, replace_always);
            targets.push(Value::from(target.number.as_str()));
            ids.push(world.add_message(|id| ReceivedMessage {
                at,
                token: token.clone(),
                device: device.clone(),
                target: target.number,
                message,
                id,
                requestid,
                status: match order.schedule {
                    Some(_) => MessageStatus::Waiting,
                    None => MessageStatus::Pending,
                },
                state: None,
                stateid: stateid(id),
                schedule: order.schedule,
                body_form,
                fields: Arc::clone(&fields),
            }));
        }
    }

    let detail = match (server_issue, is_scheduled) {
        (true, _) => SERVER_ISSUE,
        (_, true) => SCHEDULED,
        _ => QUEUED,
    };
    let shown_ids = shown(&ids, id_form);
    let mut members = accepted(detail, shown_ids, requestid, Value::from(targets));
    if quota_object {
        members.insert("quota", json!({ &*device: figures(quota, used) }));
    }
    (members, ids)
}

/// The answer about accepted messages.
fn accepted(detail: &str, ids: Value, requestid: i64, targets: Value) -> Members {
    Members::from([
        ("detail", Value::from(detail)),
        ("id", ids),
        ("process", Value::from("pending")),
        ("requestid", Value::from(requestid)),
        ("status", Value::from(true)),
        ("target", targets),
    ])
}

/// The quota before and after.
fn figures(quota: i64, used: i64) -> Value {
    json!({
        "details": "deduced from total quota",
        "quota": quota,
        "remaining": quota - used,
        "used": used,
    })
}

/// Ids in the form of this device's answers.
fn shown(ids: &[i64], form: IdForm) -> Value {
    let shown = ids.iter().map(|id| match form {
        IdForm::Number => Value::from(*id),
        IdForm::Text => Value::from(id.to_string()),
    });
    shown.collect()
}

/// An id in WhatsApp's form, fixed for each message.
fn stateid(id: i64) -> String {
    format!(
        "3EB0{:016X}",
        id.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15)
    )
}
