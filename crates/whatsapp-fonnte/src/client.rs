use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::delivery::BlockCause;
use domain::ports::{DeviceReport, OutgoingMessage, SendReport, Whatsapp};
use domain::values::Account;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, redirect, retry};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::body_gate::BodyGate;
use crate::exchange::{Answer, Trouble, exchange};
use crate::redact::Redactor;
use crate::{device, report};

/// The longest time limit of a call, whatever the options; keeps sums of times in range.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3_600);

/// The time limit of a `device` call (chosen): a person waits for it.
const DEVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept. Servers close idle connections after 5 seconds or more; a request on
/// a closing one would have an unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The most idle connections: as many as calls in flight in a busy service. With fewer, every third message
/// opened a connection (measured).
const IDLE_CONNECTIONS: usize = 512;

/// The time limits of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FonnteOptions {
    /// The whole call, from connecting to the end of the answer.
    pub timeout: Duration,
    /// Connecting: DNS, TCP and TLS.
    pub connect_timeout: Duration,
}

impl Default for FonnteOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct SetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The client of Fonnte. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct FonnteClient {
    http: Client,
    timeout: Duration,
}

impl FonnteClient {
    /// A client without open connections.
    ///
    /// # Errors
    /// [`SetupError`] when TLS cannot be set up.
    pub fn new(options: FonnteOptions) -> Result<Self, SetupError> {
        let http = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .http1_only()
            .connect_timeout(options.connect_timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .build()
            .map_err(|error| SetupError(error.into()))?;
        Ok(Self {
            http,
            timeout: options.timeout.min(LONGEST_TIMEOUT),
        })
    }

    async fn post_form(
        &self,
        account: &Account,
        form: String,
        gate: &BodyGate,
    ) -> Result<Answer, Trouble> {
        let request = authorized(self.http.post(account.address.send().clone()), &account.key)?
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(gate.guard(form))
            .build()
            .map_err(|_| Trouble::Unusable)?;
        exchange(&self.http, request, self.timeout).await
    }

    /// Posts to `send` without a recipient, which Fonnte always refuses: shows whether the address leads to
    /// that call.
    async fn ask_nothing(&self, account: &Account) -> Result<Answer, Trouble> {
        let gate = BodyGate::new(Instant::now() + DEVICE_TIMEOUT);
        self.post_form(account, String::new(), &gate).await
    }

    async fn ask_device(&self, account: &Account) -> Result<Answer, Trouble> {
        let url = account.address.sibling("device");
        let request = authorized(self.http.post(url), &account.key)?
            // Needed without a body, too: some servers refuse a POST without it.
            .header(CONTENT_LENGTH, 0)
            .build()
            .map_err(|_| Trouble::Unusable)?;
        exchange(&self.http, request, self.timeout.min(DEVICE_TIMEOUT)).await
    }
}

#[async_trait]
impl Whatsapp for FonnteClient {
    async fn send(
        &self,
        account: &Account,
        message: &OutgoingMessage,
        start_by: Instant,
    ) -> SendReport {
        let form = form(message);
        if Instant::now() >= start_by {
            return report::not_sent(Trouble::TooLate);
        }
        let gate = BodyGate::new(start_by);
        match self.post_form(account, form, &gate).await {
            Ok(reply) => {
                let secret = Redactor::new(account.key.expose_secret());
                report::answered(&reply, &secret.about(&message.body))
            }
            // Shut first, so that the answer stays true: the request is written or never will be.
            Err(trouble) if gate.shut() => report::unknown(trouble),
            Err(trouble) => report::not_sent(trouble),
        }
    }

    async fn device(&self, account: &Account) -> DeviceReport {
        let secret = Redactor::new(account.key.expose_secret());
        let report = device::report(self.ask_device(account).await, &secret);
        match report {
            DeviceReport::Connected { profile, .. } if !account.address.is_usual() => {
                match device::wrong_address(self.ask_nothing(account).await, &secret) {
                    Some(reason) => DeviceReport::NotReady {
                        cause: BlockCause::Other,
                        reason,
                        profile,
                    },
                    None => report,
                }
            }
            report => report,
        }
    }
}

domain::discreet!(FonnteClient, timeout);

/// The form of a message. `countryCode=0` keeps Fonnte from changing the number. `connectOnly=true` keeps it
/// from queueing the message for an offline device: the outbox queues.
fn form(message: &OutgoingMessage) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("target", &message.target.international())
        .append_pair("message", &message.body)
        .append_pair("countryCode", "0")
        .append_pair("connectOnly", "true")
        .finish()
}

fn authorized(request: RequestBuilder, key: &SecretString) -> Result<RequestBuilder, Trouble> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| Trouble::Unusable)?;
    value.set_sensitive(true);
    Ok(request.header(AUTHORIZATION, value))
}

/// TLS for HTTP clients: rustls with ring and Mozilla's roots, independent of process and machine.
///
/// # Errors
/// [`SetupError`] when ring has no TLS version that rustls accepts.
pub fn tls() -> Result<ClientConfig, SetupError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::values::AccountPolicy;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn nothing_is_written_when_the_time_passes_while_connecting() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let account = AccountPolicy::new(&url, &[])
            .unwrap()
            .account(Some(&"key".into()), None)
            .unwrap();
        let client = FonnteClient::new(FonnteOptions::default()).unwrap();
        let gate = BodyGate::new(Instant::now());
        let call = client.post_form(&account, "target=1".to_owned(), &gate);
        let peer = async {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            peer.read_to_end(&mut received).await.unwrap();
            received
        };
        let (result, received) = tokio::join!(call, peer);
        assert_eq!(result.unwrap_err(), Trouble::TooLate);
        assert!(!gate.shut());
        assert_eq!(received, b"");
    }

    #[test]
    fn a_client_prints_no_secrets() {
        let client = FonnteClient::new(FonnteOptions::default()).unwrap();
        assert_eq!(format!("{client:?}"), "FonnteClient { timeout: 30s, .. }");
    }
}
