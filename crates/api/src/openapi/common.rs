use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::reference;
use crate::route::{Access, Calls, Route};
use crate::routes::ROUTES;

/// Adds to every operation what the table of routes says of it and what holds for all of them, and
/// refers to the parameters that `components` describes.
pub(super) fn complete(document: &mut Value) {
    let parameters = described_parameters(document);
    let request_id = reference("headers", "XRequestId");
    if let Some(Value::Object(responses)) = document.pointer_mut("/components/responses") {
        add_header(responses, &request_id);
    }
    for route in ROUTES {
        let path = document["paths"].get_mut(route.path);
        let method = route.method().to_lowercase();
        let Some(operation) = path.and_then(|path| path.get_mut(method)) else {
            continue;
        };
        if let Access::Scope(_) | Access::Local = route.access {
            protect(route, operation);
        }
        let taken = &mut operation["parameters"];
        if taken.is_null() {
            *taken = Value::Array(Vec::new());
        }
        if let Value::Array(taken) = taken {
            for parameter in taken.iter_mut() {
                if let Some(name) = parameters.get(&place(parameter)) {
                    *parameter = reference("parameters", name);
                }
            }
            taken.push(reference("parameters", "XRequestId"));
        }
        if let Value::Object(responses) = &mut operation["responses"] {
            for (status, name) in common_answers(route) {
                let response = || reference("responses", name);
                responses.entry(status).or_insert_with(response);
            }
            if route.calls == Calls::Metered {
                tell_rate(responses);
            }
            add_header(responses, &request_id);
            responses.sort_keys();
        }
    }
}

/// The answers that a route has because of what the table says of it, where it has none of its own.
fn common_answers(route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut answers = vec![
        // While no keys are asked for.
        ("403", "Foreign"),
        ("405", "MethodNotAllowed"),
        ("414", "UriTooLong"),
        ("431", "HeadersTooLarge"),
        ("500", "InternalServerError"),
    ];
    if let Access::Scope(_) | Access::Local = route.access {
        answers[0] = ("403", "Forbidden");
        answers.push(("401", "Unauthorized"));
    }
    if route.body.is_some() {
        answers.extend([
            ("400", "BadRequest"),
            ("408", "RequestTimeout"),
            ("413", "PayloadTooLarge"),
        ]);
    }
    match (route.access, route.calls) {
        (_, Calls::Always) => {}
        // They ask the database.
        (Access::Scope(_) | Access::Webhook, _) => answers.push(("503", "Unavailable")),
        (Access::Public | Access::Local, _) => answers.push(("503", "Busy")),
    }
    if route.calls == Calls::Metered {
        answers.push(("429", "RateLimited"));
    }
    answers
}

/// What was done tells what is left of the caller's rate; shared answers say so in the description of
/// the document.
fn tell_rate(responses: &mut Map<String, Value>) {
    let done = responses
        .iter_mut()
        .filter(|(status, _)| status.starts_with('2'));
    for (_, response) in done {
        for (field, name) in [
            ("RateLimit-Limit", "RateLimitLimit"),
            ("RateLimit-Remaining", "RateLimitRemaining"),
            ("RateLimit-Reset", "RateLimitReset"),
        ] {
            response["headers"][field] = reference("headers", name);
        }
    }
}

/// Says which scope is needed. Keys come in either header, whatever their scopes are.
fn protect(route: &Route, operation: &mut Value) {
    let scope = match route.access {
        Access::Scope(scope) => scope,
        _ => domain::Scope::Admin,
    };
    let needs = format!("Needs a key with the scope `{}`.", scope.as_str());
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{description}\n\n{needs}").trim_start().into();
    operation["security"] = json!([{ "bearer": [] }, { "header": [] }]);
}

/// The parameters of `components`, by place and name.
fn described_parameters(document: &Value) -> HashMap<(String, String), String> {
    let described = document.pointer("/components/parameters");
    described
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, parameter)| (place(parameter), key.clone()))
        .collect()
}

fn place(parameter: &Value) -> (String, String) {
    let text = |key| parameter[key].as_str().unwrap_or_default().to_owned();
    (text("in"), text("name"))
}

/// Adds the request id to answers that are written out; a reference stands alone.
fn add_header(responses: &mut Map<String, Value>, header: &Value) {
    for response in responses.values_mut() {
        if response.get("$ref").is_none() {
            response["headers"]["X-Request-Id"] = header.clone();
        }
    }
}
