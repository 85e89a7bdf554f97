//! Faults of a dealer's settings, in the form of all faults.

use domain::{SettingFault, SettingField};
use serde_json::{Map, Value, json};

use crate::validation::{FaultBody, Place};

/// What is shown in place of a secret that was refused.
const HIDDEN: &str = "**********";

/// Where a setting stands in the body.
fn path(field: SettingField) -> &'static [&'static str] {
    match field {
        SettingField::ApiKey => &["fonnte_api_key"],
        SettingField::ApiUrl => &["fonnte_api_url"],
        SettingField::MinInterval => &["min_interval_ms"],
        SettingField::Jitter => &["jitter_ms"],
        SettingField::DailyLimit => &["daily_limit"],
        SettingField::QuietHours => &["quiet_hours"],
        SettingField::QuietFrom => &["quiet_hours", "from"],
        SettingField::QuietTo => &["quiet_hours", "to"],
        SettingField::OnUnknown => &["on_unknown"],
        SettingField::ExclusiveDevice => &["exclusive_device"],
        SettingField::WebhookSecret => &["webhook_secret"],
        SettingField::DefaultTemplate => &["default_template"],
    }
}

/// A fault with what was sent; a secret is not repeated.
pub(super) fn describe(
    field: SettingField,
    fault: SettingFault,
    fields: &Map<String, Value>,
) -> FaultBody {
    let path = path(field);
    let mut place = vec![Place::Name("body")];
    place.extend(path.iter().copied().map(Place::Name));
    let first = path.first().and_then(|name| fields.get(*name));
    let sent = path
        .iter()
        .skip(1)
        .fold(first, |value, name| value?.get(*name));
    let input = match field {
        _ if fault == SettingFault::Missing => Value::Null,
        SettingField::ApiKey | SettingField::WebhookSecret => Value::from(HIDDEN),
        _ => sent.cloned().unwrap_or(Value::Null),
    };
    let (kind, msg, ctx) = words(fault);
    FaultBody::at(kind, place, msg, input, ctx)
}

fn words(fault: SettingFault) -> (&'static str, String, Option<Value>) {
    let plain = |kind, text: &str| (kind, text.to_owned(), None);
    let value_error = |text: &str| ("value_error", format!("Value error, {text}"), None);
    match fault {
        SettingFault::Missing => plain("missing", "Field required"),
        SettingFault::NotText => plain("string_type", "Input should be a valid string"),
        SettingFault::NotWhole => plain("int_type", "Input should be a valid integer"),
        SettingFault::NotFlag => plain("bool_type", "Input should be a valid boolean"),
        SettingFault::NotTimes => plain(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        ),
        SettingFault::TooSmall(least) => (
            "greater_than_equal",
            format!("Input should be greater than or equal to {least}"),
            Some(json!({ "ge": least })),
        ),
        SettingFault::TooLarge(most) => (
            "less_than_equal",
            format!("Input should be less than or equal to {most}"),
            Some(json!({ "le": most })),
        ),
        SettingFault::TooShort(min) => (
            "string_too_short",
            format!(
                "String should have at least {}",
                crate::validation::characters(min)
            ),
            Some(json!({ "min_length": min })),
        ),
        SettingFault::TooLong(max) => (
            "string_too_long",
            format!(
                "String should have at most {}",
                crate::validation::characters(max)
            ),
            Some(json!({ "max_length": max })),
        ),
        SettingFault::NotAKey => {
            value_error("Expected one device token of Fonnte: visible ASCII without a comma")
        }
        SettingFault::AddressNotAllowed => value_error(
            "Expected an https address without user information or query on one of the allowed hosts",
        ),
        SettingFault::NotATime => value_error("Expected a time of day in the form HH:MM"),
        SettingFault::SameTimes => value_error("Quiet hours must begin and end at different times"),
        SettingFault::NotAChoice => value_error("Expected hold or resend"),
        SettingFault::NotVisible => value_error("Expected 1 to 255 visible ASCII characters"),
        SettingFault::UnknownTemplate => value_error("There is no template of that name"),
        SettingFault::NoSecretsKey => {
            value_error("Secrets cannot be stored, because the service has no SECRETS_KEY")
        }
    }
}
