//! 1.6: the OpenAPI document is complete, and true of the running service.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::client::Call;
use crate::service::{PATHS, SUBMIT, Service, VERSION, body, fields_with, filled};

/// Every change of the document shows in a review of this file.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/openapi.golden.json");
const UPDATE: &str = "UPDATE_GOLDEN=1 cargo test -p api --test it openapi";

fn document() -> Value {
    serde_json::from_str(&api::openapi_document(VERSION)).expect("the document is JSON")
}

/// Follows a reference, where there is one.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document
            .pointer(reference.strip_prefix('#').expect("a local reference"))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
}

#[track_caller]
fn assert_text(value: &Value, whose: &str) {
    assert!(
        value.as_str().is_some_and(|text| !text.is_empty()),
        "{whose}: {value}"
    );
}

/// `GET /path` and the operation.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    object(&document["paths"])
        .iter()
        .flat_map(|(path, methods)| {
            object(methods).iter().map(move |(method, operation)| {
                (format!("{} {path}", method.to_uppercase()), operation)
            })
        })
        .collect()
}

/// Looks at every value of the document, with the path to it.
fn walk(value: &Value, path: &str, look: &mut impl FnMut(&str, &Value)) {
    look(path, value);
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                // What is only an example may look like anything.
                if !matches!(key.as_str(), "example" | "examples") {
                    walk(value, &format!("{path}/{key}"), look);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/{n}"), look);
            }
        }
        _ => {}
    }
}

#[test]
fn the_document_is_the_golden_one() {
    let document = api::openapi_document(VERSION) + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(Path::new(GOLDEN), &document).expect("the golden document can be written");
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let first_difference = document
        .lines()
        .zip(golden.lines().chain(std::iter::repeat("")))
        .enumerate()
        .find(|(_, (is, was))| is != was);
    assert!(
        document == golden,
        "the OpenAPI document has changed; if that is meant, run\n\n    {UPDATE}\n\nand review \
         the difference. First at line {:?}",
        first_difference.map(|(n, (is, was))| format!("{}: {is:?} was {was:?}", n + 1))
    );
}

#[tokio::test]
async fn the_document_is_served() {
    let service = Service::start();
    let reply = service.get("/openapi.json").await;
    reply.is(200, &api::openapi_document(VERSION));
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[test]
fn the_document_says_what_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["info"]["version"], VERSION);
    assert_eq!(document["servers"][0]["url"], "/");
    for word in [
        "Asia/Jakarta",
        "slash at the end",
        "X-Request-Id",
        "## Errors",
        "ALLOWED_ORIGINS",
    ] {
        let description = document["info"]["description"].as_str().unwrap();
        assert!(description.contains(word), "{word}");
    }
}

#[test]
fn every_operation_is_described() {
    let document = document();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| {
            assert_text(&tag["description"], "tag");
            tag["name"].as_str().unwrap()
        })
        .collect();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (name, operation) in operations(&document) {
        for key in ["operationId", "summary", "description"] {
            assert_text(&operation[key], &name);
        }
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{name}"
        );
        let own = operation["tags"].as_array().unwrap();
        assert_eq!(own.len(), 1, "{name}");
        used.insert(own[0].as_str().unwrap());
    }
    assert_eq!(used, tags);
}

#[test]
fn every_parameter_is_described_with_an_example() {
    let document = document();
    for (name, operation) in operations(&document) {
        let mut seen = BTreeSet::new();
        for parameter in operation["parameters"].as_array().unwrap() {
            let parameter = resolved(&document, parameter);
            assert_text(&parameter["description"], &name);
            assert!(!parameter["example"].is_null(), "{name}: {parameter}");
            assert!(
                !parameter["schema"]["type"].is_null(),
                "{name}: {parameter}"
            );
            seen.insert(parameter["name"].as_str().unwrap());
        }
        assert!(seen.contains("X-Request-Id"), "{name}");
        for in_path in name.split('{').skip(1) {
            let in_path = in_path.split('}').next().unwrap();
            assert!(seen.contains(in_path), "{name}: {in_path}");
        }
    }
}

/// An operation that reads a body.
fn takes_a_body(operation: &str) -> bool {
    let taken = ["PATCH", "PUT"]
        .iter()
        .any(|method| operation.starts_with(method));
    taken || operation.starts_with("POST") && !is_bare(operation)
}

/// An order that needs no body.
fn is_bare(operation: &str) -> bool {
    operation.ends_with("/cancel") || is_call_to_endpoint(operation)
}

/// A call to an endpoint of event webhooks that a person asks for.
fn is_call_to_endpoint(operation: &str) -> bool {
    operation.contains("/endpoints/")
        && ["/test", "/retry"]
            .iter()
            .any(|end| operation.ends_with(end))
}

#[test]
fn every_body_has_an_example() {
    let document = document();
    for (name, operation) in operations(&document) {
        let mut bodies: Vec<&Value> = object(&operation["responses"])
            .iter()
            .filter(|(status, _)| !status.starts_with('3') && *status != "204")
            .map(|(_, response)| resolved(&document, response))
            .collect();
        let request = &operation["requestBody"];
        let takes_body = takes_a_body(&name);
        assert_eq!(request.is_object(), takes_body, "{name}");
        if request.is_object() {
            bodies.push(request);
        }
        for body in bodies {
            assert_text(&body["description"], &name);
            for content in object(&body["content"]).values() {
                let examples = content.get("examples").map_or(0, |all| object(all).len());
                assert!(
                    content.get("example").is_some() || examples > 0,
                    "{name}: {body}"
                );
                assert!(content["schema"].is_object(), "{name}: {body}");
            }
        }
    }
}

/// Answers that only operations of endpoints have.
fn answers_of_endpoints(name: &str) -> &'static [&'static str] {
    match name {
        _ if !name.contains("/endpoints") => &[],
        _ if name.starts_with("GET") => &["422"],
        _ if name.starts_with("DELETE") => &["204"],
        _ if is_call_to_endpoint(name) => &["202"],
        _ if name.starts_with("POST") => &["201", "409"],
        _ => &[],
    }
}

#[test]
fn every_answer_is_there_with_its_headers() {
    let document = document();
    for (name, operation) in operations(&document) {
        let responses = object(&operation["responses"]);
        let mut expected = BTreeSet::from(["200", "403", "405", "414", "431", "500"]);
        let is_health = name.contains("/health");
        if !is_health {
            expected.insert("503");
        }
        let reports = name.contains("/webhooks/");
        let is_metered = !is_health && !reports;
        if is_metered {
            expected.insert("429");
        }
        let is_protected = name.contains("/customer/") || name.contains("/admin/");
        if is_protected {
            expected.insert("401");
        }
        if is_protected || reports || name.ends_with("/detailed") || name.ends_with("/ready") {
            expected.insert("503");
        }
        if name.ends_with("/metrics") {
            expected.insert("401");
        }
        if name.ends_with("/cancel") {
            expected.extend(["404", "409"]);
        }
        expected.extend(answers_of_endpoints(&name));
        if name.contains("/endpoints") && !name.starts_with("GET") && !name.starts_with("PATCH") {
            expected.remove("200");
        }
        if name.ends_with("/resend") {
            expected.remove("200");
            expected.extend(["202", "409"]);
        }
        if reports {
            expected.extend(["400", "404", "408", "413"]);
        } else if takes_a_body(&name) {
            expected.extend(["400", "408", "413", "422"]);
        }
        if name.ends_with("/validate-customer") {
            expected.insert("409");
        }
        if name.ends_with("/validate-customers") {
            expected.insert("415");
        }
        if name == "POST /api/v1/admin/api-keys" {
            expected.remove("200");
            expected.insert("201");
        }
        if name == "GET /" {
            expected.insert("303");
        }
        if name.ends_with("/test-whatsapp") {
            expected.insert("409");
        }
        if name.starts_with("POST") && name.ends_with("/opt-outs") {
            expected.insert("201");
        }
        if name.starts_with("DELETE") && name.contains("/opt-outs") {
            expected.remove("200");
            expected.insert("204");
        }
        if name.starts_with("PUT") {
            expected.extend(["409", "412"]);
        }
        if name.starts_with("DELETE") && name.contains("/templates") {
            expected.insert("412");
        }
        // A template of head office is made where there is none.
        let makes = name.starts_with("PUT") && name.contains("/admin/");
        if name.contains('{') && !makes {
            expected.insert("404");
        }
        if name.starts_with("GET")
            && !name.ends_with("/queue")
            && !name.contains("/templates")
            && (name.contains("/dealer/")
                || name.ends_with("/replies")
                || name.ends_with("/analytics")
                || name.ends_with("/audit")
                || name.ends_with("/admin/dealers"))
        {
            expected.insert("422");
        }
        let there: BTreeSet<&str> = responses.keys().map(String::as_str).collect();
        assert_eq!(there, expected, "{name}");
        for (status, response) in responses {
            let headers = object(&resolved(&document, response)["headers"]);
            let mut needed = vec!["X-Request-Id"];
            if is_metered && (status.starts_with('2') || status == "429") {
                needed.extend(["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]);
            }
            match status.as_str() {
                "429" | "503" => needed.push("Retry-After"),
                "401" => needed.push("WWW-Authenticate"),
                "405" => needed.push("Allow"),
                "200" if name.ends_with("/validate-customer") => {
                    needed.extend(["Location", "Preference-Applied", "Idempotent-Replayed"])
                }
                "200" if name.ends_with("/validate-customers") => needed.push("Preference-Applied"),
                _ => {}
            }
            for header in needed {
                let header = headers
                    .get(header)
                    .unwrap_or_else(|| panic!("{name} {status} {header}"));
                assert_text(&resolved(&document, header)["description"], &name);
            }
        }
    }
}

#[test]
fn every_schema_says_something() {
    let document = document();
    walk(
        &document["components"]["schemas"],
        "",
        &mut |path, schema| {
            if let Some(properties) = schema
                .get("properties")
                .filter(|_| !path.ends_with("/properties"))
            {
                let all: BTreeSet<&String> = object(properties).keys().collect();
                for required in schema["required"].as_array().into_iter().flatten() {
                    assert!(
                        all.contains(&required.as_str().unwrap().to_owned()),
                        "{path}: {required}"
                    );
                }
                for (name, property) in object(properties) {
                    let property = resolved(&document, property);
                    assert_text(&property["description"], &format!("{path}/{name}"));
                }
            } else if schema["type"] == "object" {
                assert!(
                    schema.get("additionalProperties").is_some() || schema.get("enum").is_some(),
                    "{path}: {schema}"
                );
            }
        },
    );
}

/// Beyond four hexadecimal digits a pattern cannot go everywhere.
#[test]
fn a_text_keeps_its_pattern_exactly_when_something_is_seen_of_it() {
    let document = document();
    let body = &document["components"]["schemas"]["SubmissionBody"]["properties"];
    for field in ["namaPembawa", "tipeUnit", "noPol", "dealerId"] {
        let pattern = body[field]["pattern"].as_str().unwrap();
        let pattern = regex::Regex::new(pattern).unwrap();
        for c in (0..=0xffff).filter_map(char::from_u32) {
            let text = c.to_string();
            assert_eq!(
                pattern.is_match(&text),
                !domain::values::is_blank(&text),
                "{c:?}"
            );
        }
    }
}

#[test]
fn a_text_keeps_the_pattern_of_templates_exactly_when_it_is_one() {
    let document = document();
    let body = &document["components"]["schemas"]["TemplateBody"]["properties"]["body"];
    let pattern = regex::Regex::new(body["pattern"].as_str().unwrap()).unwrap();
    let mut texts = vec!["x".to_owned()];
    // Every order of up to four of these, behind something that is seen.
    let pieces = [
        "{",
        "}",
        "customer_name",
        "var.",
        "km",
        "K",
        "|",
        "\u{85}",
        "\n",
        " ",
        "{var.a|",
    ];
    let mut from = 0;
    for _ in 0..4 {
        let longer = texts[from..].iter();
        let longer: Vec<String> = longer
            .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")))
            .collect();
        from = texts.len();
        texts.extend(longer);
    }
    texts.extend([16, 17].map(|n| format!("x{{var.{}}}", "a".repeat(n))));
    texts.extend([100, 101].map(|n| format!("x{{var.a|{}}}", "b".repeat(n))));
    let slots = [
        "customer_name",
        "unit_type",
        "license_plate",
        "dealer_name",
        "request_date",
        "request_time",
    ];
    texts.extend(slots.map(|name| format!("{{{name}}}")));
    for text in texts {
        let parsed = domain::template::Template::parse(&text);
        assert_eq!(
            pattern.is_match(&text),
            parsed.is_ok(),
            "{text:?}: {parsed:?}"
        );
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, "", &mut |_, value| {
        if let Some(reference) = value.get("$ref") {
            resolved(&document, value);
            used.insert(reference.as_str().unwrap().to_owned());
        }
    });
    for (kind, components) in object(&document["components"]) {
        // Named, not referred to, by what they protect.
        if kind == "securitySchemes" {
            continue;
        }
        for name in object(components).keys() {
            assert!(
                used.contains(&format!("#/components/{kind}/{name}")),
                "{kind}/{name}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_documented_is_served_and_what_is_served_is_documented() {
    let service = Service::start();
    let document = document();
    let documented: BTreeSet<(String, String)> = operations(&document)
        .into_iter()
        .map(|(name, _)| {
            let (method, path) = name.split_once(' ').unwrap();
            (method.to_owned(), filled(path, "0009999"))
        })
        .collect();
    for (method, path) in &documented {
        let mut known = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter();
        let method = known.find(|known| *known == method.as_str());
        let method = method.expect("a method of the table");
        let reply = service.send(Call::new(method, path)).await;
        assert_ne!(reply.status, 405, "{method} {path}");
        let unknown = reply.status == 404 && reply.body.contains(r#""NotFound""#);
        assert!(!unknown, "{method} {path}");
    }
    // The parts of the page are no operations, and HEAD goes without saying.
    let served: BTreeSet<(String, String)> = PATHS
        .iter()
        .filter(|(_, path)| !path.starts_with("/docs/"))
        .flat_map(|(methods, path)| methods.iter().map(move |method| (method, path)))
        .filter(|(method, _)| **method != "HEAD")
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(documented, served);
}

#[tokio::test]
async fn the_examples_are_what_the_service_answers() {
    let service = Service::start();
    let document = document();
    let submit = format!("/paths/{}/post", SUBMIT.replace('/', "~1"));
    let example = |pointer: &str| {
        let found = document.pointer(pointer);
        found.unwrap_or_else(|| panic!("{pointer}")).to_string()
    };
    let json = "content/application~1json";
    let posted = example(&format!("{submit}/requestBody/{json}/example"));
    assert_eq!(posted, body());
    let other_dealer = Value::from(fields_with("dealerId", "0000001")).to_string();
    let stats = "/api/v1/customer/dealer/0009999/stats";
    let test = "/api/v1/customer/dealer/0009999/test-whatsapp";
    let test_path = test.replace("0009999", "{dealer_id}").replace('/', "~1");
    for (call, pointer) in [
        (
            Call::post(SUBMIT, posted),
            format!("{submit}/responses/200/{json}/examples/stored/value"),
        ),
        (
            Call::post(SUBMIT, other_dealer),
            format!("{submit}/responses/200/{json}/examples/unknown_dealer/value"),
        ),
        (
            Call::post(SUBMIT, "{"),
            format!("/components/responses/InvalidSubmission/{json}/examples/no_json/value"),
        ),
        (
            Call::post(SUBMIT, "[]"),
            format!("/components/responses/InvalidSubmission/{json}/examples/no_object/value"),
        ),
        (
            Call::post(SUBMIT, body()).header("Idempotency-Key", "two words"),
            format!("/components/responses/InvalidSubmission/{json}/examples/key/value"),
        ),
        (
            Call::post(SUBMIT, ""),
            format!("/components/responses/InvalidSubmission/{json}/examples/no_body/value"),
        ),
        (
            Call::post(SUBMIT, "x".repeat(65_537)),
            format!("/components/responses/PayloadTooLarge/{json}/example"),
        ),
        (
            Call::get(&format!("/{}", "x".repeat(8_192))),
            format!("/components/responses/UriTooLong/{json}/example"),
        ),
        (
            Call::get("/").header("X-Filler", &"x".repeat(33_000)),
            format!("/components/responses/HeadersTooLarge/{json}/example"),
        ),
        (
            Call::new("POST", "/api/v1/health").header("Origin", "https://evil.example"),
            format!("/components/responses/Foreign/{json}/examples/origin/value"),
        ),
        (
            Call::get("/api/v1/health").at(&["evil.example"]),
            format!("/components/responses/Foreign/{json}/examples/host/value"),
        ),
        (
            Call::new("PUT", SUBMIT),
            format!("/components/responses/MethodNotAllowed/{json}/example"),
        ),
        (
            Call::get("/api/v1/customer/request/17"),
            format!("/components/responses/RequestNotFound/{json}/example"),
        ),
        (
            Call::get("/api/v1/customer/dealer/17/stats"),
            format!("/components/responses/DealerNotFound/{json}/example"),
        ),
        (
            Call::get(&format!("{stats}?date_from=31/12/2019")),
            format!("/components/responses/InvalidQuery/{json}/example"),
        ),
        (
            Call::post(test, ""),
            format!("/paths/{test_path}/post/responses/200/{json}/example"),
        ),
        (
            Call::post(test, r#"{"target":"0712345678"}"#),
            format!("/paths/{test_path}/post/responses/422/{json}/example"),
        ),
        (
            Call::post("/api/v1/customer/dealer/17/test-whatsapp", ""),
            format!("/paths/{test_path}/post/responses/400/{json}/examples/unknown_dealer/value"),
        ),
    ] {
        let reply = service.send(call).await;
        assert_eq!(reply.body, example(&pointer), "{pointer}");
    }
    let version = format!(r#""version":"{VERSION}""#);
    for path in ["/", "/api/v1/health", "/api/v1/health/live"] {
        let pointer = format!(
            "/paths/{}/get/responses/200/{json}/example",
            path.replace('/', "~1")
        );
        let shown = example(&pointer).replace(r#""version":"0.1.0""#, &version);
        assert_eq!(service.get(path).await.body, shown, "{path}");
    }
}

#[tokio::test]
async fn the_keys_of_an_item_stand_in_the_order_of_the_document() {
    let service = Service::start();
    let call = Call::post(SUBMIT, body()).header("Prefer", "return=representation");
    let answered = service.send(call).await.json();
    let stats = service
        .get("/api/v1/customer/dealer/0009999/stats")
        .await
        .json();
    let document = document();
    for (schema, data) in [("Item", &answered["data"]), ("StatsData", &stats["data"])] {
        let properties = &document["components"]["schemas"][schema]["properties"];
        let documented: Vec<&String> = object(properties).keys().collect();
        assert_eq!(
            object(data).keys().collect::<Vec<_>>(),
            documented,
            "{schema}"
        );
    }
}
