//! Classifies an answer to `device`.

use domain::delivery::BlockCause;
use domain::ports::{AccountProfile, DeviceReport};

use crate::answer::fields;
use crate::exchange::{Answer, Trouble};
use crate::fields::{Fields, Status};
use crate::profile::profile;
use crate::reason::{Blame, http_cause, http_reason, reason};
use crate::redact::Redactor;
use crate::report::clean_text;

/// The report of a call.
pub(crate) fn report(result: Result<Answer, Trouble>, secret: &Redactor<'_>) -> DeviceReport {
    let answer = match result {
        Ok(answer) => answer,
        Err(Trouble::Unusable) => {
            return not_ready(BlockCause::Other, Trouble::Unusable.sentence());
        }
        Err(trouble) => return unreachable(trouble.sentence()),
    };
    let fields = fields(&answer);
    match (answer.status, &fields) {
        (300..=499, fields) => not_ready(
            http_cause(answer.status, fields.as_ref().map(Blame::of)),
            format!(
                "Fonnte answered with {}",
                http_reason(answer.status, fields.as_ref(), secret)
            ),
        ),
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

/// Why an address is wrong, from the answer to a message without a recipient: only Fonnte's `send` refuses it
/// with `status` false. `None` for a good address.
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
    let (cause, reason) = match fields.status() {
        Status::True => match fields.text_of("device_status") {
            Some(state) if state.eq_ignore_ascii_case("connect") => {
                return DeviceReport::Connected {
                    text: clean_text(answer, Some(fields), secret),
                    profile: profile(fields),
                };
            }
            Some(state) if state.eq_ignore_ascii_case("disconnect") => disconnected(),
            Some(state) => (
                BlockCause::Device,
                secret.sentence(&format!("the WhatsApp device is: {state}")),
            ),
            None => (
                BlockCause::Other,
                "Fonnte did not say whether the WhatsApp device is connected".to_owned(),
            ),
        },
        Status::False => match (Blame::of(fields).cause(), reason(fields)) {
            (BlockCause::Device, Some(_)) => disconnected(),
            (cause, Some(reason)) => (
                cause,
                secret.sentence(&format!("Fonnte answered: {reason}")),
            ),
            (cause, None) => (cause, "Fonnte refused without a reason".to_owned()),
        },
        Status::Unclear | Status::Absent => {
            return unreachable("Fonnte's answer could not be read");
        }
    };
    DeviceReport::NotReady {
        cause,
        reason,
        profile: profile(fields),
    }
}

fn disconnected() -> (BlockCause, String) {
    let reason = "the WhatsApp device is disconnected";
    (BlockCause::Device, reason.to_owned())
}

fn not_ready(cause: BlockCause, reason: impl Into<String>) -> DeviceReport {
    DeviceReport::NotReady {
        cause,
        reason: reason.into(),
        profile: AccountProfile::default(),
    }
}

fn unreachable(reason: impl Into<String>) -> DeviceReport {
    DeviceReport::Unreachable {
        reason: reason.into(),
    }
}
