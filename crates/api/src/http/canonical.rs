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
    use proptest::prelude::*;

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

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(?s:.){0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\]{0,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_form_is_json_and_its_own_form(value in any_value()) {
            let form = |value: &Value| of(&serde_json::json!({ "v": value }).to_string());
            let text = form(&value);
            prop_assert_eq!(of(&text), text.as_str());
            // Members in another order, and white space, do not matter.
            let pretty = serde_json::to_string_pretty(&serde_json::json!({ "z": 0, "v": reversed(&value) })).unwrap();
            prop_assert_eq!(of(&pretty), format!("{},\"z\":0}}", &text[..text.len() - 1]));
        }
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let turned = members
                    .iter()
                    .rev()
                    .map(|(name, value)| (name.clone(), reversed(value)));
                Value::Object(turned.collect())
            }
            Value::Array(items) => items.iter().map(reversed).collect(),
            other => other.clone(),
        }
    }
}
