//! The OpenAPI document.
//!
//! It is made in four steps, so that each fact stands in one place:
//!
//! 1. paperclip collects operations, parameters and schemas from the handlers and their bodies;
//! 2. schemas that it wrote out again wherever they are used become references;
//! 3. `additions/*.json`, merge patches, add what it cannot express: limits, examples, headers, error
//!    answers, and the order in which things are shown;
//! 4. what holds for every operation is added to each, and parameters that `components` describes
//!    become references.

mod collect;
mod common;
mod merge;

use serde_json::Value;

pub(crate) use collect::define;

/// Applied in this order; the last one says in which order things are shown.
const ADDITIONS: [&str; 14] = [
    include_str!("additions/parts.json"),
    include_str!("additions/limits.json"),
    include_str!("additions/schemas.json"),
    include_str!("additions/customer.json"),
    include_str!("additions/messages.json"),
    include_str!("additions/dealer.json"),
    include_str!("additions/queue.json"),
    include_str!("additions/webhooks.json"),
    include_str!("additions/admin.json"),
    include_str!("additions/access.json"),
    include_str!("additions/persons.json"),
    include_str!("additions/health.json"),
    include_str!("additions/documentation.json"),
    include_str!("additions/general.json"),
];

/// The OpenAPI 3 document of this API as JSON text.
#[must_use]
pub fn document(version: &str) -> String {
    let mut document = collect::collected(version);
    collect::refer_to_schemas(&mut document);
    for additions in ADDITIONS {
        let additions = serde_json::from_str(additions).expect("the additions are JSON");
        merge::merge(&mut document, additions);
    }
    collect::order_paths(&mut document);
    common::complete(&mut document);
    serde_json::to_string_pretty(&document).expect("a JSON value is written as text")
}

/// A reference to a part of `components`.
fn reference(kind: &str, name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/{kind}/{name}") })
}
