//! Keeps web pages in a browser from using a service without authentication.
//!
//! A browser sends any page's requests to loopback addresses too, also through a name of the page's own that
//! resolves to one (DNS rebinding). So a call from this machine need not come from a trusted caller. The
//! browser writes `Origin`, `Sec-Fetch-Site` and `Host`, which no page can change.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::ORIGIN;
use actix_web::web::Data;
use callers::{Host, Keys, came_to_own_name, host};
use url::Url;

use crate::options::ApiOptions;
use crate::problem::Problem;

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
    auth: Keys,
    is_admin: bool,
) -> Result<(), Problem> {
    let Keys::Off {
        host: listens_on,
        said,
    } = auth
    else {
        return Ok(());
    };
    if (!said || is_admin) && !came_to_own_name(request.request(), listens_on) {
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

fn comes_from_foreign_page(request: &ServiceRequest) -> bool {
    let pages = request.app_data::<Data<Pages>>();
    let is_listed = |origin: &str| pages.is_some_and(|pages| pages.include(origin));
    let mut listed = false;
    for origin in request.headers().get_all(ORIGIN) {
        match origin.to_str() {
            Ok(origin) if is_listed(origin) => listed = true,
            Ok(origin) if is_own_origin(origin, host(request.request())) => {}
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
            authority.eq_ignore_ascii_case(host) && Host::of(host).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
