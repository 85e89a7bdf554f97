//! The options of the server.

use domain::values::PublicBaseUrl;
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
