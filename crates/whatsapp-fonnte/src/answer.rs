//! Classifies an answer to `send`. Pure functions: evidence in, outcome out.

use domain::delivery::{Outcome, Receipt};

use crate::exchange::{Answer, Trouble};
use crate::fields::{Fields, Status};
use crate::profile::quota_left;
use crate::reason::{Blame, http_cause, http_reason, reason};
use crate::redact::Redactor;

/// The longest id of the provider (chosen); a longer one, or one with control characters, is ignored.
const LONGEST_ID: usize = 100;

/// Fonnte's JSON, when the answer is a JSON object. A closed object is complete, even where the connection
/// broke right after it.
pub(crate) fn fields(answer: &Answer) -> Option<Fields<'_>> {
    match answer.cut {
        Some(Trouble::TooLong) => None,
        _ => Fields::parse(&answer.text),
    }
}

/// The outcome of an answer to `send`.
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
            let blame = fields.map(Blame::of);
            let cause = http_cause(status, blame);
            match blame {
                Some(Blame::Account(_)) => Outcome::Blocked { cause, reason },
                _ => Outcome::Barred { cause, reason },
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
    let blame = Blame::of(fields);
    let reason = match reason(fields) {
        Some(reason) => secret.sentence(&reason),
        None => secret.sentence(&secret.json(fields.text())),
    };
    match blame {
        Blame::Account(cause) => Outcome::Blocked { cause, reason },
        Blame::Unclear(cause) => Outcome::Barred { cause, reason },
        Blame::Message => Outcome::Refused { reason },
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
