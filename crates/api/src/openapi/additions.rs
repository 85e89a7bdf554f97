//! What the additions say in short, written out as merge patches.

use serde_json::{Map, Value, json};

use super::merge::merge;
use super::reference;
use crate::route::ADMIN;

/// The patch of a list of operations, each under its method and path: the parts of an operation are `body`
/// and the statuses of its answers. `like` names an operation whose parts it has, too.
pub(super) fn operations(short: &Value, shared: &Value) -> Value {
    let mut paths = json!({});
    for (route, operation) in short.as_object().into_iter().flatten() {
        let (method, path) = route.split_once(' ').unwrap_or_default();
        let parts = match operation["like"].as_str() {
            Some(like) => {
                let mut parts = short[like].clone();
                merge(&mut parts, operation.clone());
                parts
            }
            None => operation.clone(),
        };
        let mut written = json!({ "responses": {} });
        for (name, part) in parts.as_object().cloned().into_iter().flatten() {
            match name.as_str() {
                "like" => {}
                "body" => written["requestBody"] = part_written_out(part),
                "404"
                    if !path.starts_with(ADMIN)
                        && path.contains("{dealer_id}")
                        && part["problems"] != "DealerNotFound" =>
                {
                    let answers = &shared["responses"];
                    let own = part.as_str().and_then(|name| name.strip_prefix('#'));
                    let own = own.map_or(&part, |name| &answers[name]);
                    let both = after_dealer(&answers["DealerNotFound"], own);
                    written["responses"][name] = part_written_out(both);
                }
                status => written["responses"][status] = part_written_out(part),
            }
        }
        paths[path][method.to_lowercase()] = written;
    }
    json!({ "paths": paths })
}

/// The 404 of something that belongs to a dealer, who may not be found either.
fn after_dealer(dealer: &Value, own: &Value) -> Value {
    let text = |part: &Value| part["description"].as_str().unwrap_or_default().to_owned();
    let mut problems = json!({ "dealer": dealer["problems"] });
    match &own["problems"] {
        Value::Object(several) => merge(&mut problems, several.clone().into()),
        one => problems["own"] = one.clone(),
    }
    json!({
        "description": format!("{} {}", text(dealer), text(own)),
        "problems": problems
    })
}

/// The patch of shared headers and answers.
pub(super) fn components(mut short: Value) -> Value {
    if let Some(answers) = short["responses"].as_object_mut() {
        for answer in answers.values_mut() {
            *answer = part_written_out(answer.take());
        }
    }
    json!({ "components": short })
}

/// A body or an answer. A text is its description, or after `#` the name of a shared answer; `headers` may list
/// shared ones; `schema`, `example`, `examples` and `differs` are those of its JSON.
fn part_written_out(short: Value) -> Value {
    let mut part = match short {
        Value::Object(part) => part,
        Value::String(text) if text.starts_with('#') => return reference("responses", &text[1..]),
        Value::String(text) => return json!({ "description": text }),
        other => return other,
    };
    if let Some(Value::Array(names)) = part.get("headers") {
        let names = names.iter().filter_map(Value::as_str);
        let headers: Map<_, _> = names
            .map(|name| {
                (
                    name.to_owned(),
                    reference("headers", &name.replace('-', "")),
                )
            })
            .collect();
        part.insert("headers".to_owned(), headers.into());
    }
    for key in ["schema", "example", "examples", "differs"] {
        if let Some(value) = part.shift_remove(key) {
            let value = match key {
                "schema" => schema(value),
                _ => value,
            };
            let content = part.entry("content").or_insert_with(|| json!({}));
            content["application/json"][key] = value;
        }
    }
    part.into()
}

/// A schema by its name, one of several, of which null may be one, or as it is.
fn schema(short: Value) -> Value {
    match short {
        Value::String(name) => reference("schemas", &name),
        Value::Array(names) => {
            let one = |name: &Value| match name.as_str() {
                Some(name) => reference("schemas", name),
                None => json!({ "type": "object", "nullable": true, "enum": [null] }),
            };
            let mut schema = json!({ "$ref": null });
            if names.contains(&Value::Null) {
                schema["nullable"] = true.into();
            }
            schema["oneOf"] = names.iter().map(one).collect();
            schema
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_written_out_and_another_can_be_like_it() {
        let short = json!({
            "PUT /a": {
                "body": {"description": "it", "schema": ["Body", null]},
                "200": {"headers": ["X-Id"], "example": {"b": null}},
                "404": {"description": "no", "problems": "NotFound"}
            },
            "PUT /b": {"like": "PUT /a", "body": null, "404": "#Gone"}
        });
        let written = operations(&short, &json!({}));
        assert_eq!(
            written["paths"]["/a"]["put"]["requestBody"]["content"]["application/json"]["schema"],
            json!({"$ref": null, "nullable": true, "oneOf": [
                {"$ref": "#/components/schemas/Body"},
                {"type": "object", "nullable": true, "enum": [null]}
            ]})
        );
        assert_eq!(
            written["paths"]["/b"]["put"],
            json!({"responses": {
                "200": {
                    "headers": {"X-Id": {"$ref": "#/components/headers/XId"}},
                    "content": {"application/json": {"example": {"b": null}}}
                },
                "404": {"$ref": "#/components/responses/Gone"}
            }})
        );
    }

    #[test]
    fn what_belongs_to_a_dealer_is_not_found_without_the_dealer() {
        let path = "/dealer/{dealer_id}/things/{id}";
        let short = json!({
            format!("GET {path}"): {"404": {"description": "No thing.", "problems": "Thing"}}
        });
        let dealer = json!({"description": "No dealer.", "problems": "Dealer"});
        let written = operations(&short, &json!({"responses": {"DealerNotFound": dealer}}));
        assert_eq!(
            written["paths"][path]["get"]["responses"]["404"],
            json!({
                "description": "No dealer. No thing.",
                "problems": {"dealer": "Dealer", "own": "Thing"}
            })
        );
    }
}
