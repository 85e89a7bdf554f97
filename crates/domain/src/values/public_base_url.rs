use url::Url;

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

    /// Whether it is reached over https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The origin of its pages, as browsers write it.
    #[must_use]
    pub fn origin(&self) -> String {
        let url = Url::parse(&self.0).map(|url| url.origin().ascii_serialization());
        url.unwrap_or_default()
    }

    /// The webhook address for Fonnte; `kind` is `status` or `device`.
    #[must_use]
    pub fn webhook(&self, token: &str, kind: &str) -> String {
        format!("{}/api/v1/webhooks/fonnte/{token}/{kind}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
