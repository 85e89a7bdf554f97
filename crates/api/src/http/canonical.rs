use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Integers up to here are exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The JSON value of an object as a text that is the same for all texts that mean the same: members
/// by name, no white space, and whole numbers without a fraction.
pub(crate) fn canonical(fields: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_object(fields, &mut text);
    text
}

fn write_object(fields: &Map<String, Value>, text: &mut String) {
    let mut members: Vec<_> = fields.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (n, (name, value)) in members.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        let _ = write!(text, "{}:", Value::from(name.as_str()));
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => write_object(fields, text),
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    text.push(',');
                }
                write_value(item, text);
            }
            text.push(']');
        }
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < EXACT => {
                // Minus zero is zero.
                let _ = write!(text, "{:.0}", whole + 0.0);
            }
            _ => {
                let _ = write!(text, "{number}");
            }
        },
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        let Ok(Value::Object(fields)) = serde_json::from_str(json) else {
            panic!("no object: {json}")
        };
        canonical(&fields)
    }

    #[test]
    fn order_white_space_and_spelling_do_not_matter() {
        let form = r#"{"a":[1,{"b":null,"c":"é\n"}],"d":0}"#;
        for json in [
            form,
            "{\"d\" : -0.0,\n \"a\":[ 1.0, {\"c\":\"\\u00e9\\u000a\",\"b\":null} ] }",
            r#"{"d":7,"a":[1e0,{"c":"é\n","b":null}],"d":0}"#,
        ] {
            assert_eq!(of(json), form);
        }
    }

    #[test]
    fn values_matter() {
        let different = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":1.5}"#,
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"b":1}"#,
            r#"{"a":1e300}"#,
            r#"{}"#,
            r#"{"a":"","b":1}"#,
            r#"{"a":{"b":1}}"#,
        ];
        for (n, one) in different.iter().enumerate() {
            for other in &different[n + 1..] {
                assert_ne!(of(one), of(other));
            }
        }
    }
}
