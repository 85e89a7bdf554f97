//! The merge patch of a dealer's settings, and its faults.

use domain::settings::{RawQuietHours, SettingField, SettingsPatch};
use domain::usecases::DealerAdministrationError;
use serde_json::Value;

use crate::http::{Fields, input};
use crate::problem::Problem;

/// Reads a body.
pub(super) fn patch(fields: &Fields) -> SettingsPatch {
    SettingsPatch {
        api_key: fields.input("fonnte_api_key"),
        api_url: fields.input("fonnte_api_url"),
        min_interval_ms: fields.input("min_interval_ms"),
        jitter_ms: fields.input("jitter_ms"),
        daily_limit: fields.input("daily_limit"),
        quiet_hours: quiet_hours(fields.value("quiet_hours")),
        on_unknown: fields.input("on_unknown"),
        exclusive_device: fields.input("exclusive_device"),
        webhook_secret: fields.input("webhook_secret"),
        default_template: fields.input("default_template"),
    }
}

fn quiet_hours(value: Option<&Value>) -> RawQuietHours {
    match value {
        None => RawQuietHours::Absent,
        Some(Value::Null) => RawQuietHours::Null,
        Some(Value::Object(times)) => RawQuietHours::Times {
            from: input(times.get("from")),
            to: input(times.get("to")),
        },
        Some(_) => RawQuietHours::Other,
    }
}

/// The problem of a refused patch.
pub(super) fn refused(error: DealerAdministrationError, mut fields: Fields) -> Problem {
    let faults = match error {
        DealerAdministrationError::Invalid(faults) => faults,
        other => return other.into(),
    };
    for (field, fault) in faults {
        let path = path(field);
        match field {
            SettingField::ApiKey | SettingField::WebhookSecret => fields.refuse_secret(path, fault),
            _ => fields.refuse(path, fault),
        }
    }
    fields.invalid()
}

/// The path of a setting in the body.
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
