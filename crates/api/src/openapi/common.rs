use std::collections::HashMap;

use api_types::{
    AnalyticsQuery, AuditQuery, BulkQuery, ExportQuery, HeaderParameters, ListQuery, PageQuery,
    PathParameters, RangeQuery, parameters_of,
};
use domain::access::Scope;
use serde_json::{Map, Value, json};

use super::reference;
use crate::route::{Access, Calls, Route};
use crate::routes::ROUTES;

/// Adds to every operation the facts of the table of routes and those common to all, and references to the
/// parameters in `components`.
pub(super) fn complete(document: &mut Value) {
    let parameters = described_parameters(document);
    let request_id = reference("headers", "XRequestId");
    if let Some(Value::Object(responses)) = document.pointer_mut("/components/responses") {
        add_header(responses, &request_id);
    }
    for route in ROUTES {
        let path = document["paths"].get_mut(route.path);
        let method = route.method.as_str().to_lowercase();
        let Some(operation) = path.and_then(|path| path.get_mut(method)) else {
            continue;
        };
        if let Access::Scope(_) | Access::Local = route.access {
            protect(route, operation);
        }
        let mut has_query = false;
        let taken = &mut operation["parameters"];
        if taken.is_null() {
            *taken = Value::Array(Vec::new());
        }
        if let Value::Array(taken) = taken {
            has_query = taken.iter().any(|parameter| parameter["in"] == "query");
            for parameter in taken.iter_mut() {
                if let Some(name) = parameters.get(&place(parameter)) {
                    *parameter = reference("parameters", name);
                }
            }
            taken.push(reference("parameters", "XRequestId"));
        }
        if let Value::Object(responses) = &mut operation["responses"] {
            for (status, name) in common_answers(route, has_query) {
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

/// The answers of a route that follow from the table, where the additions have none of its own.
fn common_answers(route: &Route, has_query: bool) -> Vec<(&'static str, &'static str)> {
    let mut answers = vec![
        // Without authentication.
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
    let is_admins = matches!(route.access, Access::Scope(Scope::Admin));
    for (parameter, unknown) in [
        ("{request_id}", "RequestNotFound"),
        (
            "{dealer_id}",
            if is_admins {
                "UnknownDealer"
            } else {
                "DealerNotFound"
            },
        ),
        ("{token}", "UnknownWebhook"),
    ] {
        if route.path.contains(parameter) {
            answers.push(("404", unknown));
        }
    }
    if has_query {
        answers.push(("422", "InvalidQuery"));
    }
    if let Access::Webhook = route.access {
        answers.push(("400", "ReportNotJson"));
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
        // These ask the database.
        (Access::Scope(_) | Access::Webhook, _) => answers.push(("503", "Unavailable")),
        (Access::Public | Access::Local, _) => answers.push(("503", "Busy")),
    }
    if route.calls == Calls::Metered {
        answers.push(("429", "RateLimited"));
    }
    answers
}

/// Adds the rate-limit headers to successful answers; the description has them for shared answers.
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

/// Adds the scope. Keys come in either header, whatever their scopes.
fn protect(route: &Route, operation: &mut Value) {
    let scope = match route.access {
        Access::Scope(scope) => scope,
        _ => Scope::Admin,
    };
    let needs = format!("Needs a key with the scope `{}`.", scope.as_str());
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{description}\n\n{needs}").trim_start().into();
    operation["security"] = json!([{ "bearer": [] }, { "header": [] }]);
}

/// The parameters in `components`, by place, name and, in a query, description.
fn described_parameters(document: &mut Value) -> HashMap<String, String> {
    describe_parameters(document);
    let described = document.pointer("/components/parameters");
    described
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, parameter)| (place(parameter), key.clone()))
        .collect()
}

/// Moves the parameters of paths and queries to `components`, each once.
fn describe_parameters(document: &mut Value) {
    let known = &mut document["components"]["parameters"];
    let types = [
        ("path", "", parameters_of::<PathParameters>()),
        ("header", "", parameters_of::<HeaderParameters>()),
        ("query", "List", parameters_of::<ListQuery>()),
        ("query", "Range", parameters_of::<RangeQuery>()),
        ("query", "Export", parameters_of::<ExportQuery>()),
        ("query", "Analytics", parameters_of::<AnalyticsQuery>()),
        ("query", "Dealer", parameters_of::<PageQuery>()),
        ("query", "Audit", parameters_of::<AuditQuery>()),
        ("query", "Bulk", parameters_of::<BulkQuery>()),
    ];
    for (kind, whose, parameters) in types {
        for (name, schema) in parameters {
            let parameter = parameter(kind, &name, schema);
            let key = pascal(&name);
            let same = known.get(&key).map(|known| *known == parameter);
            match same {
                None => known[key] = parameter,
                Some(true) => {}
                Some(false) => known[format!("{whose}{key}")] = parameter,
            }
        }
    }
}

/// A parameter of a schema, with the schema's description and example.
fn parameter(kind: &str, name: &str, mut schema: Value) -> Value {
    let mut parameter = json!({ "in": kind, "name": name });
    if kind == "path" {
        parameter["required"] = true.into();
    } else if kind == "query" && schema["type"] == "string" {
        // An empty value counts as absent.
        parameter["allowEmptyValue"] = true.into();
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("nullable");
        for moved in ["description", "example"] {
            parameter[moved] = schema.shift_remove(moved).unwrap_or_default();
        }
    }
    parameter["schema"] = schema;
    parameter
}

/// `page_size` as `PageSize`, `X-Request-Id` as `XRequestId`.
fn pascal(name: &str) -> String {
    let words = name
        .split(['_', '-'])
        .filter_map(|word| word.split_at_checked(1));
    words
        .map(|(first, rest)| first.to_uppercase() + rest)
        .collect()
}

fn place(parameter: &Value) -> String {
    let text = |key: &str| parameter[key].as_str().unwrap_or_default();
    let kind = text("in");
    // Two queries may have parameters of one name with different meanings.
    let meaning = if kind == "query" {
        text("description")
    } else {
        ""
    };
    format!("{kind} {} {meaning}", text("name"))
}

/// Adds the request id to inline answers; a reference stands alone.
fn add_header(responses: &mut Map<String, Value>, header: &Value) {
    for response in responses.values_mut() {
        if response.get("$ref").is_none() {
            response["headers"]["X-Request-Id"] = header.clone();
        }
    }
}
