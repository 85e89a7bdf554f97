//! Which web pages may call, and what they may read (the CORS protocol of the Fetch standard).

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};

use crate::server::Origins;

/// Methods with which a page may call.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

/// Request headers that a page may send.
const HEADERS: &str =
    "Authorization, Content-Type, Idempotency-Key, Prefer, X-API-Key, X-Request-Id";

/// Response headers that a page may read.
const EXPOSED: &str =
    "Location, Preference-Applied, Idempotent-Replayed, Retry-After, X-Request-Id";

/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// What the answers of every resource depend on.
const VARIES: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// The pages that may call, by their origins.
pub(crate) struct Cors(Vec<HeaderValue>);

impl Cors {
    pub(crate) fn of(origins: &Origins) -> Self {
        let values = origins.iter().map(HeaderValue::from_str);
        // An origin is made of visible ASCII characters.
        Self(values.filter_map(Result::ok).collect())
    }

    /// The origin of the page that calls, where it may. Other pages, and whoever is none, are
    /// answered without a word about it; browsers do the rest.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.0.contains(origin).then(|| origin.clone())
    }

    /// The answer to a preflight, with which a browser asks what a page may do; `None` for every other
    /// call.
    pub(crate) fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        if request.method() != Method::OPTIONS {
            return None;
        }
        let headers = request.headers();
        let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let is_allowed = is_among(METHODS, method.as_str(), |one, other| one == other)
            && headers
                .get_all(ACCESS_CONTROL_REQUEST_HEADERS)
                .all(|names| names.to_str().is_ok_and(are_allowed));
        if !is_allowed || self.origin(headers).is_none() {
            return Some(HttpResponse::BadRequest().finish());
        }
        let mut response = HttpResponse::Ok();
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        ] {
            response.insert_header((name, HeaderValue::from_static(value)));
        }
        Some(response.finish())
    }

    /// Says in an answer that the page of this origin may read it.
    pub(crate) fn tell(origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static(VARIES));
        let Some(origin) = origin else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Whether a page may send all of these headers.
fn are_allowed(names: &str) -> bool {
    names
        .split(',')
        .all(|name| is_among(HEADERS, name.trim(), str::eq_ignore_ascii_case))
}

fn is_among(list: &str, name: &str, is_same: impl Fn(&str, &str) -> bool) -> bool {
    list.split(", ").any(|listed| is_same(listed, name))
}
