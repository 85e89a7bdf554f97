//! What a message remembers of the template that it was made from.

use domain::ports::StoreError;
use domain::requests::NewMessage;
use domain::template::Variables;
use serde_json::{Map, Value};

/// Its version.
pub(crate) fn version(message: &NewMessage) -> Option<i32> {
    message.template_version.and_then(|n| i32::try_from(n).ok())
}

/// The texts of its variables as JSON; none where there are none, which is nearly always.
pub(crate) fn variables(message: &NewMessage) -> Option<String> {
    if message.variables.is_empty() {
        return None;
    }
    let texts = message.variables.iter();
    let texts: Map<String, Value> = texts
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    Some(Value::Object(texts).to_string())
}

pub(crate) fn version_read(stored: Option<i32>) -> Option<u32> {
    stored.and_then(|version| u32::try_from(version).ok())
}

/// Reads what [`variables`] wrote; what is no text is passed over.
pub(crate) fn variables_read(stored: Option<&str>) -> Result<Variables, StoreError> {
    let Some(stored) = stored else {
        return Ok(Variables::default());
    };
    let value: Value =
        serde_json::from_str(stored).map_err(|error| StoreError::Corrupt(error.into()))?;
    let Value::Object(texts) = value else {
        return Ok(Variables::default());
    };
    Ok(texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_str()?.to_owned())))
        .collect())
}
