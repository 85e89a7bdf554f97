//! Examples of 422 answers, by name. They are made by what answers, so that their words are those of the
//! service.

use api_types::{FaultBody, MAX_RECENT, Place};
use domain::requests::Fault;
use domain::settings::LONGEST_PAUSE_MS;
use domain::template::Template;
use serde_json::{Value, json};

use crate::http::HIDDEN;
use crate::validation::{
    Rule, fault, json_invalid, no_body, not_an_object, of_key, of_query, of_template, place,
};

/// The summary of an example, and what it tells.
pub(super) fn named(name: &str) -> Option<(&'static str, Vec<FaultBody>)> {
    let one = |summary, fault| Some((summary, vec![fault]));
    let body = |names: &[&'static str]| -> Vec<Place> {
        let names = names.iter().copied().map(place);
        std::iter::once(place("body")).chain(names).collect()
    };
    let of = |names: &[&'static str], rule: Rule, input: Value| fault(body(names), rule, input);
    match name {
        "Date" => one(
            "Not a date",
            of_query("date_from", Rule::NotADate, "31/12/2019"),
        ),
        "PageSize" => {
            let rule = Fault::TooLarge { max: 100 };
            one("Too many", of_query("page_size", rule, "101"))
        }
        "Key" => one(
            "The Idempotency-Key is malformed",
            of_key("two words", false),
        ),
        "Fields" => Some((
            "Several fields are faulty",
            vec![
                of(&["namaPembawa"], Fault::Missing.into(), Value::Null),
                of(&["noTelp"], Fault::TooShort { min: 8 }.into(), "123".into()),
                of(&["tipeUnit"], Fault::NotText.into(), 110.into()),
                of(&["createdTime"], Fault::Time.into(), "2019-12-31".into()),
            ],
        )),
        "UnknownTemplate" => one(
            "The dealer has no such template",
            of(
                &["template"],
                Fault::UnknownTemplate.into(),
                "servis".into(),
            ),
        ),
        "OtherVariables" => Some((
            "The template has other variables",
            vec![
                of(&["variables", "km"], Fault::Missing.into(), Value::Null),
                of(
                    &["variables", "oli"],
                    Fault::UnknownVariable.into(),
                    "10W-30".into(),
                ),
            ],
        )),
        "NotJson" => one(
            "Not JSON",
            json_invalid(1, "EOF while parsing an object".to_owned()),
        ),
        "NotJsonList" => one(
            "Not JSON",
            json_invalid(1, "EOF while parsing a list".to_owned()),
        ),
        "NotAnObject" => one(
            "No JSON object, or a content type that is not JSON",
            not_an_object(json!([])),
        ),
        "NoBody" => one("No body", no_body()),
        "NotAList" => one("Not an array", of(&[], Rule::NotAList, json!({}))),
        "Column" => one(
            "A table without a column that is needed",
            of(&["noTelp"], Fault::Missing.into(), Value::Null),
        ),
        "DateOrder" => one(
            "A table whose dates begin with the month",
            of(&["createdTime"], Rule::DateOrder, "12/31/2019".into()),
        ),
        "NotAWorkbook" => one("Not a workbook", of(&[], Rule::NotAWorkbook, Value::Null)),
        "TooManyRecent" => {
            let max = i64::from(MAX_RECENT);
            let rule = Fault::TooLarge { max };
            one("Too many", of(&["recent"], rule.into(), (max + 1).into()))
        }
        "FaultyTemplate" => {
            let text = "Halo {nama}";
            let found = Template::parse(text).err()?;
            one(
                "A place that there is not",
                of_template(body(&["body"]), &found[0], text),
            )
        }
        "Target" => one(
            "Not a mobile number",
            of(&["target"], Fault::Phone.into(), "0712345678".into()),
        ),
        "Phone" => one(
            "Not a mobile number",
            of(&["phone"], Fault::Phone.into(), "0712345678".into()),
        ),
        "NoPhone" => one(
            "No phone",
            of(&["phone"], Fault::Missing.into(), Value::Null),
        ),
        "Settings" => {
            let max = LONGEST_PAUSE_MS;
            Some((
                "Several settings are faulty",
                vec![
                    of(&["fonnte_api_key"], Fault::NotAKey.into(), HIDDEN.into()),
                    of(
                        &["min_interval_ms"],
                        Fault::TooLarge { max }.into(),
                        (max + 1).into(),
                    ),
                    of(&["quiet_hours", "to"], Fault::Missing.into(), Value::Null),
                ],
            ))
        }
        "Endpoint" => one(
            "Not an address that can be posted to",
            of(&["url"], Rule::NOT_PUBLIC, "https://10.0.0.1/events".into()),
        ),
        "NoSuchDealer" => one(
            "No such dealer",
            of(&["dealer_id"], Rule::NO_SUCH_DEALER, "0000001".into()),
        ),
        _ => None,
    }
}
