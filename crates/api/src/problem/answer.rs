//! The one mapping of errors to HTTP.

use actix_web::http::StatusCode;
use api_types::{FaultBody, NotStoredMessage};
use domain::ports::{MAX_TEMPLATES, StoreError};
use domain::usecases::{
    CheckError, DealerAdministrationError, EndpointError, EventError, IntakeError, LookupError,
    MessageError, Refusal, TemplateError,
};

use super::Problem;

const DEALER_NOT_FOUND: &str = "Dealer not found or inactive";
const NOT_STORED: &str = NotStoredMessage::NOT_STORED;
const UNFORESEEN: &str = NotStoredMessage::UNFORESEEN;

/// The parts of an error answer.
pub(super) enum Answer<'a> {
    Validation(&'a [FaultBody]),
    Envelope(StatusCode, &'static str, String),
    NotStored(StatusCode, &'static str),
}

impl Problem {
    /// The one mapping of errors to HTTP.
    pub(super) fn answer(&self) -> Answer<'_> {
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
                IntakeError::ForeignDealer => forbidden(
                    "ForeignDealer",
                    "This key is not for the dealer of the body",
                ),
                IntakeError::KeyReused => envelope(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "IdempotencyKeyReused",
                    "This Idempotency-Key was used for another body",
                ),
                IntakeError::KeyInProgress => conflict(
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
            Self::UnknownPath => not_found("NotFound", "Not Found"),
            Self::UnknownRequest => not_found("RequestNotFound", "Request not found"),
            Self::UnknownKey => not_found("ApiKeyNotFound", "Key not found"),
            Self::UnknownOptOut => not_found("OptOutNotFound", "This phone is not opted out"),
            Self::ForeignOrigin => forbidden(
                "ForeignOrigin",
                "Without API keys web pages of other origins may change nothing; ALLOWED_ORIGINS lists those that may",
            ),
            Self::ForeignHost => forbidden(
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
            Self::ScopeMissing(scope) => forbidden(
                "ScopeMissing",
                format!("This needs a key with the scope {}", scope.as_str()),
            ),
            Self::MethodNotAllowed(_) => envelope(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "Method Not Allowed",
            ),
            Self::BodyTooLarge { limit } => too_large(
                "PayloadTooLarge",
                format!("The body has more than {limit} bytes"),
            ),
            Self::TooManyRows { limit } => too_large(
                "PayloadTooLarge",
                format!("The body has more than {limit} rows"),
            ),
            Self::UnpackedTooLarge { limit } => too_large(
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
            Self::BodyUnreadable => bad_request("BadRequest", "The body could not be read"),
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
                not_found("DealerNotFound", DEALER_NOT_FOUND)
            }
            Self::Message(error) => match error {
                // The handler answers invalid orders itself: it knows what was sent.
                MessageError::Invalid(_) => unforeseen(),
                MessageError::UnknownRequest => Self::UnknownRequest.answer(),
                MessageError::Pending => conflict(
                    "MessagePending",
                    "A message of this request is still queued or being sent",
                ),
                MessageError::NotCancellable => conflict(
                    "MessageNotCancellable",
                    "No message of this request is queued",
                ),
                MessageError::NotSendable => conflict(
                    "MessageNotSendable",
                    "No message can be made for this request: its phone is not a mobile number, or its dealer is unknown or not active",
                ),
                MessageError::RecipientOptedOut => recipient_opted_out(),
                MessageError::Store(error) => store(error),
            },
            Self::Template(error) => match error {
                TemplateError::UnknownDealer => not_found("DealerNotFound", DEALER_NOT_FOUND),
                TemplateError::UnknownTemplate => {
                    not_found("TemplateNotFound", "Template not found")
                }
                TemplateError::Overtaken => envelope(
                    StatusCode::PRECONDITION_FAILED,
                    "PreconditionFailed",
                    "Another version of this template is in force than If-Match names",
                ),
                TemplateError::TooMany => conflict(
                    "TooManyTemplates",
                    format!("There are {MAX_TEMPLATES} templates already"),
                ),
                // The handler answers texts that are no templates itself.
                TemplateError::Invalid(_) => unforeseen(),
                TemplateError::Store(error) => store(error),
            },
            Self::Endpoint(error) => match error {
                EndpointError::UnknownDealer => not_found("DealerNotFound", DEALER_NOT_FOUND),
                EndpointError::UnknownEndpoint => {
                    not_found("EndpointNotFound", "Endpoint not found")
                }
                EndpointError::UnknownDelivery => {
                    not_found("DeliveryNotFound", "Delivery not found")
                }
                EndpointError::TooMany => conflict(
                    "TooManyEndpoints",
                    "There are as many endpoints already as there may be",
                ),
                EndpointError::NoSecretsKey => conflict(
                    "NoSecretsKey",
                    "Secrets cannot be stored, because the service has no SECRETS_KEY",
                ),
                // The handler answers invalid endpoints itself, with the values sent.
                EndpointError::Invalid(_) => unforeseen(),
                EndpointError::Store(error) => store(error),
            },
            Self::Event(error) => match error {
                EventError::UnknownAddress => Self::UnknownPath.answer(),
                EventError::NotJson => bad_request("NotJson", "The body is not JSON"),
                EventError::Store(error) => store(error),
            },
            Self::Administration(DealerAdministrationError::UnknownDealer) => {
                not_found("DealerNotFound", "Dealer not found")
            }
            // The handler answers invalid settings itself, with the values sent.
            Self::Administration(DealerAdministrationError::Invalid(_)) => unforeseen(),
            Self::Lookup(LookupError::Store(error))
            | Self::Administration(DealerAdministrationError::Store(error))
            | Self::Store(error) => store(error),
            Self::Check { dealer_id, error } => match error {
                CheckError::UnknownDealer => bad_request("DealerNotFound", DEALER_NOT_FOUND),
                CheckError::NoAccount(_) => bad_request(
                    "NoFonnteConfiguration",
                    format!("No Fonnte configuration found for dealer {dealer_id}"),
                ),
                CheckError::Failed { reason } => {
                    bad_request("ConnectionTestFailed", reason.as_str())
                }
                CheckError::LaneBusy => bad_request(
                    "LaneBusy",
                    "The dealer's other messages left no turn for the test within 10 seconds",
                ),
                CheckError::RecipientOptedOut => recipient_opted_out(),
                CheckError::Store(error) => store(error),
            },
            Self::Unforeseen => unforeseen(),
        }
    }
}

fn envelope(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    Answer::Envelope(status, kind, message.into())
}

fn recipient_opted_out() -> Answer<'static> {
    conflict(
        "RecipientOptedOut",
        "The recipient opted out of this dealer's messages",
    )
}

fn bad_request(kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    envelope(StatusCode::BAD_REQUEST, kind, message)
}

fn forbidden(kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    envelope(StatusCode::FORBIDDEN, kind, message)
}

fn not_found(kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    envelope(StatusCode::NOT_FOUND, kind, message)
}

fn conflict(kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    envelope(StatusCode::CONFLICT, kind, message)
}

fn too_large(kind: &'static str, message: impl Into<String>) -> Answer<'static> {
    envelope(StatusCode::PAYLOAD_TOO_LARGE, kind, message)
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
