//! How the API is served.

use domain::values::PublicBaseUrl;
use url::Url;

/// Web pages whose scripts may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// The text is not the origin of a web page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an origin such as https://dealer.example or http://localhost:3000")]
pub struct OriginError(String);

impl Origins {
    /// Reads a comma list of origins.
    ///
    /// # Errors
    /// [`OriginError`] for the first that is none; `*` is none, because credentials are allowed.
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

    /// Each origin, as browsers write it.
    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// How the API is served.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Web pages whose scripts may call the API.
    pub origins: Origins,
    /// How many threads answer.
    pub workers: usize,
    /// How long requests in flight may take after the server was told to stop, in seconds.
    pub shutdown_seconds: u64,
    /// How the service is reached from outside, for the addresses it shows.
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
