//! Examples of tables: rows of the examples of a schema's fields.

use api_types::Item;
use serde_json::Value;

use super::examples::of_schema;
use super::reference;

/// Replaces `lines` and `table` of a body's content, which name the schema of a row, by an example: a line of JSON, or
/// a header and one row of CSV.
pub(super) fn exemplify(body: &mut Value, schemas: &Value) {
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    let contents = content.into_iter().flat_map(|content| content.values_mut());
    for content in contents.filter_map(Value::as_object_mut) {
        for (key, written) in [
            ("lines", line as fn(&str, &Value) -> String),
            ("table", table),
        ] {
            if let Some(Value::String(name)) = content.shift_remove(key) {
                let row = of_schema(&reference("schemas", &name), schemas);
                content.insert("example".to_owned(), written(&name, &row).into());
            }
        }
    }
}

fn line(_: &str, row: &Value) -> String {
    format!("{row}\n")
}

/// No value of an example has a comma, a quote or a line end.
fn table(name: &str, row: &Value) -> String {
    let is_column = |field: &str| name != "Item" || Item::COLUMNS.contains(&field);
    let fields = row.as_object().into_iter().flatten();
    let (header, values): (Vec<_>, Vec<_>) = fields
        .filter(|(field, _)| is_column(field))
        .map(|(field, value)| (field.as_str(), value.as_str().unwrap_or_default()))
        .unzip();
    format!("{}\r\n{}\r\n", header.join(","), values.join(","))
}
