//! Logging in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use callers::{Keys, in_time};
use domain::usecases::Refusal;

use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::next::Next;
use crate::state::Console;
use crate::views::login::{self, LogInFault};
use crate::visit::Visit;
use crate::{PATH, cookies};

/// The form; whoever is logged in, or needs no key, goes on.
pub(crate) async fn show(visit: Visit, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let next = Next::or_first(fields.get("next"));
    if visit.principal.is_some() {
        return Ok(go_to(next.as_str()));
    }
    Ok(page(login::page(&visit, &next, None)))
}

/// Begins a session. An older one of this browser ends.
pub(crate) async fn log_in(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    Form(fields): Form,
) -> Answer {
    let next = Next::or_first(fields.get("next"));
    if matches!(console.parts.keys, Keys::Off { .. }) {
        return Ok(go_to(next.as_str()));
    }
    let Some(key) = fields.get("key") else {
        let again = login::page(&visit, &next, Some(LogInFault::Missing));
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, again));
    };
    let logins = &console.services.logins;
    let (token, principal) = match in_time(logins.begin(key), Refusal::Store).await {
        Ok(begun) => begun,
        Err(Refusal::Store(error)) => return Err(error.into()),
        // Whoever does not have the key learns nothing about it.
        Err(Refusal::Invalid | Refusal::Expired | Refusal::Revoked) => {
            let again = login::page(&visit, &next, Some(LogInFault::Refused));
            let mut response = page_with(StatusCode::UNAUTHORIZED, again);
            let how = HeaderValue::from_static("Form realm=\"console\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, how);
            return Ok(response);
        }
    };
    if let Some(older) = cookies::session(&request, visit.https) {
        in_time(logins.end(&older), |error| error).await?;
    }
    let key = principal.key().map(|key| key.to_string());
    tracing::info!(key.id = key, key.name = principal.name(), "logged in");
    let cookie = cookies::begin_session(&token, visit.https);
    with_cookie(go_to(next.as_str()), &cookie)
}

/// Ends the session of this browser.
pub(crate) async fn log_out(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    if let Some(token) = cookies::session(&request, visit.https) {
        in_time(console.services.logins.end(&token), |error| error).await?;
    }
    let cookie = cookies::end_session(visit.https);
    with_cookie(go_to("/console/login"), &cookie)
}

/// The log-in that leads to a page.
pub(crate) fn address_with(next: &Next) -> String {
    let query = serde_urlencoded::to_string([("next", next.as_str())]).unwrap_or_default();
    format!("{PATH}/login?{query}")
}

/// Hands a cookie over.
pub(super) fn with_cookie(mut response: HttpResponse, cookie: &str) -> Answer {
    let value = HeaderValue::from_str(cookie).map_err(|_| Mistake::Unforeseen)?;
    response.headers_mut().append(SET_COOKIE, value);
    Ok(response)
}
