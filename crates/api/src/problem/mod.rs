//! Every error answer, mapped to HTTP in one place.

mod answer;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use api_types::{ErrorReply, FaultBody, NotStoredMessage, NotStoredReply, ValidationReply};
use callers::{OverRate, Oversized};
use domain::access::Scope;
use domain::ports::{StoreError, causes};
use domain::usecases::{
    CheckError, DealerAdministrationError, EndpointError, EventError, IntakeError, LookupError,
    MessageError, Refusal, TemplateError,
};
use paperclip::v2::schema::Apiv2Errors;
use serde::Serialize;

use self::answer::Answer;

/// The challenge of a 401 (RFC 6750).
const CHALLENGE: &str = "Bearer realm=\"customer-service\"";

/// Seconds of `Retry-After` (chosen).
pub(crate) const RETRY_SECONDS: u32 = 5;

/// Why a call is answered with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request breaks rules")]
    Invalid(Vec<FaultBody>),
    #[error("there is no such path")]
    UnknownPath,
    #[error("there is no such request")]
    UnknownRequest,
    #[error("there is no such key")]
    UnknownKey,
    #[error("the phone is not opted out")]
    UnknownOptOut,
    #[error("a page of another origin asks while no keys are asked for")]
    ForeignOrigin,
    #[error("the call came to a name that is not this service's")]
    ForeignHost,
    #[error("no key was given")]
    NoKey,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the key has no scope {}", .0.as_str())]
    ScopeMissing(Scope),
    #[error("the method is not allowed")]
    MethodNotAllowed(String),
    #[error("the body has more than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body has more than {limit} rows")]
    TooManyRows { limit: usize },
    #[error("the workbook has more than {limit} bytes when unpacked")]
    UnpackedTooLarge { limit: u64 },
    #[error("the body is of a type that is not read")]
    UnsupportedMediaType,
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error("the body could not be read")]
    BodyUnreadable,
    #[error("the {part} of the address has more than {limit} bytes")]
    UriTooLong { part: &'static str, limit: usize },
    #[error("the headers have more than {limit} bytes")]
    HeadersTooLarge { limit: usize },
    #[error("the caller asks too often")]
    RateLimited { retry_seconds: u32 },
    #[error("too many requests are worked on")]
    Busy { submits: bool },
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error("something unforeseen happened to a submission")]
    UnforeseenInIntake,
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Administration(#[from] DealerAdministrationError),
    #[error("the check of dealer {dealer_id} failed")]
    Check {
        dealer_id: String,
        #[source]
        error: CheckError,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something unforeseen happened")]
    Unforeseen,
}

/// The errors of each operation are in `openapi/additions`.
impl Apiv2Errors for Problem {}

impl From<Oversized> for Problem {
    fn from(oversized: Oversized) -> Self {
        match oversized {
            Oversized::Uri { part, limit } => Self::UriTooLong { part, limit },
            Oversized::Headers { limit } => Self::HeadersTooLarge { limit },
        }
    }
}

impl From<OverRate> for Problem {
    fn from(over: OverRate) -> Self {
        let retry_seconds = over.seconds;
        Self::RateLimited { retry_seconds }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self.answer() {
            Answer::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Answer::Envelope(status, _, _) | Answer::NotStored(status, _) => status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        // Being busy is no failure, and logging it would add load. The database's texts hold no values of
        // requests.
        if self.status_code().is_server_error() && !matches!(self, Self::Busy { .. }) {
            tracing::error!(error.causes = causes(self), "{self}");
        }
        self.response()
    }
}

impl Problem {
    /// The same in the submitters' form: a key that could not be looked up is a submission that was not
    /// stored.
    pub(crate) fn of_submission(self) -> Self {
        match self {
            Self::Refused(Refusal::Store(error)) => Self::Intake(IntakeError::NotStored(error)),
            Self::Busy { .. } => Self::Busy { submits: true },
            Self::Unforeseen => Self::UnforeseenInIntake,
            other => other,
        }
    }

    /// The answer, without logging.
    pub(crate) fn response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if let Self::MethodNotAllowed(allowed) = self {
            response.insert_header((ALLOW, allowed.as_str()));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, CHALLENGE));
        }
        if let Self::RateLimited { retry_seconds } = self {
            response.insert_header((RETRY_AFTER, *retry_seconds));
        }
        let passes = matches!(self, Self::Intake(IntakeError::KeyInProgress));
        if passes || status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_SECONDS));
        }
        response.json(self.body())
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Body {
        match self.answer() {
            Answer::Validation(faults) => Body::Invalid(ValidationReply {
                detail: faults.to_vec(),
            }),
            Answer::Envelope(status, kind, message) => {
                Body::Error(ErrorReply::new(status.as_u16(), kind, message))
            }
            Answer::NotStored(_, error) => Body::NotStored(NotStoredReply {
                status: 0,
                message: NotStoredMessage {
                    error: error.into(),
                },
                data: (),
            }),
        }
    }
}

/// The body of a problem.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Invalid(ValidationReply),
    Error(ErrorReply),
    NotStored(NotStoredReply),
}
