use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// Trusted proxies: their headers name the client's address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The text is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither an address such as 10.0.0.1 nor a network such as 10.0.0.0/8")]
pub struct TrustedProxiesError(String);

impl TrustedProxies {
    /// Parses a comma-separated list of addresses and networks.
    ///
    /// # Errors
    /// [`TrustedProxiesError`] for the first that is neither.
    pub fn parse(list: &str) -> Result<Self, TrustedProxiesError> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let one = entry.parse::<IpAddr>().map(|ip| ip.to_canonical().into());
                one.or_else(|_| entry.parse::<IpNet>())
                    .map_err(|_| TrustedProxiesError(entry.to_owned()))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn includes(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the peer, or the client that a trusted peer names.
    ///
    /// A proxy adds to one of the two headers and may pass the caller's other one on. So when both are
    /// present and name different clients, both are ignored.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.includes(peer) {
            return peer;
        }
        let forwarded = self.named(peer, headers, "forwarded", node);
        let plain = self.named(peer, headers, "x-forwarded-for", address);
        match (forwarded, plain) {
            (Some(one), Some(other)) if one != other => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        }
    }

    /// Whether a trusted peer says that its caller came over https: the last hop of either header that says
    /// a scheme. A peer that is not trusted says nothing.
    #[must_use]
    pub fn came_over_https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        if !self.includes(peer.to_canonical()) {
            return false;
        }
        let last = |name: &str| {
            let line = headers.get_all(name).last()?.to_str().ok()?;
            line.rsplit(',').next().map(str::trim)
        };
        let forwarded = last("forwarded").and_then(|hop| pair(hop, "proto"));
        let scheme = last("x-forwarded-proto").or(forwarded);
        scheme.is_some_and(|scheme| scheme.trim_matches('"').eq_ignore_ascii_case("https"))
    }

    /// The last address in a header that is no trusted proxy's. Anything before it may be forged, and so may
    /// anything before an unreadable entry.
    fn named(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        name: &str,
        read: impl Fn(&str) -> Option<IpAddr>,
    ) -> Option<IpAddr> {
        if !headers.contains_key(name) {
            return None;
        }
        let lines: Vec<_> = headers.get_all(name).collect();
        let mut nearest = peer;
        for line in lines.into_iter().rev() {
            let Ok(line) = line.to_str() else {
                return Some(nearest);
            };
            for hop in line.rsplit(',').filter(|hop| !hop.trim().is_empty()) {
                let Some(address) = read(hop.trim()) else {
                    return Some(nearest);
                };
                nearest = address;
                if !self.includes(address) {
                    return Some(address);
                }
            }
        }
        Some(nearest)
    }
}

/// The `for` of one hop of `Forwarded` (RFC 7239). A quoted comma splits a hop, and neither part is an
/// address.
fn node(hop: &str) -> Option<IpAddr> {
    address(pair(hop, "for")?)
}

/// The value of that name in one hop of `Forwarded`.
fn pair<'a>(hop: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
    Some(value.trim())
}

/// An address in proxies' notation: with or without port, brackets and quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    /// The client, when `10.0.0.1` sends these headers and `10.0.0.0/8` is trusted.
    fn client(headers: &[(&str, &str)]) -> String {
        client_of("10.0.0.1", headers)
    }

    fn client_of(peer: &str, headers: &[(&str, &str)]) -> String {
        let trusted = TrustedProxies::parse("10.0.0.0/8, fd00::/8").unwrap();
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header(*header);
        }
        let request = request.to_http_request();
        trusted
            .client(peer.parse().unwrap(), request.headers())
            .to_string()
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        let header = [("X-Forwarded-For", "203.0.113.7")];
        assert_eq!(client_of("10.0.0.1", &header), "203.0.113.7");
        assert_eq!(client_of("::ffff:10.0.0.1", &header), "203.0.113.7");
        assert_eq!(client_of("fd00::1", &header), "203.0.113.7");
        for stranger in ["192.0.2.1", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(client_of(stranger, &header), stranger);
        }
        let nobody = TrustedProxies::default();
        let request = TestRequest::default().insert_header(header[0]);
        let request = request.to_http_request();
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(nobody.client(peer, request.headers()), peer);
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_callers() {
        for (value, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("198.51.100.9, 203.0.113.7", "203.0.113.7"),
            ("198.51.100.9, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("198.51.100.9,203.0.113.7 ,10.1.2.3,", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            // All are trusted proxies: the first one is the client.
            ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
            // An unreadable entry hides everything before it.
            ("203.0.113.7, unknown", "10.0.0.1"),
            ("203.0.113.7, unknown, 10.1.2.3", "10.1.2.3"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client(&[("X-Forwarded-For", value)]), expected, "{value}");
        }
        let lines = [
            ("X-Forwarded-For", "198.51.100.9"),
            ("X-Forwarded-For", "203.0.113.7, 10.1.2.3"),
        ];
        assert_eq!(client(&lines), "203.0.113.7");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        for (value, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"203.0.113.7:80\";proto=https", "203.0.113.7"),
            (
                "proto=http; for=\"[2001:db8::7]:80\" ;by=10.0.0.1",
                "2001:db8::7",
            ),
            (
                "for=198.51.100.9, for=203.0.113.7, for=10.1.2.3",
                "203.0.113.7",
            ),
            ("for=203.0.113.7, for=_hidden", "10.0.0.1"),
            ("for=203.0.113.7, proto=http", "10.0.0.1"),
            ("for=\"203.0.113.7, for=198.51.100.9\"", "10.0.0.1"),
        ] {
            assert_eq!(client(&[("Forwarded", value)]), expected, "{value}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_that_a_call_came_over_https() {
        let trusted = TrustedProxies::parse("10.0.0.0/8").unwrap();
        let secure = |peer: &str, name: &'static str, value: &'static str| {
            let request = TestRequest::default().append_header((name, value));
            let request = request.to_http_request();
            trusted.came_over_https(peer.parse().unwrap(), request.headers())
        };
        assert!(secure("10.0.0.1", "X-Forwarded-Proto", "https"));
        assert!(secure("10.0.0.1", "X-Forwarded-Proto", "http, HTTPS"));
        assert!(secure("10.0.0.1", "Forwarded", "for=1.2.3.4;proto=https"));
        assert!(!secure("10.0.0.1", "X-Forwarded-Proto", "https, http"));
        assert!(!secure("10.0.0.1", "X-Forwarded-Proto", "http"));
        assert!(!secure("192.0.2.1", "X-Forwarded-Proto", "https"));
        assert!(!secure("127.0.0.1", "Forwarded", "proto=https"));
    }

    #[test]
    fn two_headers_that_contradict_each_other_are_not_believed() {
        let both =
            |forwarded, plain| client(&[("Forwarded", forwarded), ("X-Forwarded-For", plain)]);
        assert_eq!(both("for=203.0.113.7", "203.0.113.7"), "203.0.113.7");
        assert_eq!(both("for=198.51.100.9", "203.0.113.7"), "10.0.0.1");
    }

    #[test]
    fn what_is_no_list_of_networks_is_refused() {
        assert_eq!(TrustedProxies::parse(" , "), Ok(TrustedProxies::default()));
        assert!(TrustedProxies::parse("10.0.0.1,::1, 192.168.0.0/16,fd00::/8").is_ok());
        for list in [
            "proxy.example",
            "10.0.0.1:80",
            "10.0.0.0/33",
            "*",
            "10.0.0.1 10.0.0.2",
        ] {
            assert!(TrustedProxies::parse(list).is_err(), "{list}");
        }
    }
}
