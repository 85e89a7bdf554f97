use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use domain::{ApiKey, Principal, Refusal};

use super::caller::{hides_admin, is_admin_path};
use super::local::is_local;
use super::pages::refuse_strangers;
use crate::deadline::in_time;
use crate::limits::{Allowance, of_sane_size};
use crate::problem::Problem;
use crate::state::Api;
use crate::state::ApiAuth;

/// Paths for which nobody needs a key; what ends with a slash stands for all below it.
const FOR_EVERYBODY: [&str; 7] = [
    "/",
    "/docs",
    "/docs/",
    "/openapi.json",
    "/api/v1/health",
    "/api/v1/health/",
    // The secret is in the path.
    "/api/v1/webhooks/",
];

/// For scope `admin`, or for a caller on this machine.
const METRICS: &str = "/metrics";

/// Whether a path, or the pattern of one, is for everybody.
pub(crate) fn needs_no_key(path: &str) -> bool {
    FOR_EVERYBODY
        .iter()
        .any(|free| match free.strip_suffix('/') {
            Some(folder) if !folder.is_empty() => path.starts_with(free),
            _ => path == *free,
        })
}

/// Lets in who may, as often as they may, and tells the routes who calls.
pub(crate) async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (admitted, allowance) = match take_in(&request) {
        Ok(()) => enter(&request).await,
        Err(problem) => (Err(problem), None),
    };
    let mut response = match admitted {
        Ok(principal) => {
            if let Some(principal) = principal {
                name_in_log(&principal);
                request.extensions_mut().insert(principal);
            }
            next.call(request).await?.map_into_boxed_body()
        }
        Err(problem) => {
            let response = problem.told_at(request.path()).error_response();
            request.into_response(response).map_into_boxed_body()
        }
    };
    if let Some(allowance) = allowance {
        allowance.tell(response.headers_mut());
    }
    Ok(response)
}

fn api(request: &ServiceRequest) -> Result<&Data<Api>, Problem> {
    request.app_data::<Data<Api>>().ok_or(Problem::Unforeseen)
}

/// Takes a call in that no stranger's page sent and that is not too large, while there are not too many.
/// It has its slot until it is over.
fn take_in(request: &ServiceRequest) -> Result<(), Problem> {
    let admission = &api(request)?.admission;
    refuse_strangers(request, admission.auth)?;
    of_sane_size(request)?;
    let slot = admission.limits.slot(request.path())?;
    request.extensions_mut().insert(slot);
    Ok(())
}

/// Who calls, or why they may not, and what they have left.
type Entry = (Result<Option<Principal>, Problem>, Option<Allowance>);

/// What is known without asking anybody.
enum Shown {
    /// Nobody in particular, or anybody.
    Nothing(Option<Principal>),
    Key(ApiKey),
}

/// Lets a caller in within its rate.
///
/// A valid key is counted for itself, so that whoever else calls from its holder's address cannot
/// use it up. Everything else is counted for the address, a wrong key too: whoever tries many is told
/// to wait instead of what is wrong.
async fn enter(request: &ServiceRequest) -> Entry {
    let api = match api(request) {
        Ok(api) => api,
        Err(problem) => return (Err(problem), None),
    };
    match shown(request, api) {
        Ok(Shown::Key(key)) => look_up(request, api, &key).await,
        Ok(Shown::Nothing(caller)) => of_address(request, api, Ok(caller)),
        Err(problem) => of_address(request, api, Err(problem)),
    }
}

/// Counts a call for the address that it comes from.
fn of_address(
    request: &ServiceRequest,
    api: &Api,
    admitted: Result<Option<Principal>, Problem>,
) -> Entry {
    within(
        api.admission.limits.count_address(request.request()),
        admitted,
    )
}

fn within(allowance: Option<Allowance>, admitted: Result<Option<Principal>, Problem>) -> Entry {
    match allowance.map_or(Ok(()), Allowance::check) {
        Ok(()) => (admitted, allowance),
        Err(problem) => (Err(problem), allowance),
    }
}

/// Finds out who holds a key. One that may be invented is counted for its address before the store is
/// asked, so that nobody makes it work more often than that; the address gets it back where the key
/// turns out to be valid, or the store is away. One that is known costs the store nothing, so that its
/// holder does not depend on what others do at the same address.
async fn look_up(request: &ServiceRequest, api: &Api, key: &ApiKey) -> Entry {
    let (limits, gatekeeper) = (&api.admission.limits, &api.admission.gatekeeper);
    let mut counted = None;
    if !gatekeeper.knows(key) {
        counted = limits.count_address(request.request());
        if let Err(problem) = counted.map_or(Ok(()), Allowance::check) {
            return (Err(problem), counted);
        }
    }
    let admitted = in_time(gatekeeper.holder(key), Refusal::Store).await;
    match admitted {
        Err(refusal @ (Refusal::Invalid | Refusal::Expired | Refusal::Revoked)) => match counted {
            Some(allowance) => (Err(refusal.into()), Some(allowance)),
            None => of_address(request, api, Err(refusal.into())),
        },
        Err(refusal @ Refusal::Store(_)) => {
            if counted.is_some() {
                limits.give_back(request.request());
            }
            // Nobody knows who this is, and they are not to pay for it.
            (Err(refusal.into()), None)
        }
        Ok(holder) => {
            if counted.is_some() {
                limits.give_back(request.request());
            }
            let key = limits.count_key(key.id(), request.path());
            within(key, Ok(Some(holder)))
        }
    }
}

/// What the call shows of its caller.
fn shown(request: &ServiceRequest, api: &Api) -> Result<Shown, Problem> {
    let path = request.path();
    if api.admission.auth != ApiAuth::Required {
        // Another spelling of the path is found out by the route itself.
        return if is_admin_path(path) && hides_admin(request.request(), api.admission.auth) {
            Err(Problem::UnknownPath)
        } else {
            Ok(Shown::Nothing(Some(Principal::anonymous())))
        };
    }
    if needs_no_key(path) || path == METRICS && is_local(request.request()) {
        return Ok(Shown::Nothing(None));
    }
    match presented(request.headers())? {
        Some(key) => {
            let key = ApiKey::parse(&key).map_err(|_| Refusal::Invalid)?;
            Ok(Shown::Key(key))
        }
        None if leads_nowhere(request) => Ok(Shown::Nothing(None)),
        None => Err(Problem::NoKey),
    }
}

/// Whether no route has this path, so that there is nothing to protect. What holds a `%` may be
/// another path to the router, and is never taken for one that leads nowhere.
fn leads_nowhere(request: &ServiceRequest) -> bool {
    !request.path().contains('%') && request.match_pattern().is_none()
}

/// The key of a call. Two that differ are none, and so is one that is given twice in a header.
fn presented(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let bearer = single(headers, AUTHORIZATION.as_str())?.and_then(bearer);
    let plain = single(headers, "x-api-key")?;
    match (bearer, plain) {
        (Some(one), Some(other)) if one != other.trim() => Err(Refusal::Invalid.into()),
        (Some(key), _) => Ok(Some(key.to_owned())),
        (None, key) => Ok(key.map(|key| key.trim().to_owned())),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::Invalid.into());
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| Refusal::Invalid.into())
}

/// The token of `Bearer …`; another scheme, such as a proxy's, is none of ours.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

/// Every line about the call says which key it came with, never its secret.
fn name_in_log(principal: &Principal) {
    let call = tracing::Span::current();
    if let Some(key) = principal.key() {
        call.record("key.id", key.to_string());
    }
    call.record("key.name", principal.name());
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key_of(headers: &[(&str, &str)]) -> Result<Option<String>, ()> {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header(*header);
        }
        presented(request.to_http_request().headers()).map_err(|_| ())
    }

    #[test]
    fn a_key_is_taken_from_either_header() {
        let key = Ok(Some("k".to_owned()));
        assert_eq!(key_of(&[("Authorization", "Bearer k")]), key);
        assert_eq!(key_of(&[("authorization", "BEARER  k ")]), key);
        assert_eq!(key_of(&[("X-API-Key", " k")]), key);
        assert_eq!(
            key_of(&[("X-API-Key", "k"), ("Authorization", "Bearer k")]),
            key
        );
        assert_eq!(
            key_of(&[("X-API-Key", "k"), ("Authorization", "Basic eA==")]),
            key
        );
    }

    #[test]
    fn what_is_no_key_of_ours_is_as_if_absent() {
        assert_eq!(key_of(&[]), Ok(None));
        assert_eq!(key_of(&[("Authorization", "Basic eA==")]), Ok(None));
        assert_eq!(key_of(&[("Authorization", "Bearer")]), Ok(None));
    }

    #[test]
    fn two_keys_are_none() {
        for headers in [
            [("X-API-Key", "k"), ("Authorization", "Bearer l")],
            [("X-API-Key", "k"), ("X-API-Key", "k")],
            [("Authorization", "Bearer k"), ("Authorization", "Bearer l")],
        ] {
            assert_eq!(key_of(&headers), Err(()), "{headers:?}");
        }
    }

    #[test]
    fn only_what_is_listed_is_for_everybody() {
        for path in [
            "/",
            "/docs",
            "/docs/swagger-ui.css",
            "/openapi.json",
            "/api/v1/health",
            "/api/v1/health/ready",
            "/api/v1/webhooks/fonnte/{token}/status",
        ] {
            assert!(needs_no_key(path), "{path}");
        }
        for path in [
            "",
            "/metrics",
            "/docsx",
            "/api/v1/healthx",
            "/api/v1/webhooks",
            "/api/v1/customer/validate-customer",
            "/api/v1/admin/api-keys",
            "//",
        ] {
            assert!(!needs_no_key(path), "{path}");
        }
    }
}
