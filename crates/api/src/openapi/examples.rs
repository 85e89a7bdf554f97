//! Examples that follow from the schemas: bodies from the examples of their fields, error answers from the
//! problems.

use api_types::{MAX_ROWS, ValidationReply};
use domain::access::Scope;
use domain::ports::StoreError;
use domain::usecases::{
    CheckError, DealerAdministrationError, EndpointError, EventError, IntakeError, LookupError,
    MessageError, Refusal, TemplateError,
};
use domain::values::AccountError;
use serde_json::{Map, Value, json};

use super::{reference, tables};
use crate::problem::Problem;
use callers::{MAX_HEADER_BYTES, MAX_PATH_BYTES};

/// Writes out answers that name problems, and adds an example to every JSON body without one.
pub(super) fn complete(document: &mut Value) {
    let mut schemas = document["components"]["schemas"].take();
    if let Some(Value::Object(responses)) = document.pointer_mut("/components/responses") {
        for response in responses.values_mut() {
            write_out(response);
            exemplify(response, &schemas);
        }
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let operations = paths
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .filter_map(Value::as_object_mut)
        .flat_map(|methods| methods.values_mut());
    for operation in operations {
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            for response in responses.values_mut() {
                write_out(response);
                describe(response, &schemas);
                exemplify(response, &schemas);
                tables::exemplify(response, &schemas);
            }
        }
        if let Some(body) = operation.get_mut("requestBody") {
            describe(body, &schemas);
            exemplify(body, &schemas);
            tables::exemplify(body, &schemas);
        }
    }
    for schema in schemas
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove(USUALLY);
        }
    }
    document["components"]["schemas"] = schemas;
}

/// The keyword of a type that tells what its example has in place of its fields' examples.
const USUALLY: &str = "usually";

/// The headers that problems may set, which the additions describe.
const HEADERS: [(&str, &str); 3] = [
    ("Retry-After", "RetryAfter"),
    ("WWW-Authenticate", "WWWAuthenticate"),
    ("Allow", "Allow"),
];

/// Replaces `problems` and `faults` by their answers. They map keys of examples to names of problems and of
/// [faults](super::faults); a text is the only one.
fn write_out(response: &mut Value) {
    let mut take = |kind: &str| match response.as_object_mut()?.shift_remove(kind)? {
        Value::Object(named) => Some(named),
        Value::String(only) => Some(Map::from_iter([(String::new(), only.into())])),
        _ => None,
    };
    let (problems, faults) = (take("problems"), take("faults"));
    let replies = match (&problems, &faults) {
        (None, None) => return,
        (Some(_), None) => reference("schemas", "ErrorReply"),
        (None, Some(_)) => reference("schemas", "ValidationReply"),
        (Some(_), Some(_)) => json!({ "oneOf": [
            reference("schemas", "ValidationReply"),
            reference("schemas", "ErrorReply"),
        ] }),
    };
    let mut examples = Map::new();
    for (key, name) in problems.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let problem = problem(name).expect("the additions name problems that there are");
        let answer = problem.response();
        for (header, shared) in HEADERS {
            if answer.headers().contains_key(header) {
                response["headers"][header] = reference("headers", shared);
            }
        }
        let value = json!(problem.body());
        let summary = ["/error/message", "/message/error"]
            .iter()
            .find_map(|place| value.pointer(place).cloned());
        examples.insert(key, json!({ "summary": summary, "value": value }));
    }
    for (key, name) in faults.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let named = super::faults::named(name);
        let (summary, detail) = named.expect("the additions name faults that there are");
        let value = json!(ValidationReply { detail });
        examples.insert(key, json!({ "summary": summary, "value": value }));
    }
    let content = &mut response["content"]["application/json"];
    if content["schema"].is_null() {
        content["schema"] = replies;
    }
    match examples.len() {
        1 => {
            content["example"] = examples
                .values()
                .next()
                .map(|only| only["value"].clone())
                .unwrap_or_default()
        }
        _ => content["examples"] = examples.into(),
    }
}

/// The problem of this name in the additions.
fn problem(name: &str) -> Option<Problem> {
    let away = || StoreError::Unavailable("away".into());
    let check = |error| Problem::Check {
        dealer_id: "0009999".to_owned(),
        error,
    };
    Some(match name {
        "BadRequest" => Problem::BodyUnreadable,
        "Unauthorized" => Problem::Refused(Refusal::Invalid),
        "ReadMissing" => Problem::ScopeMissing(Scope::Read),
        "WriteMissing" => Problem::ScopeMissing(Scope::Write),
        "ForeignOrigin" => Problem::ForeignOrigin,
        "ForeignHost" => Problem::ForeignHost,
        "ForeignDealer" => IntakeError::ForeignDealer.into(),
        "NotFound" => Problem::UnknownPath,
        "RequestNotFound" => Problem::UnknownRequest,
        "DealerNotFound" => LookupError::UnknownDealer.into(),
        "UnknownDealer" => DealerAdministrationError::UnknownDealer.into(),
        "ApiKeyNotFound" => Problem::UnknownKey,
        "MethodNotAllowed" => Problem::MethodNotAllowed(String::new()),
        "RequestTimeout" => Problem::BodyTooSlow,
        "PayloadTooLarge" => Problem::BodyTooLarge { limit: 64 * 1024 },
        "TableTooLarge" => Problem::BodyTooLarge {
            limit: 8 * 1024 * 1024,
        },
        "TooManyRows" => Problem::TooManyRows { limit: MAX_ROWS },
        "UnpackedTooLarge" => Problem::UnpackedTooLarge {
            limit: 64 * 1024 * 1024,
        },
        "UnsupportedMediaType" => Problem::UnsupportedMediaType,
        "UriTooLong" => Problem::UriTooLong {
            part: "path",
            limit: MAX_PATH_BYTES,
        },
        "HeadersTooLarge" => Problem::HeadersTooLarge {
            limit: MAX_HEADER_BYTES,
        },
        "RateLimited" => Problem::RateLimited { retry_seconds: 1 },
        "Busy" => Problem::Busy { submits: false },
        "Unavailable" => away().into(),
        "InternalServerError" => Problem::Unforeseen,
        "NotStored" => IntakeError::NotStored(away()).into(),
        "NotStoredForGood" => IntakeError::NotStored(StoreError::Rejected("a rule".into())).into(),
        "UnforeseenInIntake" => Problem::UnforeseenInIntake,
        "IdempotencyKeyReused" => IntakeError::KeyReused.into(),
        "IdempotencyKeyInProgress" => IntakeError::KeyInProgress.into(),
        "TemplateNotFound" => TemplateError::UnknownTemplate.into(),
        "TooManyTemplates" => TemplateError::TooMany.into(),
        "PreconditionFailed" => TemplateError::Overtaken.into(),
        "EndpointNotFound" => EndpointError::UnknownEndpoint.into(),
        "DeliveryNotFound" => EndpointError::UnknownDelivery.into(),
        "TooManyEndpoints" => EndpointError::TooMany.into(),
        "NoSecretsKey" => EndpointError::NoSecretsKey.into(),
        "MessagePending" => MessageError::Pending.into(),
        "RecipientOptedOut" => MessageError::RecipientOptedOut.into(),
        "OptOutNotFound" => Problem::UnknownOptOut,
        "MessageNotSendable" => MessageError::NotSendable.into(),
        "MessageNotCancellable" => MessageError::NotCancellable.into(),
        "NotJson" => EventError::NotJson.into(),
        "UntestableDealer" => check(CheckError::UnknownDealer),
        "NoFonnteConfiguration" => check(CheckError::NoAccount(AccountError::NoKey)),
        "ConnectionTestFailed" => check(CheckError::Failed {
            reason: "invalid token".into(),
        }),
        "LaneBusy" => check(CheckError::LaneBusy),
        _ => return None,
    })
}

/// Gives a body or an answer without a description that of its schema.
fn describe(part: &mut Value, schemas: &Value) {
    let told = part["description"].as_str().unwrap_or_default();
    if part.get("$ref").is_some() || !told.is_empty() {
        return;
    }
    let schema = &part["content"]["application/json"]["schema"]["$ref"];
    let name = schema.as_str().and_then(|name| name.rsplit('/').next());
    part["description"] = match name {
        Some("ValidationReply") => "The body breaks rules.".into(),
        Some(name) => schemas[name]["description"].clone(),
        None => Value::Null,
    };
}

/// Adds an example to a JSON body without one, and values to its examples without one. `differs` overrides
/// parts of the example that follows from the schema.
fn exemplify(body: &mut Value, schemas: &Value) {
    let Some(content) = body.pointer_mut("/content/application~1json") else {
        return;
    };
    let schema = content["schema"].clone();
    if let Some(Value::Object(examples)) = content.get_mut("examples") {
        for example in examples.values_mut().filter_map(Value::as_object_mut) {
            let differs = example.shift_remove("differs");
            if !example.contains_key("value") {
                let mut value = of_schema(&schema, schemas);
                overlay(&mut value, differs);
                example.insert("value".to_owned(), value);
            }
        }
    } else if content.get("example").is_none() {
        let differs = content
            .as_object_mut()
            .and_then(|content| content.shift_remove("differs"));
        let mut value = of_schema(&schema, schemas);
        overlay(&mut value, differs);
        content["example"] = value;
    }
}

/// Overrides values; in a list, those of each item, or, by a list, those of one more item each.
fn overlay(value: &mut Value, differs: Option<Value>) {
    match (value, differs) {
        (_, None) => {}
        (Value::Array(items), Some(Value::Object(parts))) => {
            for item in items {
                overlay(item, Some(parts.clone().into()));
            }
        }
        (Value::Array(items), Some(Value::Array(others))) => {
            let usual = items.first().cloned().unwrap_or_default();
            *items = vec![usual; others.len()];
            for (item, other) in items.iter_mut().zip(others) {
                overlay(item, Some(other));
            }
        }
        (Value::Object(object), Some(Value::Object(parts))) => {
            for (name, part) in parts {
                overlay(object.entry(name).or_insert(Value::Null), Some(part));
            }
        }
        (value, Some(other)) => *value = other,
    }
}

/// The example of a schema, or one composed of the examples of the parts that it requires, if any.
pub(super) fn of_schema(schema: &Value, schemas: &Value) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return of_schema(&schemas[name], schemas);
    }
    if let Some(first) = ["enum", "oneOf"].iter().find_map(|key| schema[*key].get(0)) {
        return match schema.get("enum") {
            Some(_) => first.clone(),
            None => of_schema(first, schemas),
        };
    }
    match schema["type"].as_str() {
        Some("array") => Value::Array(vec![of_schema(&schema["items"], schemas)]),
        Some("boolean") => true.into(),
        Some("object") => {
            let required = schema["required"].as_array();
            let is_required = |name: &String| {
                required.is_none_or(|required| required.contains(&name.as_str().into()))
            };
            let properties = schema["properties"].as_object().into_iter().flatten();
            let parts = properties
                .filter(|(name, _)| is_required(name))
                .map(|(name, part)| (name.clone(), of_schema(part, schemas)));
            let mut example = Value::from(parts.collect::<Map<_, _>>());
            overlay(&mut example, schema.get(USUALLY).cloned());
            example
        }
        Some("integer" | "number") => 0.into(),
        Some(_) => "…".into(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_made_from_the_examples_of_its_fields() {
        let schemas = json!({
            "Body": {
                "type": "object",
                "properties": {
                    "a": {"type": "string", "example": "x"},
                    "b": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "c": {"type": "boolean"}
                },
                "required": ["a", "b"],
                "usually": {"a": null}
            },
            "Part": {"type": "object", "properties": {"d": {"enum": [1, 2]}}}
        });
        let body = reference("schemas", "Body");
        assert_eq!(
            of_schema(&body, &schemas),
            json!({"a": null, "b": [{"d": 1}]})
        );
        let mut whole = of_schema(&body, &schemas);
        overlay(&mut whole, Some(json!({"a": "y", "b": {"d": 2}})));
        assert_eq!(whole, json!({"a": "y", "b": [{"d": 2}]}));
        overlay(&mut whole, Some(json!({"b": [{}, {"e": 3}]})));
        assert_eq!(whole["b"], json!([{"d": 2}, {"d": 2, "e": 3}]));
    }

    #[test]
    fn an_answer_is_written_out_from_the_problem() {
        let mut response = json!({"description": "No.", "problems": {"gone": "RequestNotFound"}});
        write_out(&mut response);
        assert_eq!(
            response["content"]["application/json"]["example"]["error"]["code"],
            404
        );
    }
}
