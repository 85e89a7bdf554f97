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
