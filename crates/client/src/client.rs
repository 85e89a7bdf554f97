//! The client and how it is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::values::IdempotencyKey;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;
use uuid::Uuid;

/// How long a call may take with all its tries (chosen: longer than the service takes to recover from the
/// restart of a database).
const DEADLINE: Duration = Duration::from_secs(30);

/// How long one try may take: the service answers within 6 seconds, and a network takes its time.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The same of a bulk call, whose table may be as large as 8 MiB.
const BULK_DEADLINE: Duration = Duration::from_secs(5 * 60);
const BULK_ATTEMPT: Duration = Duration::from_secs(2 * 60);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is not http or https, or has a user name, a query or a fragment.
    #[error("the address of the service is not http or https, or has more than a host and a path")]
    Address,
    /// The API key has characters that no key has.
    #[error("the API key is not one")]
    ApiKey,
    /// There is no TLS version that can be used, or the system refuses.
    #[error("the HTTP client cannot be made")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A caller of the service. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) calls: Limits,
    pub(crate) bulk: Limits,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// With all its tries.
    pub(crate) deadline: Duration,
    /// One try.
    pub(crate) attempt: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.inner.base.as_str())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the service at this address, with this key.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base: &str, api_key: &str) -> Result<Self, SetupError> {
        Self::builder(base).api_key(api_key).build()
    }

    /// A client of the service at this address, such as `https://customer.example`. A path is kept, but for
    /// `/api/v1` at its end.
    #[must_use]
    pub fn builder(base: &str) -> ClientBuilder {
        ClientBuilder {
            base: base.to_owned(),
            api_key: None,
            http: None,
            calls: Limits {
                deadline: DEADLINE,
                attempt: ATTEMPT,
            },
            bulk: Limits {
                deadline: BULK_DEADLINE,
                attempt: BULK_ATTEMPT,
            },
        }
    }
}

/// Makes a [`Client`].
pub struct ClientBuilder {
    base: String,
    api_key: Option<String>,
    http: Option<reqwest::ClientBuilder>,
    calls: Limits,
    bulk: Limits,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password until it is checked.
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The API key; blanks around it are dropped. Without one, only a service that asks for none answers.
    #[must_use]
    pub fn api_key(mut self, key: &str) -> Self {
        self.api_key = Some(key.trim().to_owned());
        self
    }

    /// How long a call may take with all its tries; 30 seconds without it.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.calls.deadline = deadline;
        self
    }

    /// How long one try may take; 10 seconds without it.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.calls.attempt = limit;
        self
    }

    /// How long a bulk call, or a block of a stream of submissions, may take with all its tries; 5 minutes
    /// without it.
    #[must_use]
    pub fn bulk_deadline(mut self, deadline: Duration) -> Self {
        self.bulk.deadline = deadline;
        self
    }

    /// How long one try of a bulk call may take, and each part of a download; 2 minutes without it.
    #[must_use]
    pub fn bulk_attempt_timeout(mut self, limit: Duration) -> Self {
        self.bulk.attempt = limit;
        self
    }

    /// Another HTTP client below: with certificates of an own authority, or a proxy. Redirects are not followed
    /// with it either.
    #[must_use]
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn build(self) -> Result<Client, SetupError> {
        let base = address(&self.base)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.api_key {
            let key = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut key = key.map_err(|_| SetupError::ApiKey)?;
            key.set_sensitive(true);
            headers.insert(AUTHORIZATION, key);
        }
        let http = match self.http {
            Some(http) => http,
            None => reqwest::Client::builder()
                .tls_backend_preconfigured(tls()?)
                .no_proxy(),
        };
        // A redirect could take a key, or a submission, to somebody else.
        let http = http
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!(
                "customer-service-client/",
                env!("CARGO_PKG_VERSION")
            ))
            .default_headers(headers)
            .build();
        let http = http.map_err(|error| SetupError::Http(error.into()))?;
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                base,
                calls: self.calls,
                bulk: self.bulk,
            }),
        })
    }
}

/// The address without what calls add to it.
fn address(base: &str) -> Result<Url, SetupError> {
    let base = base.trim().trim_end_matches('/');
    let base = base.strip_suffix("/api/v1").unwrap_or(base);
    let url = Url::parse(base).map_err(|_| SetupError::Address)?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if plain && url.has_host() => Ok(url),
        _ => Err(SetupError::Address),
    }
}

/// TLS with ring and Mozilla's roots: nothing of the system is needed.
fn tls() -> Result<ClientConfig, SetupError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Http(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A key that no other submission has.
pub(crate) fn fresh_key() -> IdempotencyKey {
    let key = Uuid::now_v7().to_string();
    IdempotencyKey::parse(&key).unwrap_or_else(|_| unreachable!("a UUID is visible ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_path() {
        for (given, kept) in [
            ("http://127.0.0.1:8300", "http://127.0.0.1:8300/"),
            ("https://customer.example/", "https://customer.example/"),
            (
                "https://customer.example/api/v1/",
                "https://customer.example/",
            ),
            (
                "https://gateway.example/customer",
                "https://gateway.example/customer",
            ),
        ] {
            assert_eq!(address(given).unwrap().as_str(), kept);
        }
        for wrong in [
            "",
            "customer.example",
            "ftp://customer.example",
            "https://user@customer.example",
            "https://:secret@customer.example",
            "https://customer.example/?key=1",
            "https://customer.example/#top",
            "data:text/plain,a",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn neither_key_nor_password_is_shown() {
        let builder = Client::builder("https://u:hidden@customer.example").api_key("csk_hidden");
        assert!(!format!("{builder:?}").contains("hidden"));
        let client = Client::new("http://127.0.0.1:8300", " csk_hidden\n").unwrap();
        let shown = format!("{client:?}");
        assert_eq!(shown, r#"Client { base: "http://127.0.0.1:8300/", .. }"#);
        let wrong = Client::new("http://127.0.0.1:8300", "csk_\nhidden").unwrap_err();
        assert!(!format!("{wrong:?} {wrong}").contains("hidden"));
    }

    #[test]
    fn keys_differ() {
        assert_ne!(fresh_key(), fresh_key());
    }
}
