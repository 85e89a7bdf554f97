use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest, ResponseError as _};
use callers::{Allowance, Keys, in_time, is_local, name_in_log, of_sane_size};
use domain::access::{ApiKey, Principal, Scope};
use domain::usecases::Refusal;

use super::pages::refuse_strangers;
use crate::problem::Problem;
use crate::route::{Access, Calls, Target};
use crate::state::Api;

/// Authenticates, authorises and meters a call, and passes its [`Principal`] to the handler.
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

/// Admits a call: not from a foreign page, not too large, and with a free slot, which it keeps to its end.
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

/// The caller, or the refusal, and the caller's remaining rate.
type Entry = (Result<Option<Principal>, Problem>, Option<Allowance>);

/// The credentials in a call, before any look-up.
enum Shown {
    /// No key: no principal, or the anonymous one.
    Nothing(Option<Principal>),
    Key(ApiKey),
}

/// Authenticates a caller within its rate.
///
/// A valid key is metered by itself, so that other callers at its holder's address cannot use its rate up.
/// Every other call is metered by address. A wrong key, too: many guesses end in 429 and learn nothing.
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

/// Meters a call by its client address.
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
    match Allowance::check(allowance) {
        Ok(()) => (admitted, allowance),
        Err(over) => (Err(over.into()), allowance),
    }
}

/// Looks up the holder of a key. An unknown key is metered by its address before the store is asked, so that
/// guesses cannot load the store. The address gets the call back where the key is valid or the store is down.
/// A known key costs the store nothing, so its holder does not depend on other callers at that address.
async fn look_up(request: &ServiceRequest, api: &Api, calls: Calls, key: &ApiKey) -> Entry {
    let (limits, gatekeeper) = (&api.admission.limits, &api.admission.gatekeeper);
    let mut counted = None;
    if !gatekeeper.knows(key) {
        counted = count_address(request, api, calls);
        if let Err(over) = Allowance::check(counted) {
            return (Err(over.into()), counted);
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
            // The key is undecided, so the call is not metered.
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

/// The credentials of the call.
fn shown(request: &ServiceRequest, api: &Api, target: Target) -> Result<Shown, Problem> {
    if let Keys::Off { host, .. } = api.admission.auth {
        // Where the caller may be anyone, the admin routes do not exist.
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
        // An unknown path needs no protection. A path with `%` may mean a known one to the router, and is
        // protected.
        None if target.pattern().is_none() && !request.path().contains('%') => {
            Ok(Shown::Nothing(None))
        }
        None => Err(Problem::NoKey),
    }
}

/// Whether the caller may call the route, by the table. An unknown method of a path is left to the 405.
fn authorize(
    request: &HttpRequest,
    target: Target,
    principal: Option<&Principal>,
) -> Result<(), Problem> {
    let (scope, principal) = match (target.access(), principal) {
        (None | Some(Access::Public | Access::Webhook), _) => return Ok(()),
        (Some(Access::Local), _) if is_local(request) => return Ok(()),
        // Without authentication a remote caller cannot prove that it may.
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

/// The key of a call. None where two keys differ, or a header has two.
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

/// The token of `Bearer …`; other schemes, such as a proxy's, are ignored.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
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
