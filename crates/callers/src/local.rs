use actix_web::HttpRequest;

/// Prefixes of proxies' headers: a call with one comes from another machine.
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

/// Whether a call comes from this machine, and not through a proxy on it.
#[must_use]
pub fn is_local(request: &HttpRequest) -> bool {
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
}
