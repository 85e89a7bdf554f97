use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION, VARY,
};
use actix_web::web::{Bytes, Data, Path};
use api_types::{RootReply, SERVICE};
use paperclip::actix::api_v2_operation;
use utoipa_swagger_ui::Config;

use crate::http::{Accept, Answered, Pieces};
use crate::problem::Problem;
use crate::state::{Api, Document};

/// The page loads its parts by absolute paths, because it is served with and without a trailing slash.
const PAGE: &str = include_str!("docs.html");
const SCRIPT: &str = include_str!("docs.js");

/// Swagger UI needs inline styles and images from `data:`, and nothing from other hosts.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    base-uri 'none'; frame-ancestors 'none'";

/// Tell what this is
///
/// Name, version, and where the documentation is. A browser, whose `Accept` prefers `text/html`, is sent to
/// the console.
#[api_v2_operation(operation_id = "get_root", tags(documentation))]
pub(crate) async fn get_root(
    api: Data<Api>,
    accept: Accept,
) -> Result<Answered<RootReply>, Problem> {
    let reply = RootReply {
        service: SERVICE.into(),
        version: api.version.into(),
        status: "running".into(),
        docs: "/docs".into(),
    };
    // Not cached: after a release the running version must be known at once.
    let headers = [(CACHE_CONTROL, "no-store"), (VARY, "Accept")];
    let mut answer = match &api.beside {
        Some(beside) if accept.prefers_page => HttpResponse::SeeOther()
            .insert_header((LOCATION, beside.path))
            .finish(),
        _ => HttpResponse::Ok().json(reply),
    };
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        answer.headers_mut().insert(name, value);
    }
    Ok(Answered::with(answer))
}

/// Get this document
///
/// As JSON, for tools.
#[api_v2_operation(operation_id = "get_openapi", tags(documentation))]
pub(crate) async fn get_openapi(document: Data<Document>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(Pieces::new(document.0.clone())))
}

/// Show this document to people
///
/// Swagger UI over `/openapi.json`; everything it needs is served from here.
#[api_v2_operation(operation_id = "get_docs", tags(documentation))]
pub(crate) async fn get_docs() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE))
}

/// A part of Swagger UI.
#[api_v2_operation(skip)]
pub(crate) async fn get_asset(file: Path<String>) -> Result<HttpResponse, Problem> {
    if *file == "docs.js" {
        return Ok(HttpResponse::Ok()
            .content_type("text/javascript")
            .body(SCRIPT));
    }
    let asset = utoipa_swagger_ui::serve(&file, std::sync::Arc::new(Config::from("/openapi.json")))
        .ok()
        .flatten()
        .ok_or(Problem::UnknownPath)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(Pieces::new(match asset.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        })))
}
