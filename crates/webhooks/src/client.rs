use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::fault::AttemptError;
use chrono::{DateTime, Utc};
use domain::values::AllowedHost;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Request, Response, redirect, retry};
use rustls::ClientConfig;
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::fault::fault;
use crate::resolver::{CheckedResolver, Lookup, Reach, machine};
use crate::retry_after::asked_wait;
use crate::signature::signature;
use crate::tls::{SetupError, mozilla, trusting};

/// How long an idle connection is kept. Servers close idle connections after 5 seconds or more, and a call on
/// a closing one fails.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Idle connections of one host: its endpoints, of which each has one call at a time (chosen).
const IDLE_CONNECTIONS: usize = 8;

/// How much of an answer's body is read, and for how long, so that the connection can be used again (chosen).
/// Nobody looks at it; with more of it the connection is closed.
const BODY_READ: usize = 4 * 1024;
const BODY_WAIT: Duration = Duration::from_millis(100);

/// What may be connected to, and for how long.
#[derive(Debug, Clone)]
pub struct EventClientOptions {
    /// Hosts that need not be public.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Whether plain http may go to this machine: only where the service itself listens on loopback.
    pub loopback: bool,
    /// The whole call, from the name's look-up to the answer's status.
    pub timeout: Duration,
}

impl Default for EventClientOptions {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            loopback: false,
            timeout: Duration::from_secs(10),
        }
    }
}

/// Posts events. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct EventClient {
    public: Client,
    loopback: Option<Client>,
    any: Client,
    allowed_hosts: BTreeSet<AllowedHost>,
    timeout: Duration,
}

domain::discreet!(EventClient, timeout);

/// What an attempt sends.
pub(crate) struct Post<'a> {
    pub(crate) url: &'a Url,
    pub(crate) secret: &'a SecretString,
    pub(crate) webhook_id: &'a str,
    pub(crate) at: DateTime<Utc>,
    pub(crate) body: &'a str,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// The header `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
}

impl EventClient {
    /// A client without open connections.
    ///
    /// # Errors
    /// [`SetupError`] when TLS cannot be set up.
    pub fn new(options: EventClientOptions) -> Result<Self, SetupError> {
        Self::with(options, &trusting(mozilla())?, &machine())
    }

    pub(crate) fn with(
        options: EventClientOptions,
        tls: &ClientConfig,
        lookup: &Lookup,
    ) -> Result<Self, SetupError> {
        let client = |reach| client(reach, tls.clone(), lookup.clone());
        Ok(Self {
            public: client(Reach::Public)?,
            loopback: options
                .loopback
                .then(|| client(Reach::Loopback))
                .transpose()?,
            any: client(Reach::Any)?,
            allowed_hosts: options.allowed_hosts.into_iter().collect(),
            timeout: options.timeout,
        })
    }

    /// The client for an address, which connects to nothing outside of its reach.
    fn client_for(&self, url: &Url) -> Option<&Client> {
        let is_allowed = || {
            let host = url
                .host_str()
                .and_then(|host| AllowedHost::parse(host).ok());
            host.is_some_and(|host| self.allowed_hosts.contains(&host))
        };
        let (client, reach) = match url.scheme() {
            "https" if is_allowed() => (&self.any, Reach::Any),
            "https" => (&self.public, Reach::Public),
            "http" => (self.loopback.as_ref()?, Reach::Loopback),
            _ => return None,
        };
        // The HTTP client asks the resolver for names only.
        let literal = match url.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        literal
            .is_none_or(|address| reach.includes(address))
            .then_some(client)
    }

    pub(crate) async fn post(&self, post: &Post<'_>) -> Result<Answered, AttemptError> {
        let client = self
            .client_for(post.url)
            .ok_or(AttemptError::AddressNotAllowed)?;
        let timestamp = post.at.timestamp();
        let signature = signature(post.secret, post.webhook_id, timestamp, post.body)
            .ok_or(AttemptError::SecretUnusable)?;
        let request = client
            .post(post.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", post.webhook_id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(post.body.to_owned())
            .build()
            .map_err(|error| fault(&error))?;
        self.exchange(client, request).await
    }

    async fn exchange(&self, client: &Client, request: Request) -> Result<Answered, AttemptError> {
        let deadline = Instant::now() + self.timeout;
        let response = timeout_at(deadline, client.execute(request))
            .await
            .map_err(|_| AttemptError::Timeout)?
            .map_err(|error| fault(&error))?;
        let answered = Answered {
            status: response.status().as_u16(),
            retry_after: asked_wait(response.headers()),
        };
        read_short(response).await;
        Ok(answered)
    }
}

/// Reads a short body to its end, so that its connection can be used again.
async fn read_short(mut response: Response) {
    let until = Instant::now() + BODY_WAIT;
    let mut read = 0;
    while let Ok(Ok(Some(chunk))) = timeout_at(until, response.chunk()).await {
        read += chunk.len();
        if read > BODY_READ {
            return;
        }
    }
}

fn client(reach: Reach, tls: ClientConfig, lookup: Lookup) -> Result<Client, SetupError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(CheckedResolver { reach, lookup })
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .user_agent(concat!("customer-service/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| SetupError(error.into()))
}
