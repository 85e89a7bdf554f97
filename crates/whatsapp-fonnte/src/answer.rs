//! What an answer to `send` means. Pure functions: evidence in, outcome out.

use domain::{Outcome, Receipt};

use crate::exchange::{Answer, Trouble};
use crate::fields::{Fields, Status};
use crate::profile::quota_left;
use crate::redact::Redactor;

/// No id of the provider is longer; whatever is, or is no line of text, is none.
const LONGEST_ID: usize = 100;

/// Reasons that have nothing to do with the message: the account cannot send. In small letters;
/// a part of the reason is enough.
const BLOCKING: [&str; 4] = [
    "devices must belong to an account",
    "unknown user",
    "disconnected",
    "quota",
];

/// The same, where nothing else is said. Whoever stands in front of Fonnte speaks of other tokens.
const BAD_TOKEN: [&str; 2] = ["token invalid", "invalid token"];

/// Fonnte's JSON, when the answer is a JSON object. One that is closed is complete, even where
/// the connection broke right after it.
pub(crate) fn fields(answer: &Answer) -> Option<Fields<'_>> {
    match answer.cut {
        Some(Trouble::TooLong) => None,
        _ => Fields::parse(&answer.text),
    }
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Certainly the account.
    Account,
    /// Perhaps the account.
    Unclear,
    /// The message.
    Message,
}

fn about(reason: &str) -> About {
    let reason = reason.trim().to_lowercase();
    let names = |group: &&str| reason.contains(*group);
    if BAD_TOKEN.contains(&reason.as_str()) || BLOCKING.iter().any(names) {
        About::Account
    } else if reason.contains("token") {
        About::Unclear
    } else {
        About::Message
    }
}

/// The same of an answer; of one without words whatever its texts say.
fn about_of(fields: &Fields<'_>) -> About {
    match reason(fields) {
        Some(reason) => about(&reason),
        // Only values count here: the name `quota` says nothing about why.
        None => {
            let all: Vec<About> = fields.texts().map(|text| about(&text)).collect();
            let found = |about| all.contains(&about).then_some(about);
            found(About::Account)
                .or(found(About::Unclear))
                .unwrap_or(About::Message)
        }
    }
}

/// Whether this reason says that the device is disconnected.
pub(crate) fn is_disconnected(reason: &str) -> bool {
    reason.to_lowercase().contains("disconnected")
}

/// Fonnte's words about a failure, unchecked and uncleaned.
pub(crate) fn reason(fields: &Fields<'_>) -> Option<String> {
    ["reason", "detail", "message"]
        .into_iter()
        .find_map(|name| fields.text_of(name))
}

/// `HTTP 401`, with Fonnte's words if there are any.
pub(crate) fn http_reason(
    status: u16,
    fields: Option<&Fields<'_>>,
    secret: &Redactor<'_>,
) -> String {
    match fields.and_then(reason) {
        Some(words) => secret.sentence_after(&format!("HTTP {status}: "), &words),
        None => format!("HTTP {status}"),
    }
}

/// The class of an answer to `send`, with what belongs to it.
pub(crate) fn classify(
    answer: &Answer,
    fields: Option<&Fields<'_>>,
    secret: &Redactor<'_>,
) -> Outcome {
    let status = answer.status;
    match status {
        429 | 503 => Outcome::NotSent {
            reason: http_reason(status, fields, secret),
            retry_after: answer.retry_after,
        },
        300..=499 => {
            let reason = http_reason(status, fields, secret);
            match fields.map(about_of) {
                Some(About::Account) => Outcome::Blocked { reason },
                _ => Outcome::Barred { reason },
            }
        }
        200..=299 | 500..=599 => match fields {
            Some(fields) => by_body(status, fields, secret),
            None => Outcome::Unknown {
                reason: unreadable(answer),
            },
        },
        _ => Outcome::Unknown {
            reason: format!("HTTP {status}"),
        },
    }
}

fn by_body(http: u16, fields: &Fields<'_>, secret: &Redactor<'_>) -> Outcome {
    match fields.status() {
        Status::True => Outcome::Accepted(receipt(fields, secret)),
        Status::False => refusal(fields, secret),
        Status::Unclear => Outcome::Unknown {
            reason: with_http(http, "the answer's status is neither true nor false"),
        },
        Status::Absent => Outcome::Unknown {
            reason: with_http(http, "the answer has no status"),
        },
    }
}

fn receipt(fields: &Fields<'_>, secret: &Redactor<'_>) -> Receipt {
    let is_id = |id: &String| id.len() <= LONGEST_ID && !id.contains(char::is_control);
    Receipt {
        message_id: fields.first_of("id").filter(is_id),
        request_id: fields
            .first_of("requestid")
            .and_then(|number| number.parse().ok()),
        detail: secret.sentence(&fields.text_of("detail").unwrap_or_default()),
        quota_left: quota_left(fields),
    }
}

fn refusal(fields: &Fields<'_>, secret: &Redactor<'_>) -> Outcome {
    let about = about_of(fields);
    let reason = match reason(fields) {
        Some(reason) => secret.sentence(&reason),
        None => secret.sentence(&secret.json(fields.text())),
    };
    match about {
        About::Account => Outcome::Blocked { reason },
        About::Unclear => Outcome::Barred { reason },
        About::Message => Outcome::Refused { reason },
    }
}

fn unreadable(answer: &Answer) -> String {
    let what = match answer.cut {
        Some(cut) => cut.sentence(),
        None if answer.text.trim().is_empty() => "the answer is empty",
        None => "the answer is not Fonnte's JSON",
    };
    with_http(answer.status, what)
}

fn with_http(status: u16, what: &str) -> String {
    match status {
        200 => what.to_owned(),
        _ => format!("HTTP {status}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::OutcomeKind::{self, Accepted, Blocked, NotSent, Refused, Unknown};
    use proptest::prelude::*;
    use std::time::Duration;

    fn outcome(answer: &Answer) -> Outcome {
        classify(answer, fields(answer).as_ref(), &Redactor::new("the-key"))
    }

    fn judged(status: u16, text: &str) -> (OutcomeKind, String) {
        let outcome = outcome(&Answer::of(status, text));
        (outcome.kind(), outcome.detail().to_owned())
    }

    fn receipt_of(text: &str) -> Receipt {
        match outcome(&Answer::of(200, text)) {
            Outcome::Accepted(receipt) => receipt,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_answers_of_the_live_service_are_accepted() {
        let live = r#"{"detail":"success! message in queue","id":[142223099],"process":"pending","quota":{"628120000001":{"details":"deduced from total quota","quota":967,"remaining":966,"used":1}},"requestid":369052479,"status":true,"target":["628130000002"]}"#;
        let receipt = receipt_of(live);
        assert_eq!(receipt.message_id.as_deref(), Some("142223099"));
        assert_eq!(receipt.request_id, Some(369_052_479));
        assert_eq!(receipt.detail, "success! message in queue");
        assert_eq!(receipt.quota_left, Some(966));

        let documented = r#"{"detail":"success! message in queue","id":["80367170"],"process":"pending","requestid":"2937124","Status":"True"}"#;
        let receipt = receipt_of(documented);
        assert_eq!(receipt.message_id.as_deref(), Some("80367170"));
        assert_eq!(receipt.request_id, Some(2_937_124));
    }

    #[test]
    fn a_yes_without_details_is_accepted_and_odd_details_are_left_out() {
        assert_eq!(receipt_of(r#"{"status":true}"#), Receipt::default());
        let odd =
            r#"{"status":true,"id":["a\u0000b"],"requestid":99999999999999999999,"detail":7}"#;
        let receipt = receipt_of(odd);
        assert_eq!((receipt.message_id, receipt.request_id), (None, None));
        assert_eq!(receipt.detail, "7");
        let long = format!(r#"{{"status":true,"id":["{}"]}}"#, "9".repeat(101));
        assert_eq!(receipt_of(&long).message_id, None);
    }

    #[test]
    fn a_no_is_classified_by_its_reason() {
        for (reason, expected) in [
            ("token invalid", Blocked),
            ("invalid token", Blocked),
            ("Invalid TOKEN", Blocked),
            ("devices must belong to an account", Blocked),
            ("unknown user", Blocked),
            ("request invalid on disconnected device", Blocked),
            ("insufficient quota", Blocked),
            ("target invalid", Refused),
            ("target input invalid", Refused),
            ("target required", Refused),
            ("input invalid", Refused),
            ("invalid/empty body value", Refused),
            ("JSON format invalid", Refused),
            ("unknown inbox id", Refused),
            ("url invalid", Refused),
            ("url unreachable", Refused),
            ("file format not supported", Refused),
            ("file size must under 4MB", Refused),
            ("invalid message request", Refused),
            ("something nobody has seen before", Refused),
        ] {
            for text in [
                format!(r#"{{"reason":"{reason}","requestid":1,"status":false}}"#),
                format!(r#"{{"Status":"False","Reason":" {reason}\n"}}"#),
                format!(r#"{{"detail":"{reason}","reason":null,"status":false}}"#),
                format!(r#"{{"message":"{reason}","reason":"","status":false}}"#),
            ] {
                assert_eq!(judged(200, &text), (expected, reason.to_owned()), "{text}");
                assert_eq!(judged(500, &text).0, expected, "{text}");
            }
        }
    }

    #[test]
    fn a_no_without_a_known_place_for_the_reason_shows_the_whole_answer() {
        let text = r#"{"status":false,"error":"invalid token"}"#;
        assert_eq!(judged(200, text), (Blocked, text.to_owned()));
        let text = r#"{"quota":{"628120000001":{"remaining":0}},"status":false}"#;
        assert_eq!(judged(200, text), (Refused, text.to_owned()));
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_unknown() {
        for text in [
            "",
            " \n",
            "<html>502 Bad Gateway</html>",
            "OK",
            "true",
            "null",
            "[]",
            r#"[{"status":true}]"#,
            r#"{"status":true"#,
            r#"{"detail":"success! message in queue","id":[1]}"#,
            r#"{"status":null}"#,
            r#"{"status":"ok"}"#,
            r#"{"status":1}"#,
            r#"{"status":true,"Status":false}"#,
        ] {
            for status in [200, 201, 204, 500, 502, 504, 520, 599] {
                assert_eq!(judged(status, text).0, Unknown, "{status} {text}");
            }
        }
        assert_eq!(judged(200, "").1, "the answer is empty");
        assert_eq!(
            judged(502, "x").1,
            "HTTP 502: the answer is not Fonnte's JSON"
        );
        assert_eq!(judged(200, "{}").1, "the answer has no status");
        assert_eq!(judged(700, r#"{"status":true}"#).0, Unknown);
    }

    #[test]
    fn the_http_status_decides_where_the_table_says_so() {
        let yes = r#"{"status":true,"id":[1]}"#;
        let no = r#"{"reason":"target invalid","status":false}"#;
        for text in ["", "<html>", yes, no] {
            for status in [301, 302, 307, 400, 401, 403, 404, 405, 408, 413, 422, 499] {
                assert_eq!(judged(status, text).0, Blocked, "{status} {text}");
            }
            for status in [429, 503] {
                assert_eq!(judged(status, text).0, NotSent, "{status} {text}");
            }
        }
        for status in [200, 202, 500, 502] {
            assert_eq!(judged(status, yes).0, Accepted);
            assert_eq!(judged(status, no).0, Refused);
        }
        assert_eq!(judged(302, "<html>").1, "HTTP 302");
        assert_eq!(judged(401, no).1, "HTTP 401: target invalid");
        assert_eq!(judged(429, "").1, "HTTP 429");
    }

    /// Anything else in the way may mind what the message says.
    #[test]
    fn only_fonntes_own_words_say_that_the_account_is_the_cause() {
        let outcome = |status, text: &str| outcome(&Answer::of(status, text));
        for status in [302, 400, 401, 403, 404, 406, 413, 451] {
            for text in [
                "",
                "<html>invalid token</html>",
                r#"{"reason":"target invalid","status":false}"#,
                r#"{"message":"blocked: CSRF token invalid"}"#,
                r#"{"error":"forbidden"}"#,
            ] {
                let outcome = outcome(status, text);
                assert!(matches!(outcome, Outcome::Barred { .. }), "{status} {text}");
            }
            for text in [
                r#"{"reason":"invalid token","status":false}"#,
                r#"{"Status":false,"reason":" Token invalid "}"#,
                r#"{"reason":"request invalid on disconnected device","status":false}"#,
                r#"{"error":"insufficient quota"}"#,
            ] {
                let outcome = outcome(status, text);
                assert!(
                    matches!(outcome, Outcome::Blocked { .. }),
                    "{status} {text}"
                );
            }
        }
        let unclear = outcome(200, r#"{"reason":"unknown template token","status":false}"#);
        assert!(matches!(unclear, Outcome::Barred { .. }), "{unclear:?}");
    }

    #[test]
    fn words_do_not_tell_what_the_message_says() {
        let body = "Halo Adit Pratama, HTTP 502 BeAT";
        let secret = Redactor::new("the-key").about(body);
        for (status, text, detail) in [
            (
                200,
                r#"{"status":false,"reason":"no token for Adit Pratama"}"#,
                "no token for *** ***",
            ),
            (
                502,
                r#"{"status":false,"reason":"PRATAMA is invalid"}"#,
                "*** is invalid",
            ),
            (401, r#"{"reason":"Adit"}"#, "HTTP 401: ***"),
            (429, r#"{"reason":"502 Beat"}"#, "HTTP 429: *** ***"),
            (200, r#"{"status":true,"detail":"Halo Adit"}"#, "*** ***"),
            (
                200,
                r#"{"status":false,"to":"Adit"}"#,
                r#"{"status":false,"to":"***"}"#,
            ),
        ] {
            let answer = Answer::of(status, text);
            let outcome = classify(&answer, fields(&answer).as_ref(), &secret);
            assert_eq!(outcome.detail(), detail);
        }
    }

    #[test]
    fn the_wait_that_was_asked_for_is_passed_on() {
        for status in [429, 503] {
            let asked = Answer {
                retry_after: Some(Duration::from_secs(7)),
                ..Answer::of(status, "")
            };
            assert!(matches!(
                outcome(&asked),
                Outcome::NotSent { retry_after: Some(wait), .. } if wait.as_secs() == 7
            ));
        }
    }

    #[test]
    fn a_closed_object_counts_even_when_the_connection_broke_after_it() {
        for cut in [Trouble::Broken, Trouble::Timeout] {
            let yes = Answer {
                cut: Some(cut),
                ..Answer::of(200, r#"{"status":true,"id":[5]}"#)
            };
            assert_eq!(outcome(&yes).kind(), Accepted);
            let half = Answer {
                cut: Some(cut),
                ..Answer::of(200, r#"{"detail":"success! mess"#)
            };
            assert_eq!(outcome(&half).kind(), Unknown);
            assert_eq!(outcome(&half).detail(), cut.sentence());
        }
        let long = Answer {
            cut: Some(Trouble::TooLong),
            ..Answer::of(200, r#"{"status":true,"id":[5]}"#)
        };
        assert_eq!(outcome(&long).kind(), Unknown);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_explicit_no_is_never_accepted(
            before in r#"("[a-z]{1,6}":(1|true|"[x}]"),){0,3}"#,
            name in "[sS][tT][aA][tT][uU][sS]",
            no in r#"(false|"[fF][aA][lL][sS][eE]")"#,
            after in r#"(,"(status|id|x)":(true|"true"|\[1\])){0,3}"#,
            http in 200..600_u16,
        ) {
            let text = format!("{{{before}\"{name}\":{no}{after}}}");
            prop_assert!(Fields::parse(&text).is_some());
            prop_assert_ne!(judged(http, &text).0, Accepted);
        }
    }
}
