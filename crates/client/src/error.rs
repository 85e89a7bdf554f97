//! Errors, by what a caller decides.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use api_types::{FaultBody, Place};
use domain::values::{IdempotencyKey, mask_phones};

/// What is behind an error.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call did not do what it was to do. Each kind is a decision of the caller. Neither these nor their
/// texts hold keys, tokens or phones.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was sent breaks rules: mend it. Nothing was done.
    #[error("the call breaks rules: {0}")]
    Invalid(Faults),
    /// The service says no, and will say so again: a dealer that is not known, a scope that the key has not,
    /// a body that is too large. Nothing was done.
    #[error("the service refuses: {0}")]
    Refused(Told),
    /// There is no key, or none that is in force. Nothing was done.
    #[error("the service does not know this key: {0}")]
    Unauthorized(Told),
    /// There is no such thing, or not for this key.
    #[error("not found: {0}")]
    NotFound(Told),
    /// The state of things does not allow it now: look at it, then decide. Nothing was done.
    #[error("the state does not allow this: {0}")]
    Conflict(Told),
    /// This caller asks too often, also after the tries that there was time for. Nothing was done.
    #[error("too many calls")]
    Limited {
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// The service could not answer within the deadline. Nothing was done: the same call may be made later.
    #[error("the service is not available")]
    Unavailable {
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
        /// What happened last.
        #[source]
        source: Source,
    },
    /// It may have been done, but no answer says so. With a key: make the same call with the same key later,
    /// within 24 hours; it is done once, and answered. Without one, look whether it was done.
    #[error("it is not known whether it was done")]
    Unknown {
        /// The key of the submission.
        idempotency_key: Option<IdempotencyKey>,
        /// What happened last.
        #[source]
        source: Source,
    },
}

/// What the service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// A name that programs can rely on, such as `MessagePending`; empty where none was told.
    pub kind: String,
    /// A sentence for a person, phones masked.
    pub message: String,
    /// By which the service's log names the call.
    pub request_id: String,
}

impl Told {
    pub(crate) fn new(status: u16, kind: &str, message: &str, request_id: &str) -> Self {
        Self {
            status,
            kind: kind.to_owned(),
            message: mask_phones(message),
            request_id: request_id.to_owned(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.message, self.status)?;
        if !self.kind.is_empty() {
            write!(f, " {}", self.kind)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Told {}

/// What is wrong with a call, for every faulty field its first broken rule. Dereferences to the faults; those
/// hold what was sent, which is not shown.
#[derive(Clone, PartialEq)]
pub struct Faults(pub(crate) Vec<FaultBody>);

impl Deref for Faults {
    type Target = [FaultBody];

    fn deref(&self) -> &[FaultBody] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            for (n, place) in fault.loc.iter().enumerate() {
                let separator = if n > 0 { "." } else { "" };
                match place {
                    Place::Name(name) => write!(f, "{separator}{name}")?,
                    Place::At(at) => write!(f, "{separator}{at}")?,
                }
            }
            write!(f, ": {}", mask_phones(&fault.msg))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_tell_where_and_why_and_not_what_was_sent() {
        let fault: FaultBody = serde_json::from_value(serde_json::json!({
            "type": "value_error", "loc": ["body", "noTelp"],
            "msg": "Value error, Invalid Indonesian phone number format", "input": "0812000012340"
        }))
        .unwrap();
        let error = Error::Invalid(Faults(vec![fault.clone(), fault]));
        let said = "body.noTelp: Value error, Invalid Indonesian phone number format";
        assert_eq!(
            error.to_string(),
            format!("the call breaks rules: {said}; {said}")
        );
        assert!(!format!("{error:?}").contains("0812000012340"));
    }

    #[test]
    fn what_the_service_says_is_told_with_phones_masked() {
        let told = Told::new(400, "ConnectionTestFailed", "081200001234 is invalid", "r");
        let error = Error::Refused(told);
        assert!(!format!("{error:?} {error}").contains("081200001234"));
        assert!(
            error.to_string().ends_with("(400 ConnectionTestFailed)"),
            "{error}"
        );
    }
}
