use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError};
use api_types::ErrorReply;
use domain::requests::Origin;
use domain::values::holds_phone;
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::access::admit;
use crate::observe::{AnsweredCall, Observer};
use crate::problem::Problem;
use crate::route::{Access, Route, Target};
use crate::state::Api;
use callers::in_one_call;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is accepted from a caller (chosen).
const MAX_REQUEST_ID: usize = 128;

/// The outermost middleware of each call: finds its route, sets the request id, logs, turns every error body
/// into the documented form, and adds the headers for browsers and caches. A route's own header wins.
pub(crate) async fn frame(
    routes: &'static [Route],
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let request_id = request_id(&request);
    let method = request.method().clone();
    let api = request.app_data::<Data<Api>>();
    let observer = api.map(|api| api.observer.clone());
    let beside = api.and_then(|api| api.beside.clone());
    if method == Method::HEAD {
        // HEAD is handled like GET; the body is dropped when the answer is written.
        request.head_mut().method = Method::GET;
    }
    trim_path(&mut request);
    let path = request.match_info().as_str();
    let target = match beside.filter(|beside| beside.has(path)) {
        Some(_) => Target::beside(),
        None => Target::find(routes, request.method(), path),
    };
    request.extensions_mut().insert(target);
    let span = span_of(&request_id);
    let traceparent = observer.as_ref().and_then(|observer| {
        let traceparent = request.headers().get("traceparent");
        observer.begins(&span, traceparent.and_then(|value| value.to_str().ok()));
        observer.traceparent(&span)
    });
    request.extensions_mut().insert(Origin {
        request_id: request_id.clone(),
        traceparent,
    });
    let answered = move |route: Option<&str>, status| {
        let route = target.pattern().or(route).unwrap_or("-");
        tell(observer.as_deref(), &method, route, status, began.elapsed());
    };
    async move {
        match in_one_call(next.call(request)).await {
            Ok(response) => {
                let (request, response) = response.map_into_boxed_body().into_parts();
                let route = target.is_beside().then(|| request.match_pattern());
                answered(route.flatten().as_deref(), response.status());
                let response = finish(response, &request_id, target);
                Ok(ServiceResponse::new(request, response))
            }
            Err(mut error) => {
                let status = error.as_response_error().status_code();
                answered(None, status);
                error.add_response_mapper(move |response| finish(response, &request_id, target));
                Err(error)
            }
        }
    }
    .instrument(span)
    .await
}

/// The span of a call, at level ERROR, so that no filter removes the id from a shown line.
fn span_of(request_id: &str) -> tracing::Span {
    tracing::error_span!(
        "call",
        http.request_id = request_id,
        key.id = tracing::field::Empty,
        key.name = tracing::field::Empty,
    )
}

/// Runs `admit`, and turns a panic behind it into an error answer. Both in one middleware: each costs every
/// call two allocations and a virtual call.
pub(crate) async fn survive(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let submits = Target::of(request.request()).submits();
    AssertUnwindSafe(admit(request, next))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            // The panic hook has logged the place; this line has the request id.
            tracing::error!("a handler panicked");
            Err(Panicked { submits }.into())
        })
}

/// A trailing slash never matters, nor does a doubled one. Nearly every path has neither, which a
/// look tells.
fn trim_path(request: &mut ServiceRequest) {
    let path = request.path();
    if !(path.len() > 1 && path.ends_with('/') || path.contains("//")) {
        return;
    }
    let mut trimmed = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        trimmed.push('/');
        trimmed.push_str(part);
    }
    if trimmed.is_empty() {
        trimmed.push('/');
    }
    if let Some(query) = request.uri().query() {
        trimmed.push('?');
        trimmed.push_str(query);
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(trimmed).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// The caller's id if it is acceptable, else a new one. Logs and tables hold it, which must not hold phones:
/// an id with a phone is refused. A UUID is always accepted.
fn request_id(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (1..=MAX_REQUEST_ID).contains(&id.len()))
        .filter(|id| id.bytes().all(|b| b.is_ascii_graphic()))
        .filter(|id| !holds_phone(id) || Uuid::try_parse(id).is_ok())
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

fn finish(mut response: HttpResponse, request_id: &str, target: Target) -> HttpResponse {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && !is_json(&response) && !target.is_beside() {
        let body = ErrorReply::new(status.as_u16(), name(status), sentence(status));
        let body = serde_json::to_string(&body).unwrap_or_default();
        response = response.set_body(BoxBody::new(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if target.is_beside() {
        // `ALLOWED_ORIGINS` is for the API: no other page reads these.
        response.headers_mut().remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    }
    if !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        drop_cors_headers(&mut response);
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    // What may hold personal data or a secret is kept by nobody.
    protect(&mut response, target.access() == Some(Access::Public));
    response
}

/// Forbids caching of an answer that is not public, content sniffing, and framing.
fn protect(response: &mut HttpResponse, is_public: bool) {
    let is_public = is_public && response.status().is_success();
    let headers = response.headers_mut();
    if !is_public && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let names_frames = |policy: &HeaderValue| {
        let policy = policy.to_str().unwrap_or_default();
        policy.contains("frame-ancestors")
    };
    if is_page && !headers.get_all(CONTENT_SECURITY_POLICY).any(names_frames) {
        // Two policies are both in force.
        headers.append(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("frame-ancestors 'none'"),
        );
    }
}

/// Without an allowed origin the other CORS headers, which actix-cors adds, have no meaning.
fn drop_cors_headers(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    for name in [
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(name);
    }
}

fn is_json(response: &HttpResponse) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

fn sentence(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// `BadRequest` for 400 and so on.
fn name(status: StatusCode) -> String {
    sentence(status).split_whitespace().collect()
}

/// Logs and counts an answer. Paths appear as patterns only: their values may be names or secrets.
fn tell(
    observer: Option<&dyn Observer>,
    method: &Method,
    route: &str,
    status: StatusCode,
    took: Duration,
) {
    tracing::info!(
        http.method = method.as_str(),
        http.route = route,
        http.status = status.as_u16(),
        http.duration_ms = took.as_secs_f64() * 1_000.0,
        "answered"
    );
    if let Some(observer) = observer {
        observer.answered(AnsweredCall {
            method: known(method),
            route,
            status: status.as_str(),
            took,
        });
    }
}

/// The name of a known method; an invented one would be one more label.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked {
    submits: bool,
}

impl Panicked {
    fn problem(&self) -> Problem {
        if self.submits {
            Problem::UnforeseenInIntake
        } else {
            Problem::Unforeseen
        }
    }
}

impl ResponseError for Panicked {
    fn status_code(&self) -> StatusCode {
        self.problem().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.problem().response()
    }
}
