use std::io::Cursor;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use api_types::BulkBody;
use futures_util::future::LocalBoxFuture;
use paperclip::actix::OperationModifier;
use paperclip::v2::models::DefaultOperationRaw;
use paperclip::v2::schema::Apiv2Schema;
use tables::{Form, Source};
use tokio::sync::OwnedSemaphorePermit;

use super::JsonBody;
use super::body::receive;
use crate::problem::Problem;
use crate::state::Api;

/// What a bulk call posts: a table in one of its forms.
pub(crate) struct TableBody {
    pub(crate) form: Form,
    bytes: Bytes,
    /// Its place among those that are in memory at once.
    _place: OwnedSemaphorePermit,
}

impl TableBody {
    /// The bytes, for reading them; they keep their place.
    pub(crate) fn into_source(self) -> Box<dyn Source> {
        Box::new(Cursor::new(self))
    }
}

impl AsRef<[u8]> for TableBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromRequest for TableBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = form(request);
        let room = request
            .app_data::<Data<Api>>()
            .and_then(|api| api.bulk_bodies.clone().try_acquire_owned().ok());
        let receiving = receive(request, payload);
        Box::pin(async move {
            let form = form?;
            let place = room.ok_or(Problem::Busy { submits: false })?;
            Ok(Self {
                form,
                bytes: receiving.await?.freeze(),
                _place: place,
            })
        })
    }
}

/// The form that the type of the content says; none at all counts as JSON.
fn form(request: &HttpRequest) -> Result<Form, Problem> {
    let headers = request.headers();
    let is_plain = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let said = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let essence = said.and_then(|said| said.split(|byte| *byte == b';').next());
    let essence = essence
        .unwrap_or_default()
        .trim_ascii()
        .to_ascii_lowercase();
    match essence.as_slice() {
        _ if !is_plain => Err(Problem::UnsupportedMediaType),
        b"" => Ok(Form::Json),
        essence => Form::ALL
            .into_iter()
            .find(|form| form.media_type().as_bytes() == essence)
            .ok_or(Problem::UnsupportedMediaType),
    }
}

impl Apiv2Schema for TableBody {
    fn name() -> Option<String> {
        JsonBody::<BulkBody>::name()
    }
}

impl OperationModifier for TableBody {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        JsonBody::<BulkBody>::update_parameter(operation);
    }
}
