//! A receiver over raw TCP that does exactly what a test says, and a client that finds it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::fault::AttemptError;
use chrono::{DateTime, Utc};
use rustls::ClientConfig;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::client::{Answered, EventClient, EventClientOptions, Post};
use crate::resolver::Lookup;
use crate::tls::{mozilla, trusting};

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const BODY: &str =
    r#"{"type":"message.sent","timestamp":"2026-11-30T13:00:00Z","data":{}}"#;
pub(super) const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

pub(super) struct Receiver(TcpListener);

impl Receiver {
    pub(super) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The address of its path `/hook`, by this scheme and name.
    pub(super) fn url(&self, scheme: &str, host: &str) -> String {
        let port = self.0.local_addr().unwrap().port();
        format!("{scheme}://{host}:{port}/hook?token=1")
    }

    pub(super) fn here(&self) -> String {
        self.url("http", "127.0.0.1")
    }

    pub(super) async fn accept(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }

    /// Takes one connection, reads the request and answers with these bytes.
    pub(super) async fn answer(&self, bytes: &str) -> String {
        let mut peer = self.accept().await;
        let request = request(&mut peer).await;
        peer.write_all(bytes.as_bytes()).await.unwrap();
        request
    }

    /// Whether a connection is waiting to be accepted.
    pub(super) async fn was_called(&self) -> bool {
        timeout(Duration::ZERO, self.0.accept()).await.is_ok()
    }
}

/// Reads one whole request.
pub(super) async fn request(peer: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    loop {
        let read = peer.read_buf(&mut request).await.unwrap();
        assert_ne!(read, 0, "the request ended early");
        let text = String::from_utf8(request.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length: usize = header(head, "content-length").parse().unwrap();
        if body.len() >= length {
            return text;
        }
    }
}

/// A header of a request.
pub(super) fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(n, _)| *n == name)
        .map_or("", |(_, value)| value)
}

/// A client of a service on loopback that knows no names but this machine's.
pub(super) fn client() -> EventClient {
    EventClient::new(options()).unwrap()
}

pub(super) fn options() -> EventClientOptions {
    EventClientOptions {
        loopback: true,
        ..EventClientOptions::default()
    }
}

/// Counts the look-ups of names.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<AtomicUsize>);

impl Asked {
    pub(super) fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client for which every name has these addresses; without any, no name exists.
pub(super) fn client_where(
    options: EventClientOptions,
    tls: Option<ClientConfig>,
    addresses: &[&str],
) -> (EventClient, Asked) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Asked::default();
    let counted = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        counted.0.fetch_add(1, Ordering::Relaxed);
        let addresses = addresses.clone();
        Box::pin(async move {
            if addresses.is_empty() {
                return Err(std::io::Error::other("no such name"));
            }
            Ok(addresses)
        })
    });
    let tls = tls.unwrap_or_else(|| trusting(mozilla()).unwrap());
    (EventClient::with(options, &tls, &lookup).unwrap(), asked)
}

/// One attempt, now.
pub(super) async fn post(client: &EventClient, url: &str) -> Result<Answered, AttemptError> {
    let secret = SecretString::from(SECRET);
    let post = Post {
        url: &Url::parse(url).unwrap(),
        secret: &secret,
        webhook_id: "evt_01939e2c",
        at: now(),
        body: BODY,
    };
    client.post(&post).await
}

/// What an attempt ends with when the receiver answers with these bytes and closes.
pub(super) async fn answered_with(bytes: &str) -> Result<Answered, AttemptError> {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    tokio::join!(post(&client, &url), receiver.answer(bytes)).0
}

#[expect(
    clippy::disallowed_methods,
    reason = "a verifier compares with the real time"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
