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

/// Puts in place of `like`, which names another path, what the additions say of that one, with the rest merged
/// into it.
pub(super) fn resolve(additions: &mut Value) {
    let Some(paths) = additions.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    let before = paths.clone();
    for path in paths.values_mut() {
        let like = path
            .as_object_mut()
            .and_then(|path| path.shift_remove("like"));
        if let Some(other) = like.as_ref().and_then(Value::as_str) {
            let rest = std::mem::replace(path, before[other].clone());
            merge(path, rest);
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
    fn a_path_can_be_like_another_one() {
        let get = json!({"get": {"responses": {"200": {"description": "it"}, "404": {}}}});
        let mut additions = json!({"paths": {
            "/a": get,
            "/b": {"like": "/a", "get": {"responses": {"404": null}}}
        }});
        resolve(&mut additions);
        let expected = json!({"get": {"responses": {"200": {"description": "it"}}}});
        assert_eq!(additions["paths"]["/b"], expected);
        assert_eq!(additions["paths"]["/a"], get);
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
