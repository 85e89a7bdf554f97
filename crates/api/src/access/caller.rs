use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::{Author, DealerId, Fault, LookupError, Origin, Principal, Scope, Visibility};
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DataType, DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;
use serde::Deserialize;

use super::local::is_local;
use crate::problem::Problem;
use crate::state::Api;
use crate::state::ApiAuth;

/// Where the routes of head office are.
const ADMIN: &str = "/api/v1/admin";

/// Whether a path, or the pattern of one, is head office's.
pub(super) fn is_admin_path(path: &str) -> bool {
    path.strip_prefix(ADMIN)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A scope as a type: what a route asks of its callers.
pub(crate) trait Needs: 'static {
    const SCOPE: Scope;
}

/// [`Scope::Read`]
pub(crate) enum Read {}
/// [`Scope::Write`]
pub(crate) enum Write {}
/// [`Scope::Admin`]
pub(crate) enum Admin {}

impl Needs for Read {
    const SCOPE: Scope = Scope::Read;
}

impl Needs for Write {
    const SCOPE: Scope = Scope::Write;
}

impl Needs for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// Somebody who calls and has the scope `S`. There is no other way to make one.
pub(crate) struct Caller<S> {
    principal: Principal,
    call: Option<String>,
    scope: PhantomData<fn() -> S>,
}

impl<S> Caller<S> {
    /// Whose data the caller sees and writes.
    pub(crate) fn visibility(&self) -> &Visibility {
        self.principal.visibility()
    }

    /// Whether it is known by a key.
    pub(super) fn has_key(&self) -> bool {
        self.principal.key().is_some()
    }

    /// The caller, for the audit.
    pub(crate) fn author(&self) -> Author {
        self.principal.author(self.call.as_deref())
    }
}

impl<S: Needs> Caller<S> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let (principal, call) = {
            let extensions = request.extensions();
            let call = extensions.get::<Origin>();
            let call = call.map(|origin| origin.request_id.clone());
            // Without a gate nobody is known, and nobody comes in.
            let principal = extensions.get::<Principal>().cloned();
            (principal.ok_or(Problem::NoKey)?, call)
        };
        let auth = request
            .app_data::<Data<Api>>()
            .map_or(ApiAuth::Required, |api| api.admission.auth);
        if S::SCOPE == Scope::Admin && hides_admin(request, auth) && is_admin(request) {
            return Err(Problem::UnknownPath);
        }
        if !principal.may(S::SCOPE) {
            return Err(Problem::ScopeMissing(S::SCOPE));
        }
        Ok(Self {
            principal,
            call,
            scope: PhantomData,
        })
    }
}

/// Whether the routes of head office do not exist for this caller: nobody needs a key, and the caller
/// may be anyone.
pub(super) fn hides_admin(request: &HttpRequest, auth: ApiAuth) -> bool {
    match auth {
        ApiAuth::Required => false,
        ApiAuth::Off { host, .. } => !(host.is_loopback() && is_local(request)),
    }
}

/// Whether this is one of them, however its path was spelt.
fn is_admin(request: &HttpRequest) -> bool {
    let pattern = request.match_pattern();
    pattern.is_some_and(|pattern| is_admin_path(&pattern))
}

impl<S: Needs> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<S> Apiv2Schema for Caller<S> {}

impl<S: Needs> OperationModifier for Caller<S> {
    fn update_security(operation: &mut DefaultOperationRaw) {
        // Which schemes there are is said in `openapi/common.rs`.
        let scope = (S::SCOPE.as_str().to_owned(), Vec::new());
        operation.security.push([scope].into());
    }
}

/// The part of a path that names a dealer.
#[derive(Deserialize)]
struct Numbered {
    dealer_id: String,
}

/// The dealer of a path, whose data the caller may see. To everybody else it is as if there were no
/// such dealer, whether there is one or not.
pub(crate) struct DealerAt<S> {
    caller: Caller<S>,
    given: String,
    id: Result<DealerId, Fault>,
}

impl<S> DealerAt<S> {
    /// The number. What cannot be one is a number that nobody has.
    pub(crate) fn id(&self) -> Result<&DealerId, Problem> {
        self.id
            .as_ref()
            .map_err(|_| Problem::Lookup(LookupError::UnknownDealer))
    }

    /// The number as it was given.
    pub(crate) fn given(&self) -> &str {
        &self.given
    }

    /// The caller, for the audit.
    pub(crate) fn author(&self) -> Author {
        self.caller.author()
    }
}

impl<S: Needs> DealerAt<S> {
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

impl<S: Needs> FromRequest for DealerAt<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<S> Apiv2Schema for DealerAt<S> {}

impl<S: Needs> OperationModifier for DealerAt<S> {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Path,
            name: "dealer_id".to_owned(),
            required: true,
            data_type: Some(DataType::String),
            ..Default::default()
        }));
    }

    fn update_security(operation: &mut DefaultOperationRaw) {
        Caller::<S>::update_security(operation);
    }
}
