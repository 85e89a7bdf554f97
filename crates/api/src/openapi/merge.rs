use serde_json::{Map, Value};

/// Applies a merge patch (RFC 7396): objects are merged, null removes, everything else replaces.
///
/// Two rules more suit an OpenAPI document:
///
/// - an example is taken as it is, with its nulls and in its order;
/// - a reference replaces what was there, because it stands alone in OpenAPI 3.0.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let patch = match patch {
        Value::Object(patch) if !patch.get("$ref").is_some_and(Value::is_string) => patch,
        other => {
            *target = other;
            return;
        }
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, change) in patch {
        if change.is_null() {
            target.shift_remove(&key);
            continue;
        }
        let is_example = matches!(key.as_str(), "example" | "examples");
        let value = target.entry(key).or_insert(Value::Null);
        if is_example {
            *value = change;
        } else {
            merge(value, change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(mut target: Value, patch: Value) -> String {
        merge(&mut target, patch);
        target.to_string()
    }

    #[test]
    fn a_merge_patch_adds_replaces_and_removes() {
        assert_eq!(
            merged(
                json!({"a": {"b": 1, "c": 2}, "d": [1], "f": "x", "j": 1}),
                json!({"f": {"g": null, "h": 1}, "a": {"b": null, "e": 3}, "d": [2], "i": null})
            ),
            r#"{"a":{"c":2,"e":3},"d":[2],"f":{"h":1},"j":1}"#
        );
    }

    #[test]
    fn an_example_is_taken_as_it_is() {
        assert_eq!(
            merged(
                json!({"example": {"a": 1}}),
                json!({"example": {"b": null}})
            ),
            r#"{"example":{"b":null}}"#
        );
    }

    #[test]
    fn a_reference_replaces_what_was_there_and_can_be_removed() {
        assert_eq!(
            merged(
                json!({"a": {"type": "object"}}),
                json!({"a": {"$ref": "#/b"}})
            ),
            r##"{"a":{"$ref":"#/b"}}"##
        );
        assert_eq!(
            merged(
                json!({"a": {"$ref": "#/b"}}),
                json!({"a": {"$ref": null, "oneOf": []}})
            ),
            r#"{"a":{"oneOf":[]}}"#
        );
    }
}
