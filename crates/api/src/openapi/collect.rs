use std::sync::{Arc, Mutex};

use paperclip::actix::OpenApiExt as _;
use paperclip::v2::models::{DefaultApiRaw, Info};
use serde_json::Value;

use crate::routes;

/// The conventions and errors, in prose.
const DESCRIPTION: &str = include_str!("description.md");

/// The document that paperclip collects from the handlers, with the schemas of `api-types` and the paths in
/// the order of the table; paperclip sorts them by name.
pub(super) fn collected(version: &str) -> Value {
    let outline = DefaultApiRaw {
        info: Info {
            title: "customer-service".to_owned(),
            version: version.to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            ..Default::default()
        },
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
    order_paths(&mut found);
    found["components"]["schemas"] = api_types::schemas().into();
    found
}

fn order_paths(document: &mut Value) {
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        let mut found = std::mem::take(paths);
        for route in routes::ROUTES {
            if let Some((path, methods)) = found.shift_remove_entry(route.path) {
                paths.insert(path, methods);
            }
        }
    }
}

/// paperclip keeps the space between `///` and a comment's text.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_of_comments_lose_their_space() {
        let mut document = json!([{"description": " one\n two\n\n three"}]);
        join_lines(&mut document);
        assert_eq!(document, json!([{"description": "one\ntwo\n\nthree"}]));
    }
}
