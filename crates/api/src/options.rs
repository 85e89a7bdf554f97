//! The options of the server.

use url::Url;

/// Origins of web pages whose scripts may call the API (CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// The text is not the origin of a web page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an origin such as https://dealer.example or http://localhost:3000")]
pub struct OriginError(String);

impl Origins {
    /// Parses a comma-separated list of origins.
    ///
    /// # Errors
    /// [`OriginError`] for the first that is none; `*` is refused, because credentials are allowed.
    pub fn parse(list: &str) -> Result<Self, OriginError> {
        list.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| {
                let url = Url::parse(origin).map_err(|_| OriginError(origin.to_owned()))?;
                let canonical = url.origin().ascii_serialization();
                let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
                if matches!(url.scheme(), "http" | "https") && bare {
                    Ok(canonical)
                } else {
                    Err(OriginError(origin.to_owned()))
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Each origin, in browsers' notation.
    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// The service's public address: an http or https URL without a query and without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBaseUrl(String);

/// The text is not such a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address such as https://customer.example, without a query")]
pub struct PublicBaseUrlError;

impl PublicBaseUrl {
    /// Parses a URL; trailing slashes are removed.
    ///
    /// # Errors
    /// [`PublicBaseUrlError`]
    pub fn parse(raw: &str) -> Result<Self, PublicBaseUrlError> {
        let url = Url::parse(raw.trim()).map_err(|_| PublicBaseUrlError)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(PublicBaseUrlError);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The webhook address for Fonnte; `kind` is `status` or `device`.
    pub(crate) fn webhook(&self, token: &str, kind: &str) -> String {
        format!("{}/api/v1/webhooks/fonnte/{token}/{kind}", self.0)
    }
}

/// The options of the server.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Origins whose scripts may call the API.
    pub origins: Origins,
    /// The number of web workers.
    pub workers: usize,
    /// Seconds that requests in flight have after a shutdown begins.
    pub shutdown_seconds: u64,
    /// The public address, for URLs in answers.
    pub public_base_url: PublicBaseUrl,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_and_made_canonical() {
        assert_eq!(
            Origins::parse("http://localhost:3000, https://Dealer.example:443/,"),
            Ok(Origins(vec![
                "http://localhost:3000".into(),
                "https://dealer.example".into()
            ]))
        );
    }

    #[test]
    fn slashes_at_the_end_of_a_public_address_do_not_matter() {
        for (raw, url) in [
            ("https://customer.example", "https://customer.example"),
            (" https://Customer.example/ ", "https://customer.example"),
            ("http://10.0.0.1:8300/cs//", "http://10.0.0.1:8300/cs"),
            ("http://[::1]:8300", "http://[::1]:8300"),
        ] {
            assert_eq!(PublicBaseUrl::parse(raw).unwrap().as_str(), url);
        }
        for raw in [
            "customer.example",
            "ftp://customer.example",
            "https://",
            "https://u:p@customer.example",
            "https://customer.example/?a=1",
            "https://customer.example/#a",
        ] {
            assert_eq!(PublicBaseUrl::parse(raw), Err(PublicBaseUrlError), "{raw}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for list in [
            "*",
            "localhost:3000",
            "https://a.example/path",
            "ftp://a.example",
            "https://u@a.example",
        ] {
            assert!(Origins::parse(list).is_err(), "{list}");
        }
    }
}
