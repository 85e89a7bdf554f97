use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::access::{ApiKeyId, Author, Principal, Visibility};
use domain::requests::{Fault, Origin};
use domain::usecases::LookupError;
use domain::values::DealerId;
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DataType, DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;
use serde::Deserialize;

use crate::problem::Problem;

/// An authenticated and authorised caller. Only `admit` makes one.
pub(crate) struct Caller {
    principal: Principal,
    call: Option<String>,
}

impl Caller {
    /// The tenant of the caller.
    pub(crate) fn visibility(&self) -> &Visibility {
        self.principal.visibility()
    }

    /// The author for the audit.
    pub(crate) fn author(&self) -> Author {
        self.principal.author(self.call.as_deref())
    }

    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let extensions = request.extensions();
        let call = extensions.get::<Origin>();
        // Without `admit` there is no principal, and the call is refused.
        let principal = extensions.get::<Principal>().cloned();
        Ok(Self {
            principal: principal.ok_or(Problem::NoKey)?,
            call: call.map(|origin| origin.request_id.clone()),
        })
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Apiv2Schema for Caller {}

impl OperationModifier for Caller {}

/// The part of a path with the dealer's number.
#[derive(Deserialize)]
struct Numbered {
    dealer_id: String,
}

/// The dealer of a path, within the caller's tenant. For any other caller the dealer does not exist.
pub(crate) struct DealerAt {
    caller: Caller,
    given: String,
    id: Result<DealerId, Fault>,
}

impl DealerAt {
    /// The number; an invalid one is an unknown dealer.
    pub(crate) fn id(&self) -> Result<&DealerId, Problem> {
        self.id
            .as_ref()
            .map_err(|_| Problem::Lookup(LookupError::UnknownDealer))
    }

    /// The number as sent.
    pub(crate) fn given(&self) -> &str {
        &self.given
    }

    /// The author for the audit.
    pub(crate) fn author(&self) -> Author {
        self.caller.author()
    }

    /// The caller's key; none while keys are not asked for.
    pub(crate) fn key(&self) -> Option<ApiKeyId> {
        self.caller.principal.key()
    }

    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let caller = Caller::of(request)?;
        let unknown = Problem::Lookup(LookupError::UnknownDealer);
        let path = Path::<Numbered>::from_request(request, &mut Payload::None).into_inner();
        let Ok(path) = path else {
            return Err(unknown);
        };
        let given = path.into_inner().dealer_id;
        let id = DealerId::parse(&given);
        let own = caller.visibility().dealer();
        if own.is_some_and(|own| id.as_ref() != Ok(own)) {
            return Err(unknown);
        }
        Ok(Self { caller, given, id })
    }
}

impl FromRequest for DealerAt {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Apiv2Schema for DealerAt {}

impl OperationModifier for DealerAt {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Path,
            name: "dealer_id".to_owned(),
            required: true,
            data_type: Some(DataType::String),
            ..Default::default()
        }));
    }
}
