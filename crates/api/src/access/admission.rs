use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest, ResponseError as _};
use callers::{Allowance, Keys, in_time, is_local, of_sane_size};
use domain::access::{ApiKey, Principal, Scope};
use domain::usecases::Refusal;

use super::pages::refuse_strangers;
use crate::problem::Problem;
use crate::route::{Access, Calls, Target};
use crate::state::Api;

/// Lets in who may, as often as they may, and tells the routes who calls.
pub(crate) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let target = Target::of(request.request());
    if target.is_beside() {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let (admitted, allowance) = match take_in(&request, target) {
        Ok(()) => enter(&request, target).await,
        Err(problem) => (Err(problem), None),
    };
    let admitted = admitted.and_then(|principal| {
        authorize(request.request(), target, principal.as_ref())?;
        Ok(principal)
    });
    let mut response = match admitted {
        Ok(principal) => {
            if let Some(principal) = principal {
                name_in_log(&principal);
                request.extensions_mut().insert(principal);
            }
            next.call(request).await?.map_into_boxed_body()
        }
        Err(problem) => {
            let problem = if target.submits() {
                problem.of_submission()
            } else {
                problem
            };
            let response = problem.error_response();
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
fn take_in(request: &ServiceRequest, target: Target) -> Result<(), Problem> {
    let admission = &api(request)?.admission;
    refuse_strangers(request, admission.auth, target.is_admin())?;
    of_sane_size(request.request())?;
    let slot = match target.calls() {
        Calls::Always => Some(admission.limits.slot_beside()),
        Calls::Metered | Calls::Unmetered => admission.limits.slot(),
    };
    let slot = slot.ok_or(Problem::Busy { submits: false })?;
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
async fn enter(request: &ServiceRequest, target: Target) -> Entry {
    let api = match api(request) {
        Ok(api) => api,
        Err(problem) => return (Err(problem), None),
    };
    let calls = target.calls();
    match shown(request, api, target) {
        Ok(Shown::Key(key)) => look_up(request, api, calls, &key).await,
        Ok(Shown::Nothing(caller)) => of_address(request, api, calls, Ok(caller)),
        Err(problem) => of_address(request, api, calls, Err(problem)),
    }
}

/// Counts a call for the address that it comes from.
fn of_address(
    request: &ServiceRequest,
    api: &Api,
    calls: Calls,
    admitted: Result<Option<Principal>, Problem>,
) -> Entry {
    within(count_address(request, api, calls), admitted)
}

fn count_address(request: &ServiceRequest, api: &Api, calls: Calls) -> Option<Allowance> {
    match calls {
        Calls::Metered => api.admission.limits.count_address(request.request()),
        Calls::Unmetered | Calls::Always => None,
    }
}

fn within(allowance: Option<Allowance>, admitted: Result<Option<Principal>, Problem>) -> Entry {
    match check(allowance) {
        Ok(()) => (admitted, allowance),
        Err(problem) => (Err(problem), allowance),
    }
}

/// Whether a call is to be answered.
fn check(allowance: Option<Allowance>) -> Result<(), Problem> {
    match allowance.and_then(|allowance| allowance.wait_seconds) {
        None => Ok(()),
        Some(retry_seconds) => Err(Problem::RateLimited { retry_seconds }),
    }
}

/// Finds out who holds a key. One that may be invented is counted for its address before the store is
/// asked, so that nobody makes it work more often than that; the address gets it back where the key
/// turns out to be valid, or the store is away. One that is known costs the store nothing, so that its
/// holder does not depend on what others do at the same address.
async fn look_up(request: &ServiceRequest, api: &Api, calls: Calls, key: &ApiKey) -> Entry {
    let (limits, gatekeeper) = (&api.admission.limits, &api.admission.gatekeeper);
    let mut counted = None;
    if !gatekeeper.knows(key) {
        counted = count_address(request, api, calls);
        if let Err(problem) = check(counted) {
            return (Err(problem), counted);
        }
    }
    let admitted = in_time(gatekeeper.holder(key), Refusal::Store).await;
    match admitted {
        Err(refusal @ (Refusal::Invalid | Refusal::Expired | Refusal::Revoked)) => match counted {
            Some(allowance) => (Err(refusal.into()), Some(allowance)),
            None => of_address(request, api, calls, Err(refusal.into())),
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
            let allowance = match calls {
                Calls::Metered => limits.count_key(key.id()),
                Calls::Unmetered | Calls::Always => None,
            };
            within(allowance, Ok(Some(holder)))
        }
    }
}

/// What the call shows of its caller.
fn shown(request: &ServiceRequest, api: &Api, target: Target) -> Result<Shown, Problem> {
    if let Keys::Off { host, .. } = api.admission.auth {
        // Where the caller may be anyone, head office's routes do not exist.
        let exists = !target.is_admin() || host.is_loopback() && is_local(request.request());
        return if exists {
            Ok(Shown::Nothing(Some(Principal::anonymous())))
        } else {
            Err(Problem::UnknownPath)
        };
    }
    match target.path_access() {
        Some(access) if access.needs_no_key() => return Ok(Shown::Nothing(None)),
        Some(Access::Local) if is_local(request.request()) => return Ok(Shown::Nothing(None)),
        _ => {}
    }
    match presented(request.headers())? {
        Some(key) => {
            let key = ApiKey::parse(&key).map_err(|_| Refusal::Invalid)?;
            Ok(Shown::Key(key))
        }
        // There is nothing to protect. What holds a `%` may be another path to the router, and is
        // never taken for one that leads nowhere.
        None if target.pattern().is_none() && !request.path().contains('%') => {
            Ok(Shown::Nothing(None))
        }
        None => Err(Problem::NoKey),
    }
}

/// Whether the caller may call the route, as the table says. A method that the path does not have is
/// left to the 405.
fn authorize(
    request: &HttpRequest,
    target: Target,
    principal: Option<&Principal>,
) -> Result<(), Problem> {
    let (scope, principal) = match (target.access(), principal) {
        (None | Some(Access::Public | Access::Webhook), _) => return Ok(()),
        (Some(Access::Local), _) if is_local(request) => return Ok(()),
        // Where no keys are asked for, a caller from elsewhere has no way to show that it may.
        (Some(Access::Local), principal) => {
            (Scope::Admin, principal.filter(|it| it.key().is_some()))
        }
        (Some(Access::Scope(scope)), Some(principal)) => (scope, Some(principal)),
        (Some(Access::Scope(_)), None) => return Err(Problem::NoKey),
    };
    if principal.is_some_and(|principal| principal.may(scope)) {
        Ok(())
    } else {
        Err(Problem::ScopeMissing(scope))
    }
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
}
