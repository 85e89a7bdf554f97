//! The 422 answers: which field breaks which rule, in the words existing clients know.

use domain::{Fault, Field};
use paperclip::actix::Apiv2Schema;
use serde::Serialize;
use serde_json::{Value, json};

/// A place in a body, query, path or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Place {
    Name(&'static str),
    Offset(usize),
}

impl paperclip::v2::schema::Apiv2Schema for Place {}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Serialize, Apiv2Schema)]
pub(crate) struct FaultBody {
    /// The kind of fault, a name that programs can rely on.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it is: `body`, `query` or `header`, then the field; of a body that is not JSON, the
    /// character, counted from 0; of a whole body, `body` alone.
    loc: Vec<Place>,
    /// A sentence for a person.
    msg: String,
    /// The offending value, whatever it is; null where there is none, an empty object where the
    /// body is not JSON.
    input: Value,
    /// The limit that was broken, or why the body is not JSON; absent where there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
}

/// The body of a 422.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ValidationReply {
    /// For every faulty field its first broken rule, in field order.
    pub(crate) detail: Vec<FaultBody>,
}

impl FaultBody {
    fn new(kind: &'static str, loc: Vec<Place>, msg: impl Into<String>, input: Value) -> Self {
        Self {
            kind,
            loc,
            msg: msg.into(),
            input,
            ctx: None,
        }
    }

    /// A fault at any place.
    pub(crate) fn at(
        kind: &'static str,
        loc: Vec<Place>,
        msg: String,
        input: Value,
        ctx: Option<Value>,
    ) -> Self {
        Self {
            ctx,
            ..Self::new(kind, loc, msg, input)
        }
    }

    /// A field of a JSON body.
    pub(crate) fn of_field(name: &'static str, fault: Fault, input: Value) -> Self {
        let (kind, msg, ctx) = words(fault);
        let mut body = Self::new(
            kind,
            vec![Place::Name("body"), Place::Name(name)],
            msg,
            input,
        );
        body.ctx = ctx;
        body
    }

    /// A field of a JSON body that breaks a rule of its own.
    pub(crate) fn of_value(name: &'static str, words: &str, input: Value) -> Self {
        let place = vec![Place::Name("body"), Place::Name(name)];
        Self::new("value_error", place, format!("Value error, {words}"), input)
    }

    /// A body that is no JSON; `offset` counts characters from 0.
    pub(crate) fn json_invalid(offset: usize, error: String) -> Self {
        let mut body = Self::new(
            "json_invalid",
            vec![Place::Name("body"), Place::Offset(offset)],
            "JSON decode error",
            json!({}),
        );
        body.ctx = Some(json!({ "error": error }));
        body
    }

    /// A body that is no JSON object, or not said to be JSON.
    pub(crate) fn not_an_object(input: Value) -> Self {
        Self::new(
            "model_attributes_type",
            vec![Place::Name("body")],
            "Input should be a valid dictionary or object to extract fields from",
            input,
        )
    }

    /// No body at all.
    pub(crate) fn no_body() -> Self {
        Self::new(
            "missing",
            vec![Place::Name("body")],
            "Field required",
            Value::Null,
        )
    }

    /// A malformed `Idempotency-Key`.
    pub(crate) fn of_key(input: &str) -> Self {
        Self::new(
            "value_error",
            vec![Place::Name("header"), Place::Name("Idempotency-Key")],
            "Value error, Expected 1 to 255 visible ASCII characters",
            Value::from(input),
        )
    }

    /// A parameter of the query string.
    pub(crate) fn of_query(name: &'static str, fault: QueryFault, input: &str) -> Self {
        let (kind, msg) = match fault {
            QueryFault::NotANumber => (
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer".to_owned(),
            ),
            QueryFault::BelowMinimum(minimum) => (
                "greater_than_equal",
                format!("Input should be greater than or equal to {minimum}"),
            ),
            QueryFault::AboveMaximum(maximum) => (
                "less_than_equal",
                format!("Input should be less than or equal to {maximum}"),
            ),
            QueryFault::NotADate => (
                "date_from_datetime_parsing",
                "Input should be a valid date in the form YYYY-MM-DD".to_owned(),
            ),
            QueryFault::NoneOf(expected) => ("enum", format!("Input should be {expected}")),
            QueryFault::TooShort(least) => (
                "string_too_short",
                format!("String should have at least {}", characters(least)),
            ),
            QueryFault::TooLong(most) => (
                "string_too_long",
                format!("String should have at most {}", characters(most)),
            ),
            QueryFault::ControlCharacter => (
                "value_error",
                "Value error, Control characters are not allowed".to_owned(),
            ),
            QueryFault::NotACursor => (
                "value_error",
                "Value error, Expected the next_cursor of the same list".to_owned(),
            ),
        };
        let mut body = Self::new(
            kind,
            vec![Place::Name("query"), Place::Name(name)],
            msg,
            Value::from(input),
        );
        body.ctx = match fault {
            QueryFault::NoneOf(expected) => Some(json!({ "expected": expected })),
            QueryFault::TooShort(least) => Some(json!({ "min_length": least })),
            QueryFault::TooLong(most) => Some(json!({ "max_length": most })),
            _ => None,
        };
        body
    }
}

/// What is wrong with a parameter of the query string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryFault {
    NotANumber,
    BelowMinimum(u64),
    AboveMaximum(u64),
    NotADate,
    /// Not, or not only, of these names.
    NoneOf(&'static str),
    TooShort(usize),
    TooLong(usize),
    ControlCharacter,
    /// Altered, or of another dealer's or another filter's list.
    NotACursor,
}

/// The wire's name of a field; Indonesian, as the clients know it.
pub(crate) const fn wire_name(field: Field) -> &'static str {
    match field {
        Field::CustomerName => "namaPembawa",
        Field::Phone => "noTelp",
        Field::UnitType => "tipeUnit",
        Field::LicensePlate => "noPol",
        Field::CreatedTime => "createdTime",
        Field::ModifiedTime => "modifiedTime",
        Field::DealerId => "dealerId",
        Field::SendAt => "sendAt",
    }
}

fn words(fault: Fault) -> (&'static str, String, Option<Value>) {
    let value_error = |text: &str| ("value_error", format!("Value error, {text}"), None);
    match fault {
        Fault::Missing => ("missing", "Field required".to_owned(), None),
        Fault::NotText => (
            "string_type",
            "Input should be a valid string".to_owned(),
            None,
        ),
        Fault::TooShort { min } => (
            "string_too_short",
            format!("String should have at least {}", characters(min)),
            Some(json!({ "min_length": min })),
        ),
        Fault::TooLong { max } => (
            "string_too_long",
            format!("String should have at most {}", characters(max)),
            Some(json!({ "max_length": max })),
        ),
        Fault::ControlCharacter => value_error("Control characters are not allowed"),
        Fault::Blank => value_error("Text must not be blank"),
        Fault::Phone => value_error("Invalid Indonesian phone number format"),
        Fault::Instant => value_error(
            "Invalid datetime format. Expected RFC 3339 with an offset, such as 2026-11-22T15:40:50+07:00",
        ),
        Fault::TooFarAhead => value_error("Send time must be at most 30 days ahead"),
        Fault::Time => value_error("Invalid datetime format. Expected DD/MM/YYYY HH:mm:ss"),
    }
}

/// So many characters, in words.
pub(crate) fn characters(count: usize) -> String {
    if count == 1 {
        "1 character".to_owned()
    } else {
        format!("{count} characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fault: Fault, input: Value) -> String {
        serde_json::to_string(&FaultBody::of_field("noTelp", fault, input)).unwrap()
    }

    #[test]
    fn faults_have_the_keys_and_words_that_clients_know() {
        assert_eq!(
            shown(Fault::TooShort { min: 8 }, "123".into()),
            r#"{"type":"string_too_short","loc":["body","noTelp"],"msg":"String should have at least 8 characters","input":"123","ctx":{"min_length":8}}"#
        );
        assert_eq!(
            shown(Fault::TooShort { min: 1 }, "".into()),
            r#"{"type":"string_too_short","loc":["body","noTelp"],"msg":"String should have at least 1 character","input":"","ctx":{"min_length":1}}"#
        );
        assert_eq!(
            shown(Fault::Missing, Value::Null),
            r#"{"type":"missing","loc":["body","noTelp"],"msg":"Field required","input":null}"#
        );
        assert_eq!(
            shown(Fault::Phone, "0712345678".into()),
            r#"{"type":"value_error","loc":["body","noTelp"],"msg":"Value error, Invalid Indonesian phone number format","input":"0712345678"}"#
        );
    }

    #[test]
    fn a_body_that_is_no_json_says_where() {
        assert_eq!(
            serde_json::to_string(&FaultBody::json_invalid(3, "expected value".into())).unwrap(),
            r#"{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},"ctx":{"error":"expected value"}}"#
        );
    }
}
