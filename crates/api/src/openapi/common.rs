use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{operations, reference};

/// Adds to every operation what holds for all of them, and refers to the parameters that
/// `components` describes.
pub(super) fn complete(document: &mut Value) {
    let parameters = described_parameters(document);
    let request_id = reference("headers", "XRequestId");
    if let Some(Value::Object(responses)) = document.pointer_mut("/components/responses") {
        add_header(responses, &request_id);
    }
    for operation in operations(document) {
        protect(operation);
        limit(operation);
        keep_pages_out(operation);
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
            for (status, name) in [("405", "MethodNotAllowed"), ("500", "InternalServerError")] {
                let response = || reference("responses", name);
                responses.entry(status).or_insert_with(response);
            }
            add_header(responses, &request_id);
            responses.sort_keys();
        }
    }
}

/// Tags whose operations are never too many of one caller.
const NOT_METERED: [&str; 2] = ["health", "webhook"];

/// Answers of every operation that come from its limits. What was done tells what is left; shared
/// answers say so in the description of the document.
fn limit(operation: &mut Value) {
    let tag = operation.pointer("/tags/0").and_then(Value::as_str);
    let is = |tags: &[&str]| tag.is_some_and(|tag| tags.contains(&tag));
    let (metered, bounded) = (!is(&NOT_METERED), !is(&["health"]));
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let mut add = |status: &str, name| {
        let response = || reference("responses", name);
        responses.entry(status).or_insert_with(response);
    };
    add("414", "UriTooLong");
    add("431", "HeadersTooLarge");
    if bounded {
        add("503", "Busy");
    }
    if !metered {
        return;
    }
    add("429", "RateLimited");
    for (_, done) in responses
        .iter_mut()
        .filter(|(status, _)| status.starts_with('2'))
    {
        for (field, name) in [
            ("RateLimit-Limit", "RateLimitLimit"),
            ("RateLimit-Remaining", "RateLimitRemaining"),
            ("RateLimit-Reset", "RateLimitReset"),
        ] {
            done["headers"][field] = reference("headers", name);
        }
    }
}

/// What any operation may answer while no keys are asked for; one that needs a key says it with the rest.
fn keep_pages_out(operation: &mut Value) {
    if let Value::Object(responses) = &mut operation["responses"] {
        let response = || reference("responses", "Foreign");
        responses.entry("403").or_insert_with(response);
    }
}

/// The extractors leave the scopes that a route needs where OpenAPI has its security schemes; keys
/// come in either header whatever their scopes are.
fn protect(operation: &mut Value) {
    let Some(Value::Array(needed)) = operation.get_mut("security").map(Value::take) else {
        return;
    };
    let scopes: Vec<String> = needed
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|scopes| scopes.keys())
        .map(|scope| format!("`{scope}`"))
        .collect();
    let needs = format!("Needs a key with the scope {}.", scopes.join(" and "));
    let description = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{description}\n\n{needs}").trim_start().into();
    operation["security"] = json!([{ "bearer": [] }, { "header": [] }]);
    if let Value::Object(responses) = &mut operation["responses"] {
        for (status, name) in [("401", "Unauthorized"), ("403", "Forbidden")] {
            let response = || reference("responses", name);
            responses.entry(status).or_insert_with(response);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_completed() {
        let mut document = json!({
            "paths": {"/": {"get": {
                "tags": ["health"],
                "parameters": [{"in": "query", "name": "page"}, {"in": "query", "name": "new"}],
                "responses": {"200": {"description": "x"}, "500": {"$ref": "#/own"}}
            }}},
            "components": {
                "parameters": {"Page": {"in": "query", "name": "page", "description": "The page."}},
                "responses": {"MethodNotAllowed": {"headers": {"Allow": 1}}}
            }
        });
        complete(&mut document);
        let id = json!({"$ref": "#/components/headers/XRequestId"});
        assert_eq!(
            document["paths"]["/"]["get"],
            json!({
                "tags": ["health"],
                "parameters": [
                    {"$ref": "#/components/parameters/Page"},
                    {"in": "query", "name": "new"},
                    {"$ref": "#/components/parameters/XRequestId"}
                ],
                "responses": {
                    "200": {"description": "x", "headers": {"X-Request-Id": id}},
                    "403": {"$ref": "#/components/responses/Foreign"},
                    "405": {"$ref": "#/components/responses/MethodNotAllowed"},
                    "414": {"$ref": "#/components/responses/UriTooLong"},
                    "431": {"$ref": "#/components/responses/HeadersTooLarge"},
                    "500": {"$ref": "#/own"}
                }
            })
        );
        assert_eq!(
            document["components"]["responses"]["MethodNotAllowed"]["headers"],
            json!({"Allow": 1, "X-Request-Id": id})
        );
    }

    #[test]
    fn whoever_is_counted_is_told() {
        let mut document = json!({"paths": {
            "/a": {"get": {"tags": ["customer"], "responses": {"200": {}, "503": {"own": 1}}}},
            "/b": {"get": {"tags": ["webhook"], "responses": {"200": {}}}}
        }});
        complete(&mut document);
        let responses = |path: &str| &document["paths"][path]["get"]["responses"];
        let a = responses("/a");
        assert_eq!(a["429"], reference("responses", "RateLimited"));
        assert_eq!(a["503"]["own"], 1);
        let left = &a["200"]["headers"]["RateLimit-Remaining"];
        assert_eq!(*left, reference("headers", "RateLimitRemaining"));
        let b = responses("/b");
        assert_eq!(b["503"], reference("responses", "Busy"));
        assert!(b.get("429").is_none());
        assert!(b["200"]["headers"].get("RateLimit-Reset").is_none());
    }

    #[test]
    fn the_scope_that_an_extractor_left_becomes_words_and_schemes() {
        let mut document = json!({"paths": {"/": {"get": {
            "description": "Tells.",
            "security": [{"read": []}],
            "responses": {"403": {"description": "own"}}
        }}}});
        complete(&mut document);
        let operation = &document["paths"]["/"]["get"];
        assert_eq!(
            operation["description"],
            "Tells.\n\nNeeds a key with the scope `read`."
        );
        assert_eq!(
            operation["security"],
            json!([{"bearer": []}, {"header": []}])
        );
        assert_eq!(operation["responses"]["403"]["description"], "own");
        assert_eq!(
            operation["responses"]["401"],
            json!({"$ref": "#/components/responses/Unauthorized"})
        );
    }
}
