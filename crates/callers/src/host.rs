//! Which names are this service's, and which may be anybody's.
//!
//! Any page's name may resolve to a loopback address (DNS rebinding): only `localhost` and addresses cannot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

/// Whether callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Every route that is not public needs one.
    Required,
    /// No route does. Only safe where no other machine or user reaches the port.
    Off {
        /// The address that the service listens on. The admin routes and the console exist only where it is a
        /// loopback address, for callers on this machine.
        host: IpAddr,
        /// Whether the operator chose it. Where it is the default, no proxy is expected, and calls to another
        /// host name than this machine's are refused.
        said: bool,
    },
}

/// Whether the host is `localhost`, a loopback address or the address that the service listens on. The port
/// is ignored: a tunnel or a container may have another one.
#[must_use]
pub fn came_to_own_name(request: &HttpRequest, listens_on: IpAddr) -> bool {
    let is_own = |authority: &str| match Host::of(authority) {
        Some(Host::Localhost) => true,
        Some(Host::Address(address)) => {
            address.is_loopback() || address == listens_on.to_canonical()
        }
        None => false,
    };
    // An absolute target such as `http://name/path` overrides `Host`; ordinary callers send the same in both.
    let target = request.uri().authority();
    target.is_none_or(|target| is_own(target.as_str())) && host(request).is_some_and(is_own)
}

/// The `Host` of a call; `None` where it is missing, unreadable or repeated.
#[must_use]
pub fn host(request: &HttpRequest) -> Option<&str> {
    let mut hosts = request.headers().get_all(HOST);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// A host that resolves only to itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Host {
    /// `localhost`.
    Localhost,
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// The host of an authority, with or without a port; `None` for any other name.
    #[must_use]
    pub fn of(authority: &str) -> Option<Self> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address = address.parse::<Ipv6Addr>().ok()?;
            return is_port(port).then_some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        let end = authority.find(':').unwrap_or(authority.len());
        let (host, port) = authority.split_at(end);
        // A trailing full stop makes the name absolute; it is the same name.
        let host = host.strip_suffix('.').unwrap_or(host);
        if !is_port(port) {
            None
        } else if host.eq_ignore_ascii_case("localhost") {
            Some(Self::Localhost)
        } else {
            let address = host.parse::<Ipv4Addr>().ok()?;
            Some(Self::Address(address.into()))
        }
    }
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').map_or(text.is_empty(), |digits| {
        digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<Host> {
        Some(Host::Address(text.parse().unwrap()))
    }

    #[test]
    fn a_host_is_localhost_or_an_address() {
        for host in [
            "localhost",
            "LocalHost",
            "localhost.",
            "localhost:8300",
            "localhost:",
        ] {
            assert_eq!(Host::of(host), Some(Host::Localhost), "{host}");
        }
        for (host, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.:8300", "127.0.0.1"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[::1]", "::1"),
            ("[::1]:8300", "::1"),
            ("[0:0:0:0:0:0:0:1]", "::1"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ] {
            assert_eq!(Host::of(host), address(expected), "{host}");
        }
    }

    #[test]
    fn any_other_name_may_be_anybodys() {
        for host in [
            "",
            ":8300",
            ".",
            "localhost..",
            "evil.test",
            "localhost.evil.test",
            "evil.localhost",
            "127.0.0.1.evil.test",
            "evil@localhost",
            "localhost@evil.test",
            "localhost:80:80",
            "localhost:x",
            "localhost/",
            "localhost evil.test",
            "localhost,evil.test",
            "%6cocalhost",
            "::1",
            "[::1",
            "[::1]evil.test",
            "[::1]:x",
            "[::1%25lo]",
            "[localhost]",
            "[127.0.0.1]",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
        ] {
            assert_eq!(Host::of(host), None, "{host:?}");
        }
    }
}
