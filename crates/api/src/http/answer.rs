use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DefaultOperationRaw, Either, Response};
use paperclip::v2::schema::Apiv2Schema;
use schemars::JsonSchema;
use serde::Serialize;

/// A finished answer, documented as a 200 with the body `T`.
pub(crate) struct Answered<T>(HttpResponse, PhantomData<fn() -> T>);

impl<T: Serialize> Answered<T> {
    pub(crate) fn ok(body: &T) -> Self {
        Self(HttpResponse::Ok().json(body), PhantomData)
    }
}

impl<T> Answered<T> {
    /// An answer with its own headers or status.
    pub(crate) fn with(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> Responder for Answered<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<T: JsonSchema> Apiv2Schema for Answered<T> {
    fn name() -> Option<String> {
        Some(T::schema_name().into_owned())
    }
}

impl<T: JsonSchema> OperationModifier for Answered<T> {
    fn update_response(operation: &mut DefaultOperationRaw) {
        let mut schema = Self::schema_with_ref();
        schema.retain_ref();
        operation.responses.insert(
            "200".to_owned(),
            Either::Right(Response {
                // The document takes that of the schema.
                description: Some(String::new()),
                schema: Some(schema),
                ..Default::default()
            }),
        );
    }
}
