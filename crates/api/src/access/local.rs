use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::Scope;
use paperclip::actix::OperationModifier;
use paperclip::v2::schema::Apiv2Schema;

use super::caller::{Admin, Caller};
use crate::problem::Problem;

/// How the names of proxies' headers begin: whoever sends one, the caller is somewhere else.
const FORWARDING: [&str; 12] = [
    "forwarded",
    "via",
    "x-forwarded",
    "x-original",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "client-ip",
    "true-client-ip",
    "fastly-client-ip",
    "cf-connecting-ip",
];

/// Whether a call comes from this very machine, and from no proxy on it.
pub(super) fn is_local(request: &HttpRequest) -> bool {
    let loopback = request
        .peer_addr()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let forwarded = |name: &str| FORWARDING.iter().any(|begin| name.starts_with(begin));
    loopback
        && !request
            .headers()
            .keys()
            .any(|name| forwarded(name.as_str()))
}

/// Who may read the metrics: scope `admin`, or a caller on this machine that is no proxy.
pub(crate) struct Scraper(());

impl FromRequest for Scraper {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if is_local(request) {
            return ready(Ok(Self(())));
        }
        let caller = Caller::<Admin>::from_request(request, payload).into_inner();
        // Where nobody needs a key, a caller from elsewhere has no way to show that it may.
        let scraper = caller.and_then(|caller| {
            if caller.has_key() {
                Ok(Self(()))
            } else {
                Err(Problem::ScopeMissing(Scope::Admin))
            }
        });
        ready(scraper)
    }
}

impl Apiv2Schema for Scraper {}

impl OperationModifier for Scraper {
    fn update_security(operation: &mut paperclip::v2::models::DefaultOperationRaw) {
        Caller::<Admin>::update_security(operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_who_calls_directly_from_this_machine_is_local() {
        let from = |peer: &str| TestRequest::default().peer_addr(peer.parse().unwrap());
        for peer in [
            "127.0.0.1:9",
            "127.8.8.8:9",
            "[::1]:9",
            "[::ffff:127.0.0.1]:9",
        ] {
            assert!(is_local(&from(peer).to_http_request()), "{peer}");
            for header in [
                "X-Forwarded-For",
                "X-Forwarded",
                "X-Original-Host",
                "Forwarded",
                "Forwarded-For",
                "X-Real-IP",
                "True-Client-IP",
                "Via",
            ] {
                let proxied = from(peer).insert_header((header, "127.0.0.1"));
                assert!(!is_local(&proxied.to_http_request()), "{header}");
            }
        }
        assert!(!is_local(&from("10.0.0.1:9").to_http_request()));
        assert!(!is_local(&TestRequest::default().to_http_request()));
    }

    #[test]
    fn a_stranger_may_not_read_the_metrics() {
        let ask = |peer: &str| {
            let request = TestRequest::default().peer_addr(peer.parse().unwrap());
            let request = request.to_http_request();
            Scraper::from_request(&request, &mut Payload::None).into_inner()
        };
        assert!(ask("127.0.0.1:9").is_ok());
        assert!(matches!(ask("10.0.0.1:9"), Err(Problem::NoKey)));
    }
}
