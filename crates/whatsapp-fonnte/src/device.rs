//! What an answer to `device` means.

use chrono::{DateTime, NaiveDate};
use domain::{DeviceReport, jakarta_time};

use crate::answer::{fields, http_reason, is_disconnected, reason};
use crate::exchange::{Answer, Trouble};
use crate::fields::{Fields, Status};
use crate::redact::Redactor;
use crate::report::clean_text;

const DISCONNECTED: &str = "the WhatsApp device is disconnected";

/// The seconds since 1970 that can be the end of a package: from 2000 until the year 10000.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800..253_402_300_800;

/// The report of a call, answered or not.
pub(crate) fn report(result: Result<Answer, Trouble>, secret: &Redactor<'_>) -> DeviceReport {
    let answer = match result {
        Ok(answer) => answer,
        Err(Trouble::Unusable) => return not_ready(Trouble::Unusable.sentence()),
        Err(trouble) => return unreachable(trouble.sentence()),
    };
    let fields = fields(&answer);
    match (answer.status, &fields) {
        (300..=499, fields) => not_ready(format!(
            "Fonnte answered with {}",
            http_reason(answer.status, fields.as_ref(), secret)
        )),
        (200..=299, Some(fields)) => by_body(&answer, fields, secret),
        (500..=599, Some(fields)) if fields.status() != Status::Absent => {
            by_body(&answer, fields, secret)
        }
        (200..=299, None) => unreachable(match answer.cut {
            Some(cut) => cut.sentence(),
            None => "Fonnte's answer could not be read",
        }),
        (status, _) => unreachable(format!("Fonnte answered with HTTP {status}")),
    }
}

fn by_body(answer: &Answer, fields: &Fields<'_>, secret: &Redactor<'_>) -> DeviceReport {
    match fields.status() {
        Status::True => match fields.text_of("device_status") {
            Some(state) if state.eq_ignore_ascii_case("connect") => DeviceReport::Connected {
                text: clean_text(answer, Some(fields), secret),
                quota: fields.text_of("quota").and_then(|left| left.parse().ok()),
                expires: fields.text_of("expired").and_then(|end| last_day(&end)),
            },
            Some(state) if state.eq_ignore_ascii_case("disconnect") => not_ready(DISCONNECTED),
            Some(state) => not_ready(secret.sentence(&format!("the WhatsApp device is: {state}"))),
            None => not_ready("Fonnte did not say whether the WhatsApp device is connected"),
        },
        Status::False => match reason(fields) {
            Some(reason) if is_disconnected(&reason) => not_ready(DISCONNECTED),
            Some(reason) => not_ready(secret.sentence(&format!("Fonnte answered: {reason}"))),
            None => not_ready("Fonnte refused without a reason"),
        },
        Status::Unclear | Status::Absent => unreachable("Fonnte's answer could not be read"),
    }
}

/// The last day of a package: `31 July 2026` as `/device` writes it, or seconds since 1970 as
/// `/get-devices` does.
fn last_day(text: &str) -> Option<NaiveDate> {
    // chrono takes abbreviated names of months for whole ones, and any case.
    ["%d %B %Y", "%Y-%m-%d"]
        .into_iter()
        .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
        .or_else(|| {
            let seconds = text.parse().ok().filter(|at| PLAUSIBLE.contains(at))?;
            Some(jakarta_time(DateTime::from_timestamp(seconds, 0)?).date())
        })
}

fn not_ready(reason: impl Into<String>) -> DeviceReport {
    DeviceReport::NotReady {
        reason: reason.into(),
    }
}

fn unreachable(reason: impl Into<String>) -> DeviceReport {
    DeviceReport::Unreachable {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, text: &str) -> DeviceReport {
        let answer = Answer::of(status, text);
        report(Ok(answer), &Redactor::new("secret-key"))
    }

    #[test]
    fn a_connected_device_shows_its_profile_without_the_key() {
        for (text, clean) in [
            (
                r#"{"device":"628","device_status":"connect","quota":"78","status":true}"#,
                r#"{"device":"628","device_status":"connect","quota":"78","status":true}"#,
            ),
            (
                r#"{"Device_Status":"CONNECT","token":"secret-key","Status":"true"}"#,
                r#"{"Device_Status":"CONNECT","token":"***","Status":"true"}"#,
            ),
        ] {
            match judged(200, text) {
                DeviceReport::Connected { text, .. } => assert_eq!(text, clean),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn quota_and_end_are_read_in_every_form_and_nothing_is_made_up() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
        for (quota, expected) in [
            (r#""78""#, Some(78)),
            ("78", Some(78)),
            (r#"" 0 ""#, Some(0)),
            (r#""""#, None),
            (r#""-1""#, None),
            (r#""unlimited""#, None),
            ("1.5", None),
            ("null", None),
            ("[78]", None),
        ] {
            let text = format!(r#"{{"device_status":"connect","quota":{quota},"status":true}}"#);
            match judged(200, &text) {
                DeviceReport::Connected { quota, expires, .. } => {
                    assert_eq!((quota, expires), (expected, None), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
        for (expired, expected) in [
            (r#""18 November 2029""#, day(2029, 11, 18)),
            (r#""1 may 2026""#, day(2026, 5, 1)),
            (r#""31 Jul 2026""#, day(2026, 7, 31)),
            (r#""2026-07-31""#, day(2026, 7, 31)),
            // 06:20 on the 13th in London, 13:20 in Jakarta.
            (r#""1707782400""#, day(2024, 2, 13)),
            ("1707782400", day(2024, 2, 13)),
            // 18:00 in London is the next day in Jakarta.
            ("1707847200", day(2024, 2, 14)),
            (r#""31 February 2026""#, None),
            (r#""0""#, None),
            (r#""2026""#, None),
            (r#""-""#, None),
            (r#""99999999999999999999""#, None),
            (r#""9223372036854775807""#, None),
            ("null", None),
        ] {
            let text =
                format!(r#"{{"device_status":"connect","expired":{expired},"status":true}}"#);
            match judged(200, &text) {
                DeviceReport::Connected { quota, expires, .. } => {
                    assert_eq!((quota, expires), (None, expected), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_a_connected_device_says_what_is_wrong() {
        for (status, text, reason) in [
            (
                200,
                r#"{"reason":"invalid token","status":false}"#,
                "Fonnte answered: invalid token",
            ),
            (
                200,
                r#"{"reason":"token invalid","Status":false}"#,
                "Fonnte answered: token invalid",
            ),
            (
                200,
                r#"{"detail":"unknown user","status":false}"#,
                "Fonnte answered: unknown user",
            ),
            (
                200,
                r#"{"reason":"bad secret-key","status":false}"#,
                "Fonnte answered: bad ***",
            ),
            (
                200,
                r#"{"status":false}"#,
                "Fonnte refused without a reason",
            ),
            (
                200,
                r#"{"device_status":"disconnect","status":true}"#,
                DISCONNECTED,
            ),
            (
                200,
                r#"{"reason":"request invalid on disconnected device","status":false}"#,
                DISCONNECTED,
            ),
            (
                200,
                r#"{"device_status":"pairing","status":true}"#,
                "the WhatsApp device is: pairing",
            ),
            (
                200,
                r#"{"status":true}"#,
                "Fonnte did not say whether the WhatsApp device is connected",
            ),
            (
                500,
                r#"{"reason":"invalid token","status":false}"#,
                "Fonnte answered: invalid token",
            ),
            (302, "", "Fonnte answered with HTTP 302"),
            (429, "<html>", "Fonnte answered with HTTP 429"),
            (
                401,
                r#"{"reason":"invalid token","status":false}"#,
                "Fonnte answered with HTTP 401: invalid token",
            ),
        ] {
            assert_eq!(judged(status, text), not_ready(reason), "{status} {text}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_as_good_as_none() {
        for (status, text, reason) in [
            (200, "", "Fonnte's answer could not be read"),
            (200, "<html>", "Fonnte's answer could not be read"),
            (
                200,
                r#"{"device_status":"connect"}"#,
                "Fonnte's answer could not be read",
            ),
            (502, "<html>", "Fonnte answered with HTTP 502"),
            (503, "", "Fonnte answered with HTTP 503"),
            (500, r#"{"error":"x"}"#, "Fonnte answered with HTTP 500"),
        ] {
            assert_eq!(judged(status, text), unreachable(reason), "{status} {text}");
        }
        let silent = report(Err(Trouble::Timeout), &Redactor::new("k"));
        assert_eq!(silent, unreachable("Fonnte did not answer in time"));
        let unusable = report(Err(Trouble::Unusable), &Redactor::new("k"));
        assert!(matches!(unusable, DeviceReport::NotReady { .. }));
    }
}
