//! What is reported about a call to `send`: its outcome and what is kept of the answer.

use domain::{Outcome, SendReport};

use crate::answer::{classify, fields};
use crate::exchange::{Answer, LONGEST_ANSWER, Trouble};
use crate::fields::Fields;
use crate::redact::{Redactor, quoted, start_of};

/// The longest answer that is not JSON and kept for people to read, in bytes.
const LONGEST_RAW: usize = 4 * 1024;

/// The report of a call that was answered.
pub(crate) fn answered(answer: &Answer, secret: &Redactor<'_>) -> SendReport {
    let fields = fields(answer);
    let text = clean_text(answer, fields.as_ref(), secret);
    let record = match (&fields, answer.cut) {
        // Not cleaned again, unless it was cut: at most three bytes early, before a whole character.
        (Some(_), _) if text.len() < LONGEST_ANSWER - 3 => text.clone(),
        (Some(fields), _) => secret.json(fields.text()),
        (None, Some(cut)) if cut.is_timeout() || text.is_empty() => error(cut),
        (None, _) => format!(
            "{{\"raw_response\":{}}}",
            quoted(start_of(&text, LONGEST_RAW))
        ),
    };
    SendReport {
        outcome: classify(answer, fields.as_ref(), secret),
        answer: record,
        text,
    }
}

/// The report of a call without an answer whose request was never written.
pub(crate) fn not_sent(trouble: Trouble) -> SendReport {
    let trouble = trouble.before_writing();
    let reason = trouble.sentence().to_owned();
    let outcome = match trouble {
        Trouble::Unusable => Outcome::Blocked { reason },
        _ => Outcome::NotSent {
            reason,
            retry_after: None,
        },
    };
    unanswered(outcome, trouble)
}

/// The report of a call without an answer whose request was written, or may have been.
pub(crate) fn unknown(trouble: Trouble) -> SendReport {
    let reason = trouble.sentence().to_owned();
    unanswered(Outcome::Unknown { reason }, trouble)
}

fn unanswered(outcome: Outcome, trouble: Trouble) -> SendReport {
    SendReport {
        outcome,
        answer: error(trouble),
        text: String::new(),
    }
}

fn error(trouble: Trouble) -> String {
    let name = if trouble.is_timeout() {
        "timeout"
    } else {
        "connection_error"
    };
    format!("{{\"error\":\"{name}\"}}")
}

/// The answer as it came, without the key.
pub(crate) fn clean_text(
    answer: &Answer,
    fields: Option<&Fields<'_>>,
    secret: &Redactor<'_>,
) -> String {
    let mut text = match fields {
        Some(fields) => secret.json(fields.text()),
        None => secret.text(&answer.text).into_owned(),
    };
    text.truncate(start_of(&text, LONGEST_ANSWER).len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::OutcomeKind::{Blocked, NotSent, Unknown};
    use proptest::prelude::*;

    const KEY: &str = "f0nnte+T0ken@1";

    fn report(answer: &Answer) -> SendReport {
        answered(answer, &Redactor::new(KEY))
    }

    #[test]
    fn a_json_object_is_recorded_as_it_came() {
        for (status, body) in [
            (200, r#"{ "status" : true, "b":1, "a":[1.50, "\/"] }"#),
            (401, r#"{"reason":"invalid token","status":false}"#),
            (502, "{}"),
        ] {
            let report = report(&Answer::of(status, &format!("{body}\n")));
            assert_eq!((report.answer.as_str(), report.text.as_str()), (body, body));
        }
    }

    #[test]
    fn an_answer_that_is_no_object_is_recorded_as_what_it_is() {
        let recorded = |cut, text: &str| {
            report(&Answer {
                cut,
                ..Answer::of(200, text)
            })
            .answer
        };
        assert_eq!(recorded(None, ""), r#"{"raw_response":""}"#);
        assert_eq!(recorded(None, "[\"a\"]"), r#"{"raw_response":"[\"a\"]"}"#);
        assert_eq!(recorded(None, "a\0b"), "{\"raw_response\":\"a\u{fffd}b\"}");
        assert_eq!(
            recorded(Some(Trouble::Broken), "{\"st"),
            r#"{"raw_response":"{\"st"}"#
        );
        assert_eq!(
            recorded(Some(Trouble::Broken), ""),
            r#"{"error":"connection_error"}"#
        );
        assert_eq!(
            recorded(Some(Trouble::Timeout), "{\"st"),
            r#"{"error":"timeout"}"#
        );
        let long = recorded(None, &"é".repeat(99_999));
        assert_eq!(long.len(), r#"{"raw_response":""}"#.len() + LONGEST_RAW);
    }

    #[test]
    fn a_call_without_an_answer_says_whether_it_was_written() {
        for (trouble, record) in [
            (Trouble::Timeout, r#"{"error":"timeout"}"#),
            (Trouble::ConnectTimeout, r#"{"error":"timeout"}"#),
            (Trouble::Broken, r#"{"error":"connection_error"}"#),
            (Trouble::Unresolved, r#"{"error":"connection_error"}"#),
            (Trouble::TooLate, r#"{"error":"connection_error"}"#),
        ] {
            for (report, kind) in [(unknown(trouble), Unknown), (not_sent(trouble), NotSent)] {
                assert_eq!(report.outcome.kind(), kind);
                assert_eq!(report.answer, record);
                assert_eq!(report.text, "");
            }
        }
        assert_eq!(not_sent(Trouble::Unusable).outcome.kind(), Blocked);
        assert_eq!(
            not_sent(Trouble::Timeout).outcome.detail(),
            "Fonnte could not be reached in time"
        );
    }

    #[test]
    fn a_repeated_key_is_left_out_everywhere() {
        let text = format!(r#"{{"reason":"invalid token {KEY}","status":false,"token":"{KEY}"}}"#);
        let report = report(&Answer::of(200, &text));
        let clean = r#"{"reason":"invalid token ***","status":false,"token":"***"}"#;
        assert_eq!(report.outcome.detail(), "invalid token ***");
        assert_eq!(
            (report.answer.as_str(), report.text.as_str()),
            (clean, clean)
        );
    }

    fn any_answer() -> impl Strategy<Value = Answer> {
        let word = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            ",",
            "\\",
            "\\u0000",
            "\\ud800",
            "\0",
            "\n",
            "é",
            "\"status\"",
            "\"Status\"",
            "true",
            "false",
            "\"true\"",
            "\"FALSE\"",
            "null",
            "1e999",
            "\"reason\":",
            "\"invalid token\"",
            "\"id\":[1]",
            "<html>",
            "{\"status\":false",
            "{\"status\":true,",
            KEY,
            "f0nnte%2BT0ken%401",
            "f0nnte\\u002bT0ken\\u00401",
        ]);
        let words = prop::collection::vec(word, 0..12).prop_map(|words| words.concat());
        let bytes = prop::collection::vec(any::<u8>(), 0..80)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let cut = prop::sample::select(vec![
            None,
            Some(Trouble::Broken),
            Some(Trouble::Timeout),
            Some(Trouble::TooLong),
        ]);
        (prop_oneof![3 => words, 1 => bytes], 100..700_u16, cut).prop_map(|(text, status, cut)| {
            Answer {
                cut,
                ..Answer::of(status, &text)
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_answer_gives_a_valid_record_without_the_key(answer in any_answer()) {
            let report = report(&answer);
            // Not read as numbers and texts of ours: JSON allows 1e999.
            prop_assert!(Fields::parse(&report.answer).is_some());
            for text in [&report.answer, &report.text, report.outcome.detail()] {
                prop_assert!(!text.contains(KEY));
                prop_assert!(!text.contains('\0'));
            }
            prop_assert!(report.outcome.detail().chars().count() <= 300);
            prop_assert!(!report.outcome.detail().contains(char::is_control));
        }
    }
}
