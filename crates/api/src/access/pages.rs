//! Keeps web pages in a browser from using a service without authentication.
//!
//! A browser sends any page's requests to loopback addresses too, also through a name of the page's own that
//! resolves to one (DNS rebinding). So a call from this machine need not come from a trusted caller. The
//! browser writes `Origin`, `Sec-Fetch-Site` and `Host`, which no page can change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::web::Data;
use url::Url;

use crate::options::ApiOptions;
use crate::problem::Problem;
use crate::state::ApiAuth;

/// The browser's relation between the page and this service.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The allowed origins: those of `ALLOWED_ORIGINS`, and the service's own at `PUBLIC_BASE_URL`.
pub(crate) struct Pages(Vec<String>);

impl Pages {
    pub(crate) fn of(options: &ApiOptions) -> Self {
        let mut origins = options.origins.as_slice().to_vec();
        let public = Url::parse(options.public_base_url.as_str());
        origins.extend(public.map(|url| url.origin().ascii_serialization()));
        Self(origins)
    }

    /// Browsers write an origin in one form only.
    fn include(&self, origin: &str) -> bool {
        self.0.iter().any(|listed| listed == origin)
    }
}

/// Refuses requests of foreign pages, and requests to a host name that is not this service's.
pub(super) fn refuse_strangers(
    request: &ServiceRequest,
    auth: ApiAuth,
    is_admin: bool,
) -> Result<(), Problem> {
    let ApiAuth::Off { host, said } = auth else {
        return Ok(());
    };
    if (!said || is_admin) && !came_to_own_name(request, host) {
        return Err(Problem::ForeignHost);
    }
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if changes && comes_from_foreign_page(request) {
        return Err(Problem::ForeignOrigin);
    }
    Ok(())
}

/// Whether the host is `localhost`, a loopback address or the address that the service listens on. The port
/// is ignored: a tunnel or a container may have another one.
fn came_to_own_name(request: &ServiceRequest, listens_on: IpAddr) -> bool {
    let is_own = |authority: &str| match Name::of(authority) {
        Some(Name::Localhost) => true,
        Some(Name::Address(address)) => {
            address.is_loopback() || address == listens_on.to_canonical()
        }
        None => false,
    };
    // An absolute target such as `http://name/path` overrides `Host`; ordinary callers send the same in both.
    let target = request.uri().authority();
    target.is_none_or(|target| is_own(target.as_str())) && host(request).is_some_and(is_own)
}

fn comes_from_foreign_page(request: &ServiceRequest) -> bool {
    let pages = request.app_data::<Data<Pages>>();
    let is_listed = |origin: &str| pages.is_some_and(|pages| pages.include(origin));
    let mut listed = false;
    for origin in request.headers().get_all(ORIGIN) {
        match origin.to_str() {
            Ok(origin) if is_listed(origin) => listed = true,
            Ok(origin) if is_own_origin(origin, host(request)) => {}
            _ => return true,
        }
    }
    // `http://localhost:3000`, an origin that is allowed by default, is another site than `127.0.0.1`.
    !listed
        && request.headers().get_all(SEC_FETCH_SITE).any(|site| {
            let site = site.as_bytes().to_ascii_lowercase();
            site.windows(10).any(|part| part == b"cross-site")
        })
}

/// Whether a page came from the host that it calls. Of names only `localhost` counts: any other may resolve
/// to this machine.
fn is_own_origin(origin: &str, host: Option<&str>) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    match (authority, host) {
        (Some(authority), Some(host)) => {
            authority.eq_ignore_ascii_case(host) && Name::of(host).is_some()
        }
        _ => false,
    }
}

/// The `Host` of a call; `None` where it is missing, unreadable or repeated.
fn host(request: &ServiceRequest) -> Option<&str> {
    let mut hosts = request.headers().get_all(HOST);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// A host that resolves only to itself.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    Localhost,
    Address(IpAddr),
}

impl Name {
    /// The host of an authority, with or without a port; `None` for any other name.
    fn of(authority: &str) -> Option<Self> {
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

    fn address(text: &str) -> Option<Name> {
        Some(Name::Address(text.parse().unwrap()))
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
            assert_eq!(Name::of(host), Some(Name::Localhost), "{host}");
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
            assert_eq!(Name::of(host), address(expected), "{host}");
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
            assert_eq!(Name::of(host), None, "{host:?}");
        }
    }

    #[test]
    fn a_page_is_our_own_only_where_its_host_cannot_be_anybody_elses() {
        for (origin, host) in [
            ("http://127.0.0.1:8300", "127.0.0.1:8300"),
            ("http://localhost:8300", "LOCALHOST:8300"),
            ("https://[::1]", "[::1]"),
            ("http://10.0.0.1:8300", "10.0.0.1:8300"),
        ] {
            assert!(is_own_origin(origin, Some(host)), "{origin}");
        }
        for (origin, host) in [
            ("http://127.0.0.1:9000", Some("127.0.0.1:8300")),
            ("http://localhost:8300", Some("127.0.0.1:8300")),
            ("http://evil.test:8300", Some("evil.test:8300")),
            ("ftp://127.0.0.1:8300", Some("127.0.0.1:8300")),
            ("127.0.0.1:8300", Some("127.0.0.1:8300")),
            ("null", Some("null")),
            ("", Some("")),
            ("http://localhost", None),
        ] {
            assert!(!is_own_origin(origin, host), "{origin}");
        }
    }
}
