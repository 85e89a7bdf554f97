use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use serde_json::value::RawValue;
use tables::BYTE_ORDER_MARK;

/// The most trailing zeros of a whole number, and leading zeros of a fraction, without an exponent: 308 is
/// the largest decimal exponent of a double.
const MOST_ZEROS: i128 = 308;
const MOST_ZEROS_OF_FRACTION: usize = 6;

/// The canonical form of a JSON value: equal for two texts exactly when these mean the same. Members are
/// sorted by name, of a repeated name the last one counts, and numbers are exact decimals. It is made from
/// the text, because `serde_json` holds numbers as doubles, which merge many.
///
/// # Errors
/// When the text is not JSON.
pub(crate) fn canonical(json: &[u8]) -> serde_json::Result<String> {
    let json = json
        .strip_prefix(BYTE_ORDER_MARK.as_bytes())
        .unwrap_or(json);
    let mut text = String::new();
    write_value(serde_json::from_slice(json)?, &mut text)?;
    Ok(text)
}

fn write_value(value: &RawValue, text: &mut String) -> serde_json::Result<()> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            text.push('{');
            for (n, (name, value)) in members.into_iter().enumerate() {
                if n > 0 {
                    text.push(',');
                }
                let _ = write!(text, "{}:", Value::from(name));
                write_value(value, text)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            text.push('[');
            for (n, item) in items.into_iter().enumerate() {
                if n > 0 {
                    text.push(',');
                }
                write_value(item, text)?;
            }
            text.push(']');
        }
        Some(b'"') => {
            let string: String = serde_json::from_str(json)?;
            let _ = write!(text, "{}", Value::from(string));
        }
        Some(b'-' | b'0'..=b'9') => match Decimal::of(json) {
            Some(number) => number.write(text),
            None => text.push_str(json),
        },
        _ => text.push_str(json),
    }
    Ok(())
}

/// A number: its digits, without zeros at either end, times a power of ten.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i128,
}

impl Decimal {
    /// The number of a JSON text; `None` where its exponent has more than 38 digits, so that the spelling
    /// itself is compared.
    fn of(json: &str) -> Option<Self> {
        let (mantissa, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            // Minus zero is zero.
            return Some(Self {
                negative: false,
                digits: "0".to_owned(),
                exponent: 0,
            });
        }
        let zeros = all.len() - all.trim_end_matches('0').len();
        let exponent = exponent.parse::<i128>().ok()?;
        let exponent = exponent.checked_add(zeros.try_into().ok()?)?;
        Some(Self {
            negative,
            digits: digits.to_owned(),
            exponent: exponent.checked_sub(fraction.len().try_into().ok()?)?,
        })
    }

    fn write(&self, text: &mut String) {
        let Self {
            digits, exponent, ..
        } = self;
        if self.negative {
            text.push('-');
        }
        if (0..=MOST_ZEROS).contains(exponent) {
            text.push_str(digits);
            text.extend((0..*exponent).map(|_| '0'));
            return;
        }
        // This many digits are behind the point.
        let behind = usize::try_from(-exponent).unwrap_or(usize::MAX);
        if behind < digits.len() {
            let (whole, fraction) = digits.split_at(digits.len() - behind);
            let _ = write!(text, "{whole}.{fraction}");
        } else if behind - digits.len() < MOST_ZEROS_OF_FRACTION {
            let _ = write!(text, "0.{digits:0>behind$}");
        } else {
            let _ = write!(text, "{digits}e{exponent}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(json: &str) -> String {
        canonical(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn order_white_space_and_spelling_do_not_matter() {
        let form = r#"{"a":[1,{"b":null,"c":"é\n"}],"d":0}"#;
        for json in [
            form,
            "\u{feff} {\"d\" : -0.0,\n \"a\":[ 1.0, {\"c\":\"\\u00e9\\u000a\",\"b\":null} ] }",
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

    #[test]
    fn the_same_number_has_one_form_however_it_is_spelt() {
        for (form, spellings) in [
            (
                "0",
                &[
                    "0",
                    "-0",
                    "0.0",
                    "-0.00e7",
                    "0E-99999999999999999999999999999999999999999",
                ][..],
            ),
            (
                "100",
                &[
                    "100",
                    "100.0",
                    "1e2",
                    "1E+2",
                    "10.0e1",
                    "1000e-1",
                    "1e0000002",
                ],
            ),
            ("-0.1", &["-0.1", "-1e-1", "-0.10", "-100E-3"]),
            ("123.456", &["123.456", "123456e-3", "1.234560e2"]),
            ("0.00001", &["0.00001", "1e-5"]),
            ("12e-9", &["12e-9", "1.2e-8", "0.000000012"]),
            (
                "18446744073709551616",
                &["18446744073709551616", "1.8446744073709551616e19"],
            ),
            (
                "100000000000000000000000",
                &["1e23", "100000000000000000000000.0"],
            ),
        ] {
            for spelling in spellings {
                assert_eq!(of(spelling), form, "{spelling}");
            }
        }
    }

    #[test]
    fn numbers_that_differ_have_different_forms_also_where_a_double_is_the_same() {
        let different = [
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.5",
            "18446744073709551615",
            "18446744073709551616",
            "18446744073709551617",
            "18446744073709552000",
            "-9223372036854775808",
            "-9223372036854775809",
            "-18446744073709551617",
            "123456789012345678901234567890",
            "123456789012345678901234567891",
            "0.1",
            "0.10000000000000000001",
            "0.1000000000000000055511151231257827",
            "1e23",
            "99999999999999991611392",
            "0",
            "1e-400",
            "1e-401",
            "-1e-400",
            "1e-99999999999999999999999999999999999999999",
            "1e-99999999999999999999999999999999999999998",
        ];
        for (n, one) in different.iter().enumerate() {
            for other in &different[n + 1..] {
                assert_ne!(of(one), of(other), "{one} {other}");
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
            // The order of members and white space do not matter.
            let pretty = serde_json::to_string_pretty(&serde_json::json!({ "z": 0, "v": reversed(&value) })).unwrap();
            prop_assert_eq!(of(&pretty), format!("{},\"z\":0}}", &text[..text.len() - 1]));
        }

        /// Two decimals have one form exactly when they are equal.
        #[test]
        fn two_numbers_have_one_form_exactly_when_they_are_equal(
            one in 0..10_u128.pow(22), other in 0..10_u128.pow(22), near in any::<bool>(),
            tens in -6_i32..=6, others in -6_i32..=6,
        ) {
            let other = if near { one * 10_u128.pow(tens.rem_euclid(3) as u32) } else { other };
            let scaled = |digits: u128, tens: i32| digits * 10_u128.pow((tens + 6) as u32);
            let equal = scaled(one, tens) == scaled(other, others);
            let forms = (of(&format!("{one}e{tens}")), of(&format!("{other}E{others:+}")));
            prop_assert_eq!(forms.0 == forms.1, equal, "{:?}", forms);
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
