use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use paperclip::actix::OpenApiExt as _;
use paperclip::v2::models::{DefaultApiRaw, DefaultSchemaRaw, Info};
use paperclip::v2::schema::Apiv2Schema;
use serde_json::{Map, Value};

use super::reference;
use crate::problem::{ErrorBody, ErrorReply, NotStoredReply};
use crate::routes;
use crate::validation::{FaultBody, ValidationReply};

/// Conventions and errors, for people.
const DESCRIPTION: &str = include_str!("description.md");

/// What paperclip finds in the handlers.
pub(super) fn collected(version: &str) -> Value {
    let outline = DefaultApiRaw {
        info: Info {
            title: "customer-service".to_owned(),
            version: version.to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            ..Default::default()
        },
        definitions: definitions(),
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
    let mut found = found.lock().map(|found| found.clone()).unwrap_or_default();
    join_lines(&mut found);
    found
}

/// Bodies that no handler names as its own: parts of others, and those of errors.
fn definitions() -> BTreeMap<String, DefaultSchemaRaw> {
    let mut definitions = BTreeMap::new();
    define::<ErrorBody>(&mut definitions);
    define::<ErrorReply>(&mut definitions);
    define::<FaultBody>(&mut definitions);
    define::<NotStoredReply>(&mut definitions);
    define::<ValidationReply>(&mut definitions);
    routes::define_parts(&mut definitions);
    definitions
}

/// Names a body in the document.
pub(crate) fn define<T: Apiv2Schema>(definitions: &mut BTreeMap<String, DefaultSchemaRaw>) {
    if let Some(name) = T::name() {
        let mut schema = T::schema_with_ref();
        schema.remove_refs();
        definitions.insert(name, schema);
    }
}

/// Puts the paths into the order of the table; paperclip sorts them by name.
pub(super) fn order_paths(document: &mut Value) {
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        let mut found = std::mem::take(paths);
        for route in routes::ROUTES {
            if let Some((path, methods)) = found.shift_remove_entry(route.path) {
                paths.insert(path, methods);
            }
        }
        paths.append(&mut found);
    }
}

/// paperclip leaves the space in that stands between `///` and a line of a comment.
fn join_lines(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "description" => {
                        *text = text.trim().replace("\n ", "\n");
                    }
                    other => join_lines(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

/// Puts references in place of the copies that paperclip makes of named schemas.
pub(super) fn refer_to_schemas(document: &mut Value) {
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let named: Vec<(String, Value)> = schemas
        .iter()
        .map(|(name, schema)| (name.clone(), shape(schema)))
        .collect();
    for schema in schemas.values_mut() {
        refer_within(schema, &named);
    }
}

fn refer_within(schema: &mut Value, named: &[(String, Value)]) {
    match schema {
        Value::Object(object) => {
            for child in object.values_mut() {
                let shape = shape(child);
                match named.iter().find(|(_, known)| *known == shape) {
                    Some((name, _)) => *child = reference("schemas", name),
                    None => refer_within(child, named),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer_within(item, named)),
        _ => {}
    }
}

/// A schema without its description, which differs where a field has one of its own.
fn shape(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let parts = object.iter().filter(|(key, _)| *key != "description");
            let parts = parts.map(|(key, value)| (key.clone(), value.clone()));
            Value::Object(parts.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn copies_of_named_schemas_become_references() {
        let item = |description| json!({"description": description, "type": "object", "properties": {"id": {"type": "string"}}});
        let mut document = json!({"components": {"schemas": {
            "Item": item("a thing"),
            "List": {"type": "object", "properties": {"items": {"type": "array", "items": item("another")}}},
            "Other": {"type": "object"}
        }}});
        refer_to_schemas(&mut document);
        assert_eq!(
            document,
            json!({"components": {"schemas": {
                "Item": item("a thing"),
                "List": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}},
                "Other": {"type": "object"}
            }}})
        );
    }

    #[test]
    fn lines_of_comments_lose_their_space() {
        let mut document = json!([{"description": " one\n two\n\n three"}]);
        join_lines(&mut document);
        assert_eq!(document, json!([{"description": "one\ntwo\n\nthree"}]));
    }
}
