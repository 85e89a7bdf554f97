//! The report of a call to `send`: its outcome and the stored part of the answer.

use domain::delivery::{BlockCause, Outcome};
use domain::ports::SendReport;

use crate::answer::{classify, fields};
use crate::exchange::{Answer, LONGEST_ANSWER, Trouble};
use crate::fields::Fields;
use crate::redact::{Redactor, quoted, start_of};

/// The longest stored answer that is not JSON, in bytes (chosen).
const LONGEST_RAW: usize = 4 * 1024;

/// The report of a call with an answer.
pub(crate) fn answered(answer: &Answer, secret: &Redactor<'_>) -> SendReport {
    let fields = fields(answer);
    let text = clean_text(answer, fields.as_ref(), secret);
    let record = match (&fields, answer.cut) {
        // Redacted already, unless it was cut: at most three bytes early, before a whole character.
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
        Trouble::Unusable => Outcome::Blocked {
            cause: BlockCause::Other,
            reason,
        },
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

/// The answer without the key.
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
