//! The OpenAPI document: paperclip collects operations, parameters and schemas from the handlers;
//! `additions.json`, a merge patch (RFC 7396), adds what paperclip cannot express.

use std::sync::{Arc, Mutex};

use paperclip::actix::OpenApiExt as _;
use paperclip::v2::models::{DefaultApiRaw, Info};
use serde_json::Value;

use crate::routes;

/// Headers, examples, limits and error answers.
const ADDITIONS: &str = include_str!("additions.json");

/// The OpenAPI 3 document of this API as JSON text.
#[must_use]
pub fn document(version: &str) -> String {
    let mut document = collected(version);
    let additions = serde_json::from_str(ADDITIONS).expect("additions.json is JSON");
    merge(&mut document, additions);
    drop_placeholders(&mut document);
    serde_json::to_string_pretty(&document).expect("a JSON value is written as text")
}

/// What paperclip finds in the handlers.
fn collected(version: &str) -> Value {
    let outline = DefaultApiRaw {
        info: Info {
            title: "customer-service".to_owned(),
            version: version.to_owned(),
            ..Default::default()
        },
        ..Default::default()
    };
    let found = Arc::new(Mutex::new(Value::Null));
    let finder = found.clone();
    let _ = actix_web::App::new()
        .wrap_api_with_spec(outline)
        .configure(routes::configure)
        .with_raw_json_spec_v3(move |app, document| {
            if let Ok(mut found) = finder.lock() {
                *found = document;
            }
            app
        })
        .build();
    let found = found.lock().map(|found| found.clone());
    found.unwrap_or(Value::Null)
}

/// Applies a merge patch: objects are merged, null removes, everything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, change) in patch {
        if change.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), change);
        }
    }
}

fn drop_placeholders(_document: &mut Value) {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_adds_replaces_and_removes() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut target, json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }
}
