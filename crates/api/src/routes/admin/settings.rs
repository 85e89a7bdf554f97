//! The merge patch of a dealer's settings, and its faults.

use domain::settings::{RawQuietHours, SettingField, SettingsPatch};
use domain::usecases::DealerAdministrationError;
use serde_json::Value;

use crate::http::{Fields, input};
use crate::problem::Problem;

/// Reads a body.
pub(super) fn patch(fields: &Fields) -> SettingsPatch {
    let quiet_hours = quiet_hours(fields.value("quiet_hours"));
    SettingsPatch::read(|field| fields.input(field.path()[0]), quiet_hours)
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
        match field {
            SettingField::ApiKey | SettingField::WebhookSecret => {
                fields.refuse_secret(field.path(), fault);
            }
            _ => fields.refuse(field.path(), fault),
        }
    }
    fields.invalid()
}
