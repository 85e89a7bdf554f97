use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use callers::{OverRate, Oversized};
use domain::access::Scope;
use domain::ports::StoreError;
use domain::usecases::{
    DealerAdministrationError, EndpointError, KeyError, LookupError, MessageError, TemplateError,
};
use exports::ExportError;

/// How long whoever met a store that is away waits, in seconds.
pub(crate) const RETRY_SECONDS: u32 = 5;

/// Why there is another page than the one that was asked for. The door makes it a page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mistake {
    /// There is no such page, or nothing of that name that the visitor can see.
    #[error("there is no such page")]
    NotFound,
    /// The dealer is not active: it has no list and no counts.
    #[error("the dealer is not active")]
    Inactive,
    /// The page is for others.
    #[error("the key has no scope {}", .0.as_str())]
    NotAllowed(Scope),
    /// A form that was not sent by a page of the console.
    #[error("the form is of another page")]
    ForeignPage,
    /// Without keys: a name that may be anybody's.
    #[error("the host is not this service's")]
    ForeignHost,
    /// The page has no such method; these it has.
    #[error("the method is not allowed")]
    MethodNotAllowed(&'static str),
    /// The form is no form, or lacks a field that every page of ours sends.
    #[error("the form cannot be read")]
    Unreadable,
    /// Somebody did it already, or it is not possible any more.
    #[error("the state does not allow it")]
    Conflict,
    /// A workbook would have more rows than it can.
    #[error("the list has too many rows for a workbook")]
    TooManyRows,
    /// The form, or the address, is too long.
    #[error("the request is too large")]
    TooLarge(StatusCode),
    /// The form did not arrive in time.
    #[error("the form came too slowly")]
    TooSlow,
    /// Too many requests of one caller.
    #[error("the caller asks too often")]
    Limited {
        /// Seconds until there is one more.
        seconds: u32,
    },
    /// Too many requests at once.
    #[error("too many requests are worked on")]
    Busy,
    /// The store could not answer.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
    /// A handler panicked.
    #[error("something unforeseen happened")]
    Unforeseen,
}

impl ResponseError for Mistake {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Inactive => StatusCode::NOT_FOUND,
            Self::NotAllowed(_) | Self::ForeignPage | Self::ForeignHost => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooManyRows => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(status) => *status,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Unforeseen => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Without the page, which the door adds.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed(methods) => {
                response.insert_header((ALLOW, *methods));
            }
            Self::Limited { seconds } => {
                response.insert_header((RETRY_AFTER, *seconds));
            }
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => {
                response.insert_header((RETRY_AFTER, RETRY_SECONDS));
            }
            _ => {}
        }
        response.finish()
    }
}

impl From<Oversized> for Mistake {
    fn from(oversized: Oversized) -> Self {
        Self::TooLarge(match oversized {
            Oversized::Uri { .. } => StatusCode::URI_TOO_LONG,
            Oversized::Headers { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        })
    }
}

impl From<OverRate> for Mistake {
    fn from(over: OverRate) -> Self {
        let seconds = over.seconds;
        Self::Limited { seconds }
    }
}

impl From<LookupError> for Mistake {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::UnknownDealer => Self::NotFound,
            LookupError::Store(error) => Self::Store(error),
        }
    }
}

impl From<MessageError> for Mistake {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::UnknownRequest => Self::NotFound,
            MessageError::Invalid(_)
            | MessageError::Pending
            | MessageError::NotCancellable
            | MessageError::RecipientOptedOut
            | MessageError::NotSendable => Self::Conflict,
            MessageError::Store(error) => Self::Store(error),
        }
    }
}

impl From<DealerAdministrationError> for Mistake {
    fn from(error: DealerAdministrationError) -> Self {
        match error {
            DealerAdministrationError::UnknownDealer => Self::NotFound,
            DealerAdministrationError::Invalid(_) => Self::Unreadable,
            DealerAdministrationError::Store(error) => Self::Store(error),
        }
    }
}

impl From<KeyError> for Mistake {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::UnknownKey => Self::NotFound,
            KeyError::UnknownDealer | KeyError::AlreadyExpired => Self::Unreadable,
            KeyError::Store(error) => Self::Store(error),
        }
    }
}

impl From<TemplateError> for Mistake {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::UnknownDealer | TemplateError::UnknownTemplate => Self::NotFound,
            TemplateError::Overtaken | TemplateError::TooMany => Self::Conflict,
            TemplateError::Invalid(_) => Self::Unreadable,
            TemplateError::Store(error) => Self::Store(error),
        }
    }
}

impl From<EndpointError> for Mistake {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::UnknownDealer
            | EndpointError::UnknownEndpoint
            | EndpointError::UnknownDelivery => Self::NotFound,
            EndpointError::TooMany | EndpointError::NoSecretsKey => Self::Conflict,
            EndpointError::Invalid(_) => Self::Unreadable,
            EndpointError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ExportError> for Mistake {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Busy => Self::Busy,
            ExportError::TooManyRows => Self::TooManyRows,
            ExportError::Lookup(error) => error.into(),
            ExportError::NotMade => Self::Unforeseen,
        }
    }
}
