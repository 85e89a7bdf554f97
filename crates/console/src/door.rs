//! What stands before every page: who asks, from where, how often, and with what right.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, REFERRER_POLICY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next as Inner, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _};
use callers::{
    Allowance, Keys, came_to_own_name, host, in_time, is_local, name_in_log, of_sane_size,
};
use domain::access::{Principal, SessionToken};
use domain::ports::causes;
use domain::requests::Origin;
use futures_util::FutureExt as _;

use crate::look::Look;
use crate::mistake::Mistake;
use crate::next::Next;
use crate::pages::go_to;
use crate::pages::login::address_with;
use crate::right::Right;
use crate::routes::{self, Route, Target, allowed, find, page_above, right_to};
use crate::state::Console;
use crate::visit::Visit;
use crate::{PATH, cookies, views};

impl Console {
    /// Tells actix about the pages, once for each thread.
    pub fn configure(self) -> impl Fn(&mut ServiceConfig) + Send + Sync + 'static {
        let console = Data::new(self);
        move |config| {
            let pages = web::scope(PATH)
                .app_data(console.clone())
                .configure(routes::configure)
                .default_service(web::to(routes::unknown_path))
                .wrap(from_fn(door));
            config.service(pages);
        }
    }
}

/// Scripts, styles and pictures are files of ours; nothing else is loaded, sent to or framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// What a browser says about the page that asks.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request goes.
enum Way {
    /// To its page.
    In,
    /// To another one.
    Elsewhere(HttpResponse),
}

/// Lets in who may, and makes a page of every mistake.
pub(crate) async fn door(
    request: ServiceRequest,
    next: Inner<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(console) = request.app_data::<Data<Console>>().cloned() else {
        return Err(Mistake::Unforeseen.into());
    };
    let mut visit = visit(&console, request.request());
    let way = enter(&console, &request, &mut visit).await;
    let mut response = match way {
        Ok(Way::In) => {
            request.extensions_mut().insert(visit.clone());
            let called = AssertUnwindSafe(next.call(request)).catch_unwind().await;
            match called {
                Ok(answer) => paged(answer?.map_into_boxed_body(), &visit),
                Err(_) => return Err(panicked(visit)),
            }
        }
        Ok(Way::Elsewhere(response)) => request.into_response(response),
        Err(mistake) => request.into_response(page_of(&mistake, &visit)),
    };
    protect(response.headers_mut());
    Ok(response)
}

/// The panic hook has told where; here is the id of the call.
fn panicked(visit: Visit) -> Error {
    tracing::error!("a page panicked");
    let mut error = Error::from(Mistake::Unforeseen);
    error.add_response_mapper(move |_| {
        let mut response = page_of(&Mistake::Unforeseen, &visit);
        protect(response.headers_mut());
        response
    });
    error
}

fn visit(console: &Console, request: &HttpRequest) -> Visit {
    let extensions = request.extensions();
    let call = extensions.get::<Origin>();
    let uri = request.uri();
    // What cannot be looked at is not come back to.
    let address = match (request.method(), find(&Method::GET, uri.path())) {
        (_, Target::OtherMethod(_)) => page_above(uri.path()),
        (&Method::GET | &Method::HEAD, _) => uri.path_and_query().map_or(PATH, |it| it.as_str()),
        _ => page_above(uri.path()),
    };
    Visit {
        look: Look::of(request),
        principal: None,
        call: call.map(|origin| origin.request_id.clone()),
        address: address.to_owned(),
        https: console.parts.public_base_url.is_https()
            || console.parts.limits.came_over_https(request),
        right_to,
    }
}

async fn enter(
    console: &Console,
    request: &ServiceRequest,
    visit: &mut Visit,
) -> Result<Way, Mistake> {
    let plain = request.request();
    if !matches!(*request.method(), Method::GET | Method::HEAD)
        && !is_of_own_page(console, plain, visit.https)
    {
        return Err(Mistake::ForeignPage);
    }
    of_sane_size(plain)?;
    let slot = console.parts.limits.slot().ok_or(Mistake::Busy)?;
    request.extensions_mut().insert(slot);
    visit.principal = without_keys(console, plain)?;
    let target = find(request.method(), request.match_info().as_str());
    if matches!(target, Target::Page(route) if route.right() == Right::Static) {
        return Ok(Way::In);
    }
    let token = cookies::session(plain, visit.https).filter(|_| visit.principal.is_none());
    let mut is_counted = false;
    if let Some(token) = token {
        (visit.principal, is_counted) = holder(console, plain, &token).await?;
    }
    if !is_counted {
        Allowance::check(count(console, plain, visit, &target))?;
    }
    if let Some(principal) = &visit.principal {
        name_in_log(principal);
    }
    match target {
        Target::Page(route) => admit(route, visit, request.method()),
        _ if visit.principal.is_none() => Ok(to_log_in(visit, request.method())),
        Target::OtherMethod(routes) => Err(Mistake::MethodNotAllowed(allowed(routes))),
        Target::Nowhere => Err(Mistake::NotFound),
    }
}

/// Whether a form was sent by a page of the console. Browsers write these headers themselves; a caller that
/// writes none is none.
fn is_of_own_page(console: &Console, request: &HttpRequest, https: bool) -> bool {
    let headers = request.headers();
    if headers.contains_key(SEC_FETCH_SITE) {
        let mut sites = headers.get_all(SEC_FETCH_SITE);
        return sites.all(|site| site == "same-origin");
    }
    let mut origins = headers.get_all(ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let scheme = if https { "https" } else { "http" };
    let own = host(request).map(|host| format!("{scheme}://{host}"));
    let is = |own: &str| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes());
    own.is_some_and(|own| is(&own)) || is(&console.parts.public_base_url.origin())
}

/// Whoever asks while no keys are asked for, under the rule of what is head office's.
fn without_keys(console: &Console, request: &HttpRequest) -> Result<Option<Principal>, Mistake> {
    match console.parts.keys {
        Keys::Required => Ok(None),
        Keys::Off { host, .. } if !came_to_own_name(request, host) => Err(Mistake::ForeignHost),
        Keys::Off { host, .. } if host.is_loopback() && is_local(request) => {
            Ok(Some(Principal::anonymous()))
        }
        Keys::Off { .. } => Err(Mistake::NotFound),
    }
}

/// Who has a session, and whether the request is counted for the client's address by now. A session that is
/// not known to this copy is counted before the store is asked, so that invented ones cannot load it. The
/// address gets the request back where the session has a holder, or the store does not answer.
async fn holder(
    console: &Console,
    request: &HttpRequest,
    token: &SessionToken,
) -> Result<(Option<Principal>, bool), Mistake> {
    let (limits, logins) = (&console.parts.limits, &console.services.logins);
    let is_counted = !logins.knows(token);
    if is_counted {
        Allowance::check(limits.count_address(request))?;
    }
    let found = in_time(logins.holder(token), |error| error).await;
    let is_nobody = matches!(found, Ok(None));
    if is_counted && !is_nobody {
        limits.give_back(request);
    }
    Ok((found?, is_counted && is_nobody))
}

/// Counts a request for the key of its session. Whoever has none is counted for the address, and so is
/// logging in and out.
fn count(
    console: &Console,
    request: &HttpRequest,
    visit: &Visit,
    target: &Target,
) -> Option<Allowance> {
    let limits = &console.parts.limits;
    let logs_in_or_out =
        matches!(target, Target::Page(route) if matches!(route.path(), "/login" | "/logout"));
    let key = visit.principal.as_ref().and_then(Principal::key);
    match key.filter(|_| !logs_in_or_out) {
        Some(key) => limits.count_key(key),
        None => limits.count_address(request),
    }
}

fn admit(route: &Route, visit: &Visit, method: &Method) -> Result<Way, Mistake> {
    match (
        route.right().scope(visit.principal.as_ref()),
        &visit.principal,
    ) {
        (None, _) => Ok(Way::In),
        (Some(_), None) => Ok(to_log_in(visit, method)),
        (Some(scope), Some(principal)) if principal.may(scope) => Ok(Way::In),
        (Some(scope), Some(_)) => Err(Mistake::NotAllowed(scope)),
    }
}

/// To the log-in, and from there to what was asked for. A form is not sent again.
fn to_log_in(visit: &Visit, method: &Method) -> Way {
    let asked = Some(visit.address.as_str()).filter(|_| *method == Method::GET);
    let next = Next::or_first(asked);
    Way::Elsewhere(go_to(&address_with(&next)))
}

/// Makes a page of a mistake of the page, or of actix.
fn paged(response: ServiceResponse<BoxBody>, visit: &Visit) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else {
        return response;
    };
    let page = match error.as_error::<Mistake>() {
        Some(mistake) => page_of(mistake, visit),
        None if response.status() == StatusCode::NOT_FOUND => page_of(&Mistake::NotFound, visit),
        None => page_of(&Mistake::Unreadable, visit),
    };
    response.into_response(page)
}

fn page_of(mistake: &Mistake, visit: &Visit) -> HttpResponse {
    if mistake.status_code().is_server_error() && !matches!(mistake, Mistake::Busy) {
        tracing::error!(error.kind = %mistake, error.source = causes(mistake), "no page");
    }
    let response = mistake.error_response();
    let page = views::mistake::page(mistake, visit).into_string();
    let mut response = response.set_body(BoxBody::new(page));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

fn protect(headers: &mut HeaderMap) {
    let mut insert = |name, value| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    insert(CONTENT_SECURITY_POLICY, POLICY);
    // `no-referrer` would make browsers write `null` into the `Origin` of our own forms.
    insert(REFERRER_POLICY, "same-origin");
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
