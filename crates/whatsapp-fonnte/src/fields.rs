//! Lenient access to Fonnte's JSON: names without case, texts and numbers alike.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The deepest nesting (chosen): deeper JSON is not Fonnte's, and later readers have limits, too.
const DEEPEST: usize = 64;

/// The members of a JSON object, with their values as written.
///
/// Values stay text, because a number may exceed every numeric type.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    text: &'a str,
    members: Vec<(String, &'a RawValue)>,
}

/// The value of `status` in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// True.
    True,
    /// False.
    False,
    /// Another value, or both.
    Unclear,
    /// Missing.
    Absent,
}

impl<'a> Fields<'a> {
    /// Parses a text that is exactly one JSON object.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        // Scripts saved with a byte order mark send it before their JSON.
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        if depth(text) > DEEPEST {
            return None;
        }
        let Members(members) = serde_json::from_str(text).ok()?;
        Some(Self { text, members })
    }

    /// The JSON text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The value of `status`.
    pub(crate) fn status(&self) -> Status {
        self.all("status")
            .map(
                |value| match value_text(value).to_ascii_lowercase().as_str() {
                    "true" => Status::True,
                    "false" => Status::False,
                    _ => Status::Unclear,
                },
            )
            .reduce(|a, b| if a == b { a } else { Status::Unclear })
            .unwrap_or(Status::Absent)
    }

    /// The value of a member as text, unless it is absent, null or blank.
    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        let mut texts = self.all(name).filter_map(present);
        texts.next()
    }

    /// The first element of an array, or a bare value: a text or a number of any size, as text.
    pub(crate) fn first_of(&self, name: &str) -> Option<String> {
        self.all(name).find_map(|value| {
            if !value.get().starts_with('[') {
                return scalar(value);
            }
            let elements: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            elements.first().and_then(|first| scalar(first))
        })
    }

    /// A member that is a JSON object.
    pub(crate) fn object_of(&self, name: &str) -> Option<Fields<'a>> {
        self.all(name).find_map(|value| Self::parse(value.get()))
    }

    /// All members that are JSON objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Fields<'a>> {
        let values = self.members.iter().map(|(_, value)| *value);
        values.filter_map(|value| Self::parse(value.get()))
    }

    /// All values of a member as text, repeated members included.
    pub(crate) fn all_texts_of(&self, name: &str) -> Vec<String> {
        self.all(name).filter_map(present).collect()
    }

    /// The object's JSON text without these members; the rest stays as written.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.members {
            if names.iter().any(|other| name.eq_ignore_ascii_case(other)) {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        text
    }

    /// All texts among the values.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.members
            .iter()
            .filter(|(_, value)| value.get().starts_with('"'))
            .map(|(_, value)| value_text(value))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.members
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// A JSON text without its quotes and outer white space; any other value as written.
fn value_text(value: &RawValue) -> String {
    let json = value.get();
    if !json.starts_with('"') {
        return json.to_owned();
    }
    match serde_json::from_str::<Cow<'_, str>>(json) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => json.to_owned(),
    }
}

fn present(value: &RawValue) -> Option<String> {
    Some(value_text(value)).filter(|text| !text.is_empty() && value.get() != "null")
}

/// A text or a number, but not null, true, false, an array or an object. A whole number becomes its digits.
fn scalar(value: &RawValue) -> Option<String> {
    let first = value.get().as_bytes().first()?;
    if !matches!(first, b'"' | b'-' | b'0'..=b'9') {
        return None;
    }
    let text = present(value)?;
    // Hexadecimal ids have an `e` as well.
    let is_number = *first != b'"' || !text.contains(['e', 'E']);
    Some(is_number.then(|| whole(&text)).flatten().unwrap_or(text))
}

/// The digits of a whole number such as `142223165.0` or `1.42223165e8`, as languages without integers write
/// ids.
fn whole(number: &str) -> Option<String> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().ok()?),
        None => (number, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if before.is_empty() || !all_digits(before) || !all_digits(after) {
        return None;
    }
    let mut digits = format!("{before}{after}");
    let point = before.len().checked_add_signed(exponent.into())?;
    if point > digits.len() {
        digits.push_str(&"0".repeat(point - digits.len()));
    }
    let (whole, fraction) = digits.split_at(point);
    let is_whole = !whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    is_whole.then(|| whole.to_owned())
}

/// The nesting depth of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// All members in order, repeated ones included: the last must not hide the first.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(json: &str) -> Status {
        Fields::parse(json).unwrap().status()
    }

    fn id(json: &str) -> Option<String> {
        Fields::parse(json).unwrap().first_of("id")
    }

    #[test]
    fn only_a_whole_object_is_read() {
        for text in [
            "",
            " ",
            "null",
            "true",
            "[]",
            "\"status\"",
            "<html>",
            "{\"status\":true",
            "{\"status\":true}}",
            "{\"status\":true} x",
            "{status:true}",
            "{\"a\":\"\u{0}\"}",
        ] {
            assert!(Fields::parse(text).is_none(), "{text}");
        }
        assert!(Fields::parse("\u{feff} {} \r\n").is_some());
        assert_eq!(Fields::parse(" {\"a\": 1} ").unwrap().text(), "{\"a\": 1}");
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(Fields::parse(&nested(DEEPEST - 1)).is_some());
        assert!(Fields::parse(&nested(DEEPEST)).is_none());
        assert!(Fields::parse(&nested(30_000)).is_none());
        assert!(Fields::parse(&format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(99))).is_some());
    }

    #[test]
    fn a_status_is_read_in_every_form_and_contradictions_are_unclear() {
        for json in [
            r#"{"status":true}"#,
            r#"{"Status":true}"#,
            r#"{"STATUS":"True"}"#,
            r#"{"status":" true "}"#,
            r#"{"status":true,"Status":"true"}"#,
        ] {
            assert_eq!(status(json), Status::True, "{json}");
        }
        assert_eq!(status(r#"{"Status":"FALSE"}"#), Status::False);
        for json in [
            r#"{"status":null}"#,
            r#"{"status":1}"#,
            r#"{"status":"yes"}"#,
            r#"{"status":[true]}"#,
            r#"{"status":true,"Status":false}"#,
            r#"{"status":false,"status":true}"#,
        ] {
            assert_eq!(status(json), Status::Unclear, "{json}");
        }
        assert_eq!(status(r#"{"state":true}"#), Status::Absent);
    }

    #[test]
    fn an_id_of_any_form_and_size_keeps_its_digits() {
        for (json, expected) in [
            (r#"{"id":[142223099]}"#, Some("142223099")),
            (r#"{"id":["80367170"]}"#, Some("80367170")),
            (r#"{"ID":[ "a" , 2 ]}"#, Some("a")),
            (r#"{"id":7}"#, Some("7")),
            (r#"{"id":" 7 "}"#, Some("7")),
            (
                r#"{"id":[123456789012345678901234567890]}"#,
                Some("123456789012345678901234567890"),
            ),
            (r#"{"id":[1.50]}"#, Some("1.50")),
            (r#"{"id":142223165.0}"#, Some("142223165")),
            (r#"{"id":"142223165.0"}"#, Some("142223165")),
            (r#"{"id":[142223165.000]}"#, Some("142223165")),
            (r#"{"id":1.42223165e8}"#, Some("142223165")),
            (r#"{"id":1.42223165E+8}"#, Some("142223165")),
            (r#"{"id":142e2}"#, Some("14200")),
            (r#"{"id":1420e-1}"#, Some("142")),
            (r#"{"id":1421e-1}"#, Some("1421e-1")),
            (r#"{"id":1e999}"#, Some("1e999")),
            (r#"{"id":-1.0}"#, Some("-1.0")),
            // WhatsApp's own ids are hexadecimal.
            (r#"{"id":"3E12"}"#, Some("3E12")),
            (r#"{"id":[]}"#, None),
            (r#"{"id":[null]}"#, None),
            (r#"{"id":[[1]]}"#, None),
            (r#"{"id":{"a":1}}"#, None),
            (r#"{"id":true}"#, None),
            (r#"{"id":""}"#, None),
            (r#"{"id":null,"Id":5}"#, Some("5")),
            (r#"{}"#, None),
        ] {
            assert_eq!(id(json).as_deref(), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[\\PC\\x00-\\x1f]{0,60}") {
            let _ = Fields::parse(&text);
        }
    }
}
