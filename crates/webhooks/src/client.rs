use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::endpoints::{
    EVENT_TIMEOUT, EndpointPolicy, EndpointSecret, EndpointUrl, EventAnswer, EventError,
    OutgoingEvent,
};
use domain::ports::EventSender;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Request, Response, redirect, retry};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};
use webhook_signatures::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

use crate::fault::fault;
use crate::resolver::{CheckedResolver, Lookup, admits_literal, machine};
use crate::retry_after::asked_wait;
use crate::tls::{SetupError, mozilla, trusting};

/// How long an idle connection is kept. Servers close idle connections after 5 seconds or more, and a call on
/// a closing one fails.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Idle connections to one host: its endpoints, of which each has one call at a time (chosen).
const IDLE_CONNECTIONS: usize = 8;

/// How much of an answer's body is read, and for how long, so that its connection can be used again (chosen).
/// Nobody looks at it; where there is more, the connection is closed.
const BODY_READ: usize = 4 * 1024;
const BODY_WAIT: Duration = Duration::from_millis(100);

/// Posts events. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct EventClient {
    https: Client,
    http: Client,
    policy: Arc<EndpointPolicy>,
    timeout: Duration,
}

domain::discreet!(EventClient, policy, timeout);

impl EventClient {
    /// A client without open connections, which connects only to what this policy admits.
    ///
    /// # Errors
    /// [`SetupError`] when TLS cannot be set up.
    pub fn new(policy: EndpointPolicy) -> Result<Self, SetupError> {
        Self::with(policy, EVENT_TIMEOUT, &trusting(mozilla())?, &machine())
    }

    pub(crate) fn with(
        policy: EndpointPolicy,
        timeout: Duration,
        tls: &ClientConfig,
        lookup: &Lookup,
    ) -> Result<Self, SetupError> {
        let policy = Arc::new(policy);
        let client = |scheme| {
            let resolver = CheckedResolver {
                scheme,
                policy: policy.clone(),
                lookup: lookup.clone(),
            };
            client(resolver, tls.clone())
        };
        Ok(Self {
            https: client("https")?,
            http: client("http")?,
            policy: policy.clone(),
            timeout,
        })
    }

    async fn try_post(
        &self,
        url: &EndpointUrl,
        secret: &EndpointSecret,
        event: &OutgoingEvent,
    ) -> Result<EventAnswer, EventError> {
        if !admits_literal(&self.policy, url) {
            return Err(EventError::AddressNotAllowed);
        }
        let client = match url.url().scheme() {
            "https" => &self.https,
            "http" if self.policy.is_local => &self.http,
            _ => return Err(EventError::AddressNotAllowed),
        };
        let secret = Secret::from_bytes(secret.key()).map_err(|_| EventError::SecretUnreadable)?;
        let (id, at, body) = (event.id.to_string(), now(), event.body());
        let request = client
            .post(url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE_HEADER, secret.sign(&id, at, body.as_bytes()))
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, at)
            .body(body)
            .build()
            .map_err(|error| fault(&error))?;
        self.exchange(client, request).await
    }

    async fn exchange(&self, client: &Client, request: Request) -> Result<EventAnswer, EventError> {
        let deadline = Instant::now() + self.timeout;
        let response = timeout_at(deadline, client.execute(request))
            .await
            .map_err(|_| EventError::Timeout)?
            .map_err(|error| fault(&error))?;
        let answer = EventAnswer::Status {
            status: response.status().as_u16(),
            retry_after: asked_wait(response.headers()),
        };
        read_short(response).await;
        Ok(answer)
    }
}

#[async_trait]
impl EventSender for EventClient {
    async fn post(
        &self,
        url: &EndpointUrl,
        secret: &EndpointSecret,
        event: &OutgoingEvent,
    ) -> EventAnswer {
        let answer = self.try_post(url, secret, event).await;
        answer.unwrap_or_else(EventAnswer::Error)
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

fn client(resolver: CheckedResolver, tls: ClientConfig) -> Result<Client, SetupError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
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

/// Seconds since 1970, by this machine: receivers compare them with their own clock.
#[expect(
    clippy::disallowed_methods,
    reason = "an attempt is signed with its own time"
)]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}
