use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::requests::Origin;
use paperclip::actix::OperationModifier;
use paperclip::v2::schema::Apiv2Schema;

/// The origin of the current call, as set by the frame; `None` outside of the frame.
pub(crate) struct CallOrigin(pub(crate) Option<Origin>);

impl FromRequest for CallOrigin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().get().cloned())))
    }
}

impl Apiv2Schema for CallOrigin {}

impl OperationModifier for CallOrigin {}
