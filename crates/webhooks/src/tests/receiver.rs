//! A receiver over raw TCP that does exactly what a test says, and a client that finds it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::DateTime;
use domain::endpoints::{
    EVENT_TIMEOUT, EndpointPolicy, EndpointSecret, EndpointUrl, EventAnswer, EventId, EventType,
    OutgoingEvent,
};
use domain::ports::EventSender as _;
use domain::values::AllowedHost;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::EventClient;
use crate::resolver::{Lookup, machine};
use crate::tls::{mozilla, trusting};

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

/// The policy of a service on loopback.
pub(super) fn local() -> EndpointPolicy {
    EndpointPolicy {
        is_local: true,
        ..EndpointPolicy::default()
    }
}

/// The policy of a service for others, which names these hosts.
pub(super) fn naming(hosts: &[&str]) -> EndpointPolicy {
    let hosts = hosts.iter().map(|host| AllowedHost::parse(host).unwrap());
    EndpointPolicy {
        is_local: false,
        allowed_hosts: hosts.collect(),
    }
}

/// A client of a service on loopback that knows no names but this machine's.
pub(super) fn client() -> EventClient {
    EventClient::new(local()).unwrap()
}

/// The same, which waits for so many milliseconds.
pub(super) fn hasty_client(timeout: u64) -> EventClient {
    let (timeout, tls) = (Duration::from_millis(timeout), trusting(mozilla()).unwrap());
    EventClient::with(local(), timeout, &tls, &machine()).unwrap()
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
    policy: EndpointPolicy,
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
    let client = EventClient::with(policy, EVENT_TIMEOUT, &tls, &lookup).unwrap();
    (client, asked)
}

pub(super) fn secret() -> EndpointSecret {
    EndpointSecret::new([7; 32])
}

pub(super) fn event() -> OutgoingEvent {
    OutgoingEvent {
        id: EventId(Uuid::from_u128(0x23f1_6411_6eb2_4829_a964_9ad1_f0e0_cc22)),
        kind: EventType::AccountRecovered.as_str().to_owned(),
        at: DateTime::from_timestamp_micros(1_795_600_000_123_456).unwrap(),
        data: r#"{"dealer_id":"0009999"}"#.to_owned(),
    }
}

/// One attempt, now.
pub(super) async fn post(client: &EventClient, url: &str) -> EventAnswer {
    let url = EndpointUrl::stored(url).unwrap();
    client.post(&url, &secret(), &event()).await
}

/// The status of an attempt.
pub(super) async fn status(client: &EventClient, url: &str) -> Option<u16> {
    post(client, url).await.status()
}

/// What an attempt ends with when the receiver answers with these bytes and closes.
pub(super) async fn answered_with(bytes: &str) -> EventAnswer {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    tokio::join!(post(&client, &url), receiver.answer(bytes)).0
}
