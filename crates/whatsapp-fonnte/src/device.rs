//! What an answer to `device` means.

use domain::{AccountProfile, DeviceReport};

use crate::answer::{fields, http_reason, is_disconnected, reason};
use crate::exchange::{Answer, Trouble};
use crate::fields::{Fields, Status};
use crate::profile::profile;
use crate::redact::Redactor;
use crate::report::clean_text;

const DISCONNECTED: &str = "the WhatsApp device is disconnected";

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

/// What is wrong with an address, by what came of a message without a recipient: the call `send` refuses it
/// in its own words. `None` where nothing is wrong.
pub(crate) fn wrong_address(
    result: Result<Answer, Trouble>,
    secret: &Redactor<'_>,
) -> Option<String> {
    let found = match result {
        Err(trouble) => trouble.sentence().to_owned(),
        Ok(answer) => {
            let fields = fields(&answer);
            let status = fields.as_ref().map(Fields::status);
            match (answer.status, status) {
                (200..=299, Some(Status::False)) => return None,
                (200..=299, _) => "something else answers there".to_owned(),
                (status, _) => format!(
                    "Fonnte answered with {}",
                    http_reason(status, fields.as_ref(), secret)
                ),
            }
        }
    };
    Some(format!(
        "the address does not lead to Fonnte's call `send` ({found}); is the path /send meant?"
    ))
}

fn by_body(answer: &Answer, fields: &Fields<'_>, secret: &Redactor<'_>) -> DeviceReport {
    let reason = match fields.status() {
        Status::True => match fields.text_of("device_status") {
            Some(state) if state.eq_ignore_ascii_case("connect") => {
                return DeviceReport::Connected {
                    text: clean_text(answer, Some(fields), secret),
                    profile: profile(fields),
                };
            }
            Some(state) if state.eq_ignore_ascii_case("disconnect") => DISCONNECTED.to_owned(),
            Some(state) => secret.sentence(&format!("the WhatsApp device is: {state}")),
            None => "Fonnte did not say whether the WhatsApp device is connected".to_owned(),
        },
        Status::False => match reason(fields) {
            Some(reason) if is_disconnected(&reason) => DISCONNECTED.to_owned(),
            Some(reason) => secret.sentence(&format!("Fonnte answered: {reason}")),
            None => "Fonnte refused without a reason".to_owned(),
        },
        Status::Unclear | Status::Absent => {
            return unreachable("Fonnte's answer could not be read");
        }
    };
    DeviceReport::NotReady {
        reason,
        profile: profile(fields),
    }
}

fn not_ready(reason: impl Into<String>) -> DeviceReport {
    DeviceReport::NotReady {
        reason: reason.into(),
        profile: AccountProfile::default(),
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
    use chrono::NaiveDate;

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
            let report = judged(200, text);
            assert!(matches!(report, DeviceReport::Connected { text, .. } if text == clean));
        }
    }

    #[test]
    fn an_account_is_shown_whether_its_device_is_connected_or_not() {
        for state in ["connect", "disconnect"] {
            let text = format!(
                r#"{{"device_status":"{state}","expired":"31 July 2026","quota":"78","status":true}}"#
            );
            let profile = judged(200, &text).profile().unwrap();
            assert_eq!(profile.quota_left, Some(78));
            assert_eq!(profile.expires_on, NaiveDate::from_ymd_opt(2026, 7, 31));
        }
        assert_eq!(judged(502, "").profile(), None);
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
