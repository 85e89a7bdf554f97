//! Laws that hold for any answer or event. Property tests and fuzz targets search for counterexamples; every
//! function panics at one.

use std::time::{Duration, SystemTime};

use domain::delivery::{Outcome, OutcomeKind};
use domain::events::{EventContent, EventTopic};
use domain::ports::ProviderEvents as _;
use domain::requests::MessageState;
use httpdate::parse_http_date;
use serde::de::IgnoredAny;

use crate::exchange::Answer;
use crate::fields::{Fields, Status};
use crate::redact::Redactor;
use crate::{FonnteEvents, report};

/// The key of the account in these tests.
const KEY: &str = "f0nnte+T0ken@1";

/// An event that is JSON is parsed; its stored text has no secret and parses to the same.
///
/// # Panics
/// When a law is broken.
pub fn webhook_event(body: &[u8]) {
    let is_json = std::str::from_utf8(body).is_ok_and(|text| {
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    });
    for topic in EventTopic::ALL {
        let Some(read) = FonnteEvents.read(topic, body) else {
            assert!(!is_json);
            continue;
        };
        assert!(is_json);
        if let EventContent::Message(report) = &read.content {
            let ids: Vec<&String> = [&report.provider_id, &report.state_id]
                .into_iter()
                .flatten()
                .collect();
            assert!(!ids.is_empty());
            for id in ids {
                assert!(!id.trim().is_empty() && id.chars().count() <= 100);
                assert!(!id.chars().any(char::is_control));
            }
            let failed = report.seen == Some(MessageState::Failed);
            assert_eq!(report.reason.is_some(), failed);
        }
        if read.text.is_empty() {
            let nothing = match topic {
                EventTopic::Message => EventContent::Foreign,
                EventTopic::Status | EventTopic::Device => EventContent::Nothing,
            };
            assert_eq!(read.content, nothing);
            continue;
        }
        let again = FonnteEvents
            .read(topic, read.text.as_bytes())
            .expect("what is stored is JSON");
        assert!(again.secrets.is_empty());
        assert_eq!((again.text, again.content), (read.text, read.content));
    }
}

/// An answer to `send` is classified by the table of outcomes; the stored part is a JSON object without the
/// key.
///
/// # Panics
/// When a law is broken.
pub fn fonnte_answer(status: u16, text: &str) {
    let answer = Answer::of(status, text);
    let report = report::answered(&answer, &Redactor::new(KEY));
    let said = Fields::parse(text).map(|fields| fields.status());
    let kind = report.outcome.kind();
    let fits = match (status, said) {
        (429 | 503, _) => kind == OutcomeKind::NotSent,
        (300..=499, _) => kind == OutcomeKind::Blocked,
        (200..=299 | 500..=599, Some(Status::True)) => kind == OutcomeKind::Accepted,
        (200..=299 | 500..=599, Some(Status::False)) => {
            matches!(kind, OutcomeKind::Refused | OutcomeKind::Blocked)
        }
        _ => kind == OutcomeKind::Unknown,
    };
    assert!(fits, "{status} {said:?} is {kind:?}");
    if let Outcome::Accepted(receipt) = &report.outcome {
        let id = receipt.message_id.as_deref().unwrap_or("1");
        assert!((1..=100).contains(&id.len()) && !id.contains(char::is_control));
    }
    let kept = Fields::parse(&report.answer).expect("the record is a JSON object");
    if let Some(said) = said {
        assert_eq!(kept.status(), said);
    }
    let detail = report.outcome.detail();
    assert!(detail.chars().count() <= 300 && !detail.contains(char::is_control));
    for shown in [&report.answer, &report.text, detail] {
        assert!(!shown.contains(KEY) && !shown.contains('\0'));
    }
}

/// The current time for `Retry-After`, since 1970.
const DAYS: Duration = Duration::from_secs(20_000 * 86_400);

/// Digits are seconds; a date is never before now; all else is ignored.
///
/// # Panics
/// When a law is broken.
pub fn retry_after(value: &str) {
    let now = SystemTime::UNIX_EPOCH + DAYS;
    let wait = crate::retry_after::retry_after(value, now);
    let digits = value.trim();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(wait.map(|wait| wait.as_secs()), digits.parse().ok());
        return;
    }
    if let (Some(wait), Ok(at)) = (wait, parse_http_date(digits)) {
        assert_eq!(wait.is_zero(), at <= now);
    } else {
        assert_eq!(wait, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// JSON in and outside of Fonnte's form.
    fn any_json() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "id",
            "ID",
            "stateid",
            "status",
            "Status",
            "state",
            "secret",
            "secret_key",
            "reason",
            "detail",
            "requestid",
            "device",
            "quota",
            "é",
            "",
        ]);
        let value = prop_oneof![
            prop::sample::select(vec![
                "true",
                "false",
                "null",
                "1",
                "-0",
                "1e999",
                "\"true\"",
                "\"sent\"",
                "\"READ\"",
                "\"failed\"",
                "\"connect\"",
                "[142223099]",
                "[\"80367170\"]",
                "[]",
                "{}",
                "[null]",
                "\"token invalid\"",
                "\"\\u0000\"",
                "\"\\ud800\"",
                "\" \"",
                "\"f0nnte+T0ken@1\"",
                "\"f0nnte\\u002bT0ken@1\"",
            ])
            .prop_map(str::to_owned),
            "[0-9]{1,30}",
            "\\PC{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        let member = (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            8 => prop::collection::vec(member, 0..7).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => "(?s:.){0,60}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_event_keeps_the_laws(body in any_json(), cut in 0_usize..400) {
            webhook_event(body.as_bytes());
            webhook_event(&body.as_bytes()[..cut.min(body.len())]);
        }

        #[test]
        fn every_answer_keeps_the_laws(text in any_json(), status in 100_u16..700) {
            for status in [200, status] {
                fonnte_answer(status, &text);
            }
        }

        #[test]
        fn every_wait_keeps_the_laws(
            value in prop_oneof!["(?s:.){0,40}", "[ +-]?[0-9]{0,22}[ .s]?"],
            seconds in 0_u64..100_000_000,
        ) {
            retry_after(&value);
            let now = SystemTime::UNIX_EPOCH + DAYS;
            let date = httpdate::fmt_http_date(now + Duration::from_secs(seconds));
            let wait = crate::retry_after::retry_after(&date, now);
            prop_assert_eq!(wait.map(|wait| wait.as_secs()), Some(seconds));
        }
    }
}
