//! The 422 answers: which field breaks which rule, in pydantic's words, which existing clients know.

use api_types::{FaultBody, Place};
use domain::requests::Fault;
use domain::template::TemplateFault;
use serde_json::{Value, json};
use tables::CellFault;

/// A broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A rule of the domain.
    Value(Fault),
    /// The text of a parameter is not a whole number.
    NotANumber,
    /// The text of a parameter is not a day.
    NotADate,
    /// The text of a parameter is neither true nor false.
    NotAFlag,
    /// A value is no list.
    NotAList,
    /// A list has no entry.
    NoEntries,
    /// A list has more entries than this.
    TooManyEntries(usize),
    /// The dates of a table begin with the month.
    DateOrder,
    /// A workbook cannot be read.
    NotAWorkbook,
    /// Bytes are not of the text's encoding.
    NotUnicode,
    /// The text of a parameter is none, or holds others, of these names.
    NoneOf(&'static str),
    /// Another rule, in words.
    Own(&'static str),
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::Value(fault)
    }
}

impl Rule {
    /// A period has too many buckets.
    pub(crate) const TOO_MANY_BUCKETS: Self = Self::Own(
        "There are at most 1,000 buckets, and hours for at most 31 days: narrow the range, or take a larger bucket",
    );

    /// A workbook would have too many rows.
    pub(crate) const TOO_MANY_ROWS: Self = Self::Own(
        "A workbook has at most 100,000 rows: narrow the range with date_from and date_to",
    );

    /// A key is wanted for a dealer that is not known.
    pub(crate) const NO_SUCH_DEALER: Self = Self::Own("No dealer has this number");

    /// A cursor was altered, or belongs to another dealer's or filter's list.
    pub(crate) const NOT_A_CURSOR: Self = Self::Own("Expected the next_cursor of the same list");

    /// An endpoint's address is a literal one that is not public.
    pub(crate) const NOT_PUBLIC: Self = Self::Own("Expected an address of the public internet");

    /// What is wrong with a cell of a table.
    pub(crate) const fn of_cell(fault: CellFault) -> Self {
        Self::Own(match fault {
            CellFault::ErrorValue => "The cell holds an error value of the spreadsheet",
            CellFault::Exponent => {
                "Nomor telepon ini ditulis Excel sebagai bilangan pangkat sehingga angkanya hilang. Ubah format \
                 kolom menjadi Teks (Text) sebelum mengisi nomor, lalu isi dan simpan lagi"
            }
            CellFault::Fraction => {
                "Nomor telepon ini ditulis sebagai bilangan pecahan (misalnya 82148523421.0). Ubah format kolom \
                 menjadi Teks (Text), atau baca kolom ini sebagai teks (pandas: dtype=str), lalu simpan lagi"
            }
            CellFault::NumberForTime => {
                "A number is no time. Give the cell a date format, or write DD/MM/YYYY HH:mm:ss"
            }
        })
    }
}

/// The fault of a value.
pub(crate) fn fault(loc: Vec<Place>, rule: impl Into<Rule>, input: Value) -> FaultBody {
    let (kind, msg, ctx) = words(rule.into());
    FaultBody {
        kind: kind.into(),
        loc,
        msg,
        input,
        ctx,
    }
}

/// A place with this name.
pub(crate) fn place(name: &'static str) -> Place {
    Place::Name(name.into())
}

/// The fault of a query parameter. Its limits are only in the sentence.
pub(crate) fn of_query(name: &'static str, rule: impl Into<Rule>, input: &str) -> FaultBody {
    let mut body = fault(vec![place("query"), place(name)], rule, input.into());
    if matches!(&*body.kind, "greater_than_equal" | "less_than_equal") {
        body.ctx = None;
    }
    body
}

/// A body that is not JSON; `offset` counts characters from 0.
pub(crate) fn json_invalid(offset: usize, error: String) -> FaultBody {
    FaultBody {
        kind: "json_invalid".into(),
        loc: vec![place("body"), Place::At(offset)],
        msg: "JSON decode error".to_owned(),
        input: json!({}),
        ctx: Some(json!({ "error": error })),
    }
}

/// A body that is no JSON object, or not declared as JSON.
pub(crate) fn not_an_object(input: Value) -> FaultBody {
    fault(vec![place("body")], Fault::NotObject, input)
}

/// No body at all.
pub(crate) fn no_body() -> FaultBody {
    fault(vec![place("body")], Fault::Missing, Value::Null)
}

/// A fault of a template, with what stands there.
pub(crate) fn of_template(loc: Vec<Place>, found: &TemplateFault, body: &str) -> FaultBody {
    let position = found.position();
    let characters = body.chars().skip(position);
    let mut first = true;
    // A brace with what it encloses, or one character.
    let piece: String = match found {
        TemplateFault::UnknownPlace { .. }
        | TemplateFault::DefaultTooLong { .. }
        | TemplateFault::TooManyVariables { .. } => characters
            .scan(false, |over, c| {
                let go_on = !*over;
                *over = c == '}';
                go_on.then_some(c)
            })
            .collect(),
        TemplateFault::MessageTooLong => body.to_owned(),
        _ => characters
            .take_while(|_| std::mem::take(&mut first))
            .collect(),
    };
    FaultBody {
        kind: "value_error".into(),
        loc,
        msg: format!("Value error, {found}"),
        input: piece.into(),
        ctx: Some(json!({ "position": position })),
    }
}

/// A malformed `Idempotency-Key`, or one that is longer than that of a bulk call may be.
pub(crate) fn of_key(input: &str, is_bulk: bool) -> FaultBody {
    let place = vec![place("header"), place("Idempotency-Key")];
    let rule = match is_bulk {
        true => Rule::Own("Expected 1 to 240 visible ASCII characters"),
        false => Fault::NotVisible.into(),
    };
    fault(place, rule, input.into())
}

/// The type, sentence and limit of a fault, in pydantic's words, which existing clients know.
fn words(rule: Rule) -> (&'static str, String, Option<Value>) {
    let plain = |kind, text: &str| (kind, text.to_owned(), None);
    let value_error = |text: &str| ("value_error", format!("Value error, {text}"), None);
    let limit =
        |kind, text: String, name: &str, limit: Value| (kind, text, Some(json!({ name: limit })));
    let fault = match rule {
        Rule::Value(fault) => fault,
        Rule::NotANumber => {
            return plain(
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            );
        }
        Rule::NotADate => {
            return plain(
                "date_from_datetime_parsing",
                "Input should be a valid date in the form YYYY-MM-DD",
            );
        }
        Rule::NotAFlag => {
            return plain(
                "bool_parsing",
                "Input should be a valid boolean, unable to interpret input",
            );
        }
        Rule::NotAList => return plain("list_type", "Input should be a valid list"),
        Rule::NoEntries => {
            let text = "List should have at least 1 entry".to_owned();
            return limit("too_short", text, "min_length", 1.into());
        }
        Rule::TooManyEntries(max) => {
            let text = format!("List should have at most {max} entries");
            return limit("too_long", text, "max_length", max.into());
        }
        Rule::DateOrder => {
            return plain(
                "date_order",
                "Dates of this table begin with the month. Expected DD/MM/YYYY",
            );
        }
        Rule::NotAWorkbook => {
            return plain(
                "workbook_parsing",
                "Input should be an Excel workbook (xlsx) without a password",
            );
        }
        Rule::NotUnicode => {
            return plain(
                "string_unicode",
                "Input should be a valid string, unable to parse raw data as a unicode string",
            );
        }
        Rule::NoneOf(expected) => {
            let text = format!("Input should be {expected}");
            return limit("enum", text, "expected", expected.into());
        }
        Rule::Own(text) => return value_error(text),
    };
    match fault {
        Fault::Missing => plain("missing", "Field required"),
        Fault::NotText => plain("string_type", "Input should be a valid string"),
        Fault::NotWhole => plain("int_type", "Input should be a valid integer"),
        Fault::NotFlag => plain("bool_type", "Input should be a valid boolean"),
        Fault::NotObject => plain(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        ),
        Fault::TooSmall { min } => limit(
            "greater_than_equal",
            format!("Input should be greater than or equal to {min}"),
            "ge",
            min.into(),
        ),
        Fault::TooLarge { max } => limit(
            "less_than_equal",
            format!("Input should be less than or equal to {max}"),
            "le",
            max.into(),
        ),
        Fault::TooShort { min } => limit(
            "string_too_short",
            format!("String should have at least {}", characters(min)),
            "min_length",
            min.into(),
        ),
        Fault::TooLong { max } => limit(
            "string_too_long",
            format!("String should have at most {}", characters(max)),
            "max_length",
            max.into(),
        ),
        Fault::ControlCharacter => value_error("Control characters are not allowed"),
        Fault::Blank => value_error("Text must not be blank"),
        Fault::Phone => value_error("Invalid Indonesian phone number format"),
        Fault::Instant => value_error(
            "Invalid datetime format. Expected RFC 3339 with an offset, such as 2026-11-22T15:40:50+07:00",
        ),
        Fault::TooFarAhead => value_error("Send time must be at most 30 days ahead"),
        Fault::Time => value_error("Invalid datetime format. Expected DD/MM/YYYY HH:mm:ss"),
        Fault::NotAKey => {
            value_error("Expected one device token of Fonnte: visible ASCII without a comma")
        }
        Fault::AddressNotAllowed => value_error(
            "Expected an https address without user information or query on one of the allowed hosts",
        ),
        Fault::NotATimeOfDay => value_error("Expected a time of day in the form HH:MM"),
        Fault::SameTimes => value_error("Quiet hours must begin and end at different times"),
        Fault::NotAChoice => value_error("Expected hold or resend"),
        Fault::NotVisible => value_error("Expected 1 to 255 visible ASCII characters"),
        Fault::UnknownTemplate => plain("template_not_found", "There is no template of that name"),
        Fault::UnknownVariable => plain("extra_forbidden", "Extra inputs are not permitted"),
        Fault::TooMany { max } => limit(
            "too_long",
            format!("Object should have at most {max} entries"),
            "max_length",
            max.into(),
        ),
        Fault::NoSecretsKey => {
            value_error("Secrets cannot be stored, because the service has no SECRETS_KEY")
        }
    }
}

/// A number of characters, in words.
fn characters(count: usize) -> String {
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
        let place = vec![place("body"), place("noTelp")];
        serde_json::to_string(&super::fault(place, fault, input)).unwrap()
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
            serde_json::to_string(&json_invalid(3, "expected value".into())).unwrap(),
            r#"{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},"ctx":{"error":"expected value"}}"#
        );
    }
}
