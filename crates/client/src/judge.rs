//! What a try means: an answer, an error for good, or another try.

use std::time::Duration;

use api_types::{ErrorReply, NotStoredMessage, NotStoredReply, ValidationReply};
use domain::values::IdempotencyKey;
use reqwest::StatusCode;

use crate::error::{Error, Faults, Source, Told};

/// The answers' types that say that nothing was done.
const BUSY: &str = "Busy";
const KEY_IN_PROGRESS: &str = "IdempotencyKeyInProgress";

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What it says about an error.
    pub(crate) fn told(&self) -> Told {
        let request_id = self.header("x-request-id").unwrap_or_default();
        let status = self.status.as_u16();
        if let Ok(reply) = serde_json::from_slice::<ErrorReply>(&self.body) {
            let error = reply.error;
            return Told::new(status, &error.kind, &error.message, request_id);
        }
        let message = match serde_json::from_slice::<NotStoredReply>(&self.body) {
            Ok(reply) => reply.message.error,
            Err(_) => self
                .status
                .canonical_reason()
                .unwrap_or("unusual status")
                .into(),
        };
        Told::new(status, "", &message, request_id)
    }
}

/// What is to be done after a try.
#[derive(Debug)]
pub(crate) enum Verdict {
    Answer(Answer),
    /// The same call would end the same way.
    Final(Error),
    /// It may end otherwise later.
    Later(Later),
}

/// Why a call is to be tried again.
#[derive(Debug)]
pub(crate) struct Later {
    /// Whether the service may have done it all the same.
    pub(crate) doubtful: bool,
    /// The caller asks too often.
    pub(crate) limited: bool,
    /// How long the service asks to wait.
    pub(crate) asked: Option<Duration>,
    pub(crate) source: Source,
}

impl Later {
    /// Nothing came back; `doubtful` tells whether anything may have been sent.
    pub(crate) fn without_answer(source: Source, doubtful: bool) -> Self {
        Self {
            doubtful,
            limited: false,
            asked: None,
            source,
        }
    }

    /// The error when there is no time for another try; `doubtful` is about all tries together.
    pub(crate) fn into_error(self, doubtful: bool, key: Option<IdempotencyKey>) -> Error {
        let (retry_after, source) = (self.asked, self.source);
        if doubtful {
            let idempotency_key = key;
            return Error::Unknown {
                idempotency_key,
                source,
            };
        }
        if self.limited {
            return Error::Limited { retry_after };
        }
        Error::Unavailable {
            retry_after,
            source,
        }
    }
}

/// Judges an answer; `asked` is its `Retry-After`.
pub(crate) fn judge(answer: Answer, asked: Option<Duration>) -> Verdict {
    let later = |told: Told, doubtful| {
        Verdict::Later(Later {
            doubtful,
            limited: told.status == StatusCode::TOO_MANY_REQUESTS.as_u16(),
            asked,
            source: told.into(),
        })
    };
    let told = answer.told();
    match answer.status.as_u16() {
        200..=299 => Verdict::Answer(answer),
        401 => Verdict::Final(Error::Unauthorized(told)),
        404 => Verdict::Final(Error::NotFound(told)),
        // The body did not arrive whole, or the caller asks too often: nothing was done.
        408 | 429 => later(told, false),
        409 if told.kind == KEY_IN_PROGRESS => later(told, true),
        409 | 412 => Verdict::Final(Error::Conflict(told)),
        422 => match serde_json::from_slice::<ValidationReply>(&answer.body) {
            Ok(reply) => Verdict::Final(Error::Invalid(Faults(reply.detail))),
            Err(_) => Verdict::Final(Error::Refused(told)),
        },
        // The database can never store it.
        500 if told.message == NotStoredMessage::NOT_STORED => Verdict::Final(Error::Refused(told)),
        503 if told.kind == BUSY => later(told, false),
        500..=599 => later(told, true),
        _ => Verdict::Final(Error::Refused(told)),
    }
}

/// Whether a caller who does not know what became of an earlier try knows it by this error.
pub(crate) fn tells_of_earlier_tries(error: &Error) -> bool {
    matches!(error, Error::Invalid(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Verdict {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: reqwest::header::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        judge(answer, None)
    }

    fn envelope(kind: &str) -> String {
        format!(r#"{{"error":{{"code":1,"message":"M","type":"{kind}"}}}}"#)
    }

    #[test]
    fn every_status_is_a_decision() {
        let not_stored =
            r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#;
        let unforeseen =
            r#"{"status":0,"message":{"error":"Terjadi kesalahan sistem"},"data":null}"#;
        let faults =
            r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#;
        let kinds = |status, body: &str| match judged(status, body) {
            Verdict::Answer(_) => "answer",
            Verdict::Final(Error::Invalid(_)) => "invalid",
            Verdict::Final(Error::Refused(_)) => "refused",
            Verdict::Final(Error::Unauthorized(_)) => "unauthorized",
            Verdict::Final(Error::NotFound(_)) => "not found",
            Verdict::Final(Error::Conflict(_)) => "conflict",
            Verdict::Final(_) => "another",
            Verdict::Later(Later { limited: true, .. }) => "limited",
            Verdict::Later(Later { doubtful: true, .. }) => "later, doubtful",
            Verdict::Later(_) => "later",
        };
        for (status, body, wanted) in [
            (200, "", "answer"),
            (204, "", "answer"),
            (301, "", "refused"),
            (400, &*envelope("NotJson"), "refused"),
            (401, &envelope("Unauthorized"), "unauthorized"),
            (403, &envelope("ScopeMissing"), "refused"),
            (404, &envelope("RequestNotFound"), "not found"),
            (408, &envelope("RequestTimeout"), "later"),
            (409, &envelope("MessagePending"), "conflict"),
            (
                409,
                &envelope("IdempotencyKeyInProgress"),
                "later, doubtful",
            ),
            (412, &envelope("PreconditionFailed"), "conflict"),
            (413, "", "refused"),
            (422, faults, "invalid"),
            (422, &envelope("IdempotencyKeyReused"), "refused"),
            (429, &envelope("RateLimited"), "limited"),
            (500, not_stored, "refused"),
            (500, unforeseen, "later, doubtful"),
            (500, "", "later, doubtful"),
            (502, "<html>", "later, doubtful"),
            (503, &envelope("Busy"), "later"),
            // The database may have stored it after its time.
            (503, not_stored, "later, doubtful"),
            (503, &envelope("Unavailable"), "later, doubtful"),
        ] {
            assert_eq!(kinds(status, body), wanted, "{status} {body}");
        }
    }
}
