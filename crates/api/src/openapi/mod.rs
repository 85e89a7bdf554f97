//! The OpenAPI document.
//!
//! It is made in four steps, so that each fact has one source:
//!
//! 1. paperclip collects operations and parameters from the handlers; schemas come from `api-types`;
//! 2. `additions/*.json`, merge patches in short, add what no type can say: prose, tags, headers, error answers;
//! 3. examples follow from those of the fields and from the problems;
//! 4. the facts of the table of routes are added to each operation.

mod additions;
mod collect;
mod common;
mod examples;
mod faults;
mod merge;
mod tables;

use serde_json::Value;

/// The OpenAPI 3 document of this API as JSON text.
#[must_use]
pub fn document(version: &str) -> String {
    let mut document = collect::collected(version);
    let shared = read(include_str!("additions/components.json"));
    let operations = read(include_str!("additions/operations.json"));
    for patch in [
        read(include_str!("additions/general.json")),
        additions::operations(&operations, &shared),
        additions::components(shared),
    ] {
        merge::merge(&mut document, patch);
    }
    examples::complete(&mut document);
    common::complete(&mut document);
    serde_json::to_string_pretty(&document).expect("a JSON value is written as text")
}

fn read(additions: &str) -> Value {
    serde_json::from_str(additions).expect("the additions are JSON")
}

/// A reference to a part of `components`.
fn reference(kind: &str, name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/{kind}/{name}") })
}
