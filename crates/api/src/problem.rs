//! Every error answer, mapped to HTTP in one place.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use api_types::{ErrorReply, FaultBody, NotStoredMessage, NotStoredReply, ValidationReply};
use callers::Oversized;
use domain::access::Scope;
use domain::ports::{MAX_TEMPLATES, StoreError};
use domain::usecases::{
    CheckError, DealerAdministrationError, EventError, IntakeError, LookupError, MessageError,
    Refusal, TemplateError,
};
use paperclip::v2::schema::Apiv2Errors;
use serde::Serialize;

const DEALER_NOT_FOUND: &str = "Dealer not found or inactive";
const NOT_STORED: &str = "Gagal menyimpan data ke database";
const UNFORESEEN: &str = "Terjadi kesalahan sistem";

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
    Report(#[from] EventError),
    #[error(transparent)]
    Desk(#[from] DealerAdministrationError),
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

/// The parts of an error answer.
enum Answer<'a> {
    Validation(&'a [FaultBody]),
    Envelope(StatusCode, &'static str, String),
    NotStored(StatusCode, &'static str),
}

impl From<Oversized> for Problem {
    fn from(oversized: Oversized) -> Self {
        match oversized {
            Oversized::Uri { part, limit } => Self::UriTooLong { part, limit },
            Oversized::Headers { limit } => Self::HeadersTooLarge { limit },
        }
    }
}

impl Problem {
    /// The one mapping of errors to HTTP.
    fn answer(&self) -> Answer<'_> {
        match self {
            Self::Invalid(faults) => Answer::Validation(faults),
            Self::Intake(error) => match error {
                IntakeError::UnknownDealer | IntakeError::InactiveDealer => {
                    Answer::NotStored(StatusCode::OK, "Dealer tidak ditemukan atau tidak aktif")
                }
                IntakeError::NoAccount(_) => Answer::NotStored(
                    StatusCode::OK,
                    "Konfigurasi WhatsApp tidak tersedia untuk dealer ini",
                ),
                IntakeError::NotStored(StoreError::Unavailable(_)) => {
                    Answer::NotStored(StatusCode::SERVICE_UNAVAILABLE, NOT_STORED)
                }
                IntakeError::NotStored(StoreError::Rejected(_)) => {
                    Answer::NotStored(StatusCode::INTERNAL_SERVER_ERROR, NOT_STORED)
                }
                IntakeError::ForeignDealer => envelope(
                    StatusCode::FORBIDDEN,
                    "ForeignDealer",
                    "This key is not for the dealer of the body",
                ),
                IntakeError::KeyReused => envelope(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "IdempotencyKeyReused",
                    "This Idempotency-Key was used for another body",
                ),
                IntakeError::KeyInProgress => envelope(
                    StatusCode::CONFLICT,
                    "IdempotencyKeyInProgress",
                    "The first request with this Idempotency-Key is still in progress",
                ),
                // The handler answers invalid submissions itself, with the values sent.
                IntakeError::NotStored(StoreError::Corrupt(_)) | IntakeError::Invalid(_) => {
                    Answer::NotStored(StatusCode::INTERNAL_SERVER_ERROR, UNFORESEEN)
                }
            },
            Self::UnforeseenInIntake => {
                Answer::NotStored(StatusCode::INTERNAL_SERVER_ERROR, UNFORESEEN)
            }
            Self::UnknownPath => envelope(StatusCode::NOT_FOUND, "NotFound", "Not Found"),
            Self::UnknownRequest => envelope(
                StatusCode::NOT_FOUND,
                "RequestNotFound",
                "Request not found",
            ),
            Self::UnknownKey => envelope(StatusCode::NOT_FOUND, "ApiKeyNotFound", "Key not found"),
            Self::ForeignOrigin => envelope(
                StatusCode::FORBIDDEN,
                "ForeignOrigin",
                "Without API keys web pages of other origins may change nothing; ALLOWED_ORIGINS lists those that may",
            ),
            Self::ForeignHost => envelope(
                StatusCode::FORBIDDEN,
                "ForeignHost",
                "Without API keys this name is not answered: use localhost, a loopback address or SERVICE_HOST, or set API_AUTH",
            ),
            Self::NoKey => envelope(
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "An API key is required: Authorization: Bearer <key>, or X-API-Key: <key>",
            ),
            Self::Refused(refusal) => match refusal {
                Refusal::Invalid => unauthorized("The API key is not valid"),
                Refusal::Expired => unauthorized("The API key has expired"),
                Refusal::Revoked => unauthorized("The API key was revoked"),
                Refusal::Store(error) => store(error),
            },
            Self::ScopeMissing(scope) => envelope(
                StatusCode::FORBIDDEN,
                "ScopeMissing",
                format!("This needs a key with the scope {}", scope.as_str()),
            ),
            Self::MethodNotAllowed(_) => envelope(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "Method Not Allowed",
            ),
            Self::BodyTooLarge { limit } => envelope(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLarge",
                format!("The body has more than {limit} bytes"),
            ),
            Self::TooManyRows { limit } => envelope(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLarge",
                format!("The body has more than {limit} rows"),
            ),
            Self::UnpackedTooLarge { limit } => envelope(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLarge",
                format!("The workbook has more than {limit} bytes when unpacked"),
            ),
            Self::UnsupportedMediaType => envelope(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "Expected application/json, application/x-ndjson, text/csv or an Excel workbook (xlsx), not compressed",
            ),
            Self::BodyTooSlow => envelope(
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeout",
                "The body did not arrive in time",
            ),
            Self::BodyUnreadable => envelope(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "The body could not be read",
            ),
            Self::UriTooLong { part, limit } => envelope(
                StatusCode::URI_TOO_LONG,
                "UriTooLong",
                format!("The {part} of the address has more than {limit} bytes"),
            ),
            Self::HeadersTooLarge { limit } => envelope(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "HeadersTooLarge",
                format!("The headers have more than {limit} bytes"),
            ),
            Self::RateLimited { .. } => envelope(
                StatusCode::TOO_MANY_REQUESTS,
                "RateLimited",
                "Too many requests; try again after Retry-After seconds",
            ),
            // Submitters know this sentence: nothing was stored.
            Self::Busy { submits: true } => {
                Answer::NotStored(StatusCode::SERVICE_UNAVAILABLE, NOT_STORED)
            }
            Self::Busy { submits: false } => envelope(
                StatusCode::SERVICE_UNAVAILABLE,
                "Busy",
                "The service has too many requests at once",
            ),
            Self::Lookup(LookupError::UnknownDealer) => {
                envelope(StatusCode::NOT_FOUND, "DealerNotFound", DEALER_NOT_FOUND)
            }
            Self::Message(error) => match error {
                // The handler answers invalid orders itself: it knows what was sent.
                MessageError::Invalid(_) => unforeseen(),
                MessageError::UnknownRequest => Self::UnknownRequest.answer(),
                MessageError::Pending => envelope(
                    StatusCode::CONFLICT,
                    "MessagePending",
                    "A message of this request is still queued or being sent",
                ),
                MessageError::NotCancellable => envelope(
                    StatusCode::CONFLICT,
                    "MessageNotCancellable",
                    "No message of this request is queued",
                ),
                MessageError::NotSendable => envelope(
                    StatusCode::CONFLICT,
                    "MessageNotSendable",
                    "No message can be made for this request: its phone is not a mobile number, or its dealer is unknown or not active",
                ),
                MessageError::Store(error) => store(error),
            },
            Self::Template(error) => match error {
                TemplateError::UnknownDealer => {
                    envelope(StatusCode::NOT_FOUND, "DealerNotFound", DEALER_NOT_FOUND)
                }
                TemplateError::UnknownTemplate => envelope(
                    StatusCode::NOT_FOUND,
                    "TemplateNotFound",
                    "Template not found",
                ),
                TemplateError::Overtaken => envelope(
                    StatusCode::PRECONDITION_FAILED,
                    "PreconditionFailed",
                    "Another version of this template is in force than If-Match names",
                ),
                TemplateError::TooMany => envelope(
                    StatusCode::CONFLICT,
                    "TooManyTemplates",
                    format!("There are {MAX_TEMPLATES} templates already"),
                ),
                // The handler answers texts that are no templates itself.
                TemplateError::Invalid(_) => unforeseen(),
                TemplateError::Store(error) => store(error),
            },
            Self::Report(error) => match error {
                EventError::UnknownAddress => Self::UnknownPath.answer(),
                EventError::NotJson => {
                    envelope(StatusCode::BAD_REQUEST, "NotJson", "The body is not JSON")
                }
                EventError::Store(error) => store(error),
            },
            Self::Desk(DealerAdministrationError::UnknownDealer) => {
                envelope(StatusCode::NOT_FOUND, "DealerNotFound", "Dealer not found")
            }
            // The handler answers invalid settings itself, with the values sent.
            Self::Desk(DealerAdministrationError::Invalid(_)) => unforeseen(),
            Self::Lookup(LookupError::Store(error))
            | Self::Desk(DealerAdministrationError::Store(error))
            | Self::Store(error) => store(error),
            Self::Check { dealer_id, error } => match error {
                CheckError::UnknownDealer => {
                    envelope(StatusCode::BAD_REQUEST, "DealerNotFound", DEALER_NOT_FOUND)
                }
                CheckError::NoAccount(_) => envelope(
                    StatusCode::BAD_REQUEST,
                    "NoFonnteConfiguration",
                    format!("No Fonnte configuration found for dealer {dealer_id}"),
                ),
                CheckError::Failed { reason } => envelope(
                    StatusCode::BAD_REQUEST,
                    "ConnectionTestFailed",
                    reason.as_str(),
                ),
                CheckError::LaneBusy => envelope(
                    StatusCode::BAD_REQUEST,
                    "LaneBusy",
                    "The dealer's other messages left no turn for the test within 10 seconds",
                ),
                CheckError::Store(error) => store(error),
            },
            Self::Unforeseen => unforeseen(),
        }
    }
}

fn envelope(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    Answer::Envelope(status, kind, message.into())
}

fn store(error: &StoreError) -> Answer<'static> {
    match error {
        StoreError::Unavailable(_) => envelope(
            StatusCode::SERVICE_UNAVAILABLE,
            "Unavailable",
            "The service cannot answer now",
        ),
        StoreError::Corrupt(_) | StoreError::Rejected(_) => unforeseen(),
    }
}

fn unauthorized(message: &'static str) -> Answer<'static> {
    envelope(StatusCode::UNAUTHORIZED, "Unauthorized", message)
}

fn unforeseen() -> Answer<'static> {
    envelope(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalServerError",
        "Internal server error",
    )
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self.answer() {
            Answer::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Answer::Envelope(status, _, _) | Answer::NotStored(status, _) => status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        // Being busy is no failure, and logging it would add load.
        if self.status_code().is_server_error() && !matches!(self, Self::Busy { .. }) {
            log_failure(self);
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

/// Logs a failure once, with all its sources. The database's texts hold no values of requests.
fn log_failure(error: &dyn std::error::Error) {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    tracing::error!(error.causes = causes.join(": "), "{error}");
}
