//! The endpoints about the device and its messages.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::api::refused;
use crate::error::SimulatorError;
use crate::form::Fields;
use crate::life::is_registered;
use crate::message::MessageStatus;
use crate::reason;
use crate::registry::Holder;
use crate::reply::Members;
use crate::shared::Shared;
use crate::target;
use crate::webhook::{Whose, switch};
use crate::world::World;

/// The most numbers of one `/validate`.
const MOST_TARGETS: usize = 500;

/// `POST /device`
pub(super) fn device(shared: &Shared, token: Option<&str>) -> Members {
    shared.change(|world| {
        let Some(place) = holder(world, token) else {
            return refused(reason::TOKEN_INVALID);
        };
        let known = world.devices.get(place);
        let connection = if known.switches().offline {
            "disconnect"
        } else {
            "connect"
        };
        Members::from([
            ("device", Value::from(&*known.number)),
            ("device_status", Value::from(connection)),
            ("expired", Value::from(known.device.expired.as_str())),
            ("messages", Value::from(known.accepted)),
            ("name", Value::from(known.device.name.as_str())),
            ("package", Value::from(known.device.package.as_str())),
            ("quota", Value::from(known.quota_left().to_string())),
            ("status", Value::from(true)),
        ])
    })
}

/// `POST /validate`
pub(super) async fn validate(shared: &Shared, token: Option<&str>, fields: &Fields) -> Members {
    let begun = shared.change(|world| {
        let place = holder(world, token).ok_or(reason::TOKEN_INVALID)?;
        let known = world.devices.get_mut(place);
        if known.switches().offline {
            return Err(reason::DISCONNECTED_DEVICE);
        }
        known.validations += 1;
        let (spoils, takes) = (
            known.switches().validate_spoils,
            known.switches().validate_ms,
        );
        Ok((known.number.clone(), known.validations, spoils, takes))
    });
    let (device, turn, spoils, takes) = match begun {
        Ok(begun) => begun,
        Err(text) => return refused(text),
    };
    let Some(targets) = fields.get("target") else {
        return refused(reason::TARGET_REQUIRED);
    };
    let country_code = fields.get("countryCode").unwrap_or("62");
    let numbers: Result<Vec<String>, _> = targets
        .split(',')
        .map(|one| target::normalise(one.trim(), country_code))
        .collect();
    let numbers = match numbers {
        Ok(numbers) if numbers.len() <= MOST_TARGETS => numbers,
        _ => return refused(reason::TARGET_INVALID),
    };
    tokio::time::sleep(Duration::from_millis(takes)).await;
    shared.read(|world| {
        let place = world.devices.find_number(&device);
        let newest = place.map_or(turn, |place| world.devices.get(place).validations);
        let is_spoilt = spoils && newest != turn;
        let (registered, not_registered): (Vec<String>, Vec<String>) = numbers
            .into_iter()
            .partition(|number| !is_spoilt && is_registered(world, number));
        Members::from([
            ("not_registered", Value::from(not_registered)),
            ("registered", Value::from(registered)),
            ("status", Value::from(true)),
        ])
    })
}

/// `POST /delete-message`
pub(super) fn delete_message(shared: &Shared, token: Option<&str>, fields: &Fields) -> Members {
    shared.change(|world| {
        let Some(place) = holder(world, token) else {
            return refused(reason::INVALID_TOKEN);
        };
        let device = world.devices.get(place).number.clone();
        let id = fields.get("id").and_then(|id| id.parse::<i64>().ok());
        let message = id.and_then(|id| world.message_mut(id));
        match message.filter(|message| message.device == device) {
            Some(message) if message.status == MessageStatus::Processing => {
                refused(reason::CANNOT_DELETE_PROCESSING)
            }
            Some(message) if !message.status.is_final() => {
                message.status = MessageStatus::Deleted;
                let detail = format!("message {} successfully deleted", message.id);
                Members::from([
                    ("detail", Value::from(detail)),
                    ("status", Value::from(true)),
                ])
            }
            _ => refused(reason::INVALID_MESSAGE_ID),
        }
    })
}

/// `POST /status`
pub(super) fn status(shared: &Shared, token: Option<&str>) -> Members {
    shared.change(|world| match holder(world, token) {
        Some(_) => refused(reason::STATUS_DEPRECATED),
        None => refused(reason::TOKEN_INVALID),
    })
}

/// `POST /disconnect`, whose refusals are in `detail`.
pub(super) fn disconnect(shared: &Arc<Shared>, token: Option<&str>) -> Members {
    let number = shared.change(|world| {
        let place = holder(world, token)?;
        Some(world.devices.get(place).number.clone())
    });
    let outcome = match &number {
        None => Err(reason::TOKEN_INVALID),
        Some(number) => {
            let why = Some("disconnected by the owner");
            let mut was_offline = false;
            let switched = switch(shared, Whose::Number(number), why, |switches| {
                was_offline = std::mem::replace(&mut switches.offline, true);
                Ok::<_, SimulatorError>(())
            });
            match switched {
                Ok(()) if !was_offline => Ok("device disconnected"),
                Ok(()) => Err(reason::ALREADY_DISCONNECTED),
                Err(_) => Err(reason::TOKEN_INVALID),
            }
        }
    };
    let (Ok(detail) | Err(detail)) = outcome;
    Members::from([
        ("detail", Value::from(detail)),
        ("status", Value::from(outcome.is_ok())),
    ])
}

fn holder(world: &mut World, token: Option<&str>) -> Option<usize> {
    match world.devices.holder(token) {
        Holder::Device(place) => Some(place),
        Holder::Unknown | Holder::ManyAccounts => None,
    }
}
