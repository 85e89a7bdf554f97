//! A receiver of event webhooks, as a workshop system has one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use webhook_signatures::{Headers, Secret};

/// A receiver on a port of its own. The first part of a path says how it answers there: a status, `hang` for
/// never, `flaky` for 500 once and 204 afterwards.
pub struct Receiver {
    port: u16,
    calls: Arc<Mutex<Vec<ReceivedCall>>>,
}

/// A call, as it came.
#[derive(Debug, Clone)]
pub struct ReceivedCall {
    /// When, by the system's clock, since 1970.
    pub at: Duration,
    /// The path.
    pub path: String,
    headers: HashMap<String, String>,
    /// The body as it came.
    pub body: String,
}

impl ReceivedCall {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The `webhook-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("webhook-id").unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Whether it is signed with this secret, now.
    ///
    /// # Panics
    /// When the text is no secret.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret = Secret::parse(secret).expect("a secret");
        let headers = Headers {
            id: self.header("webhook-id"),
            timestamp: self.header("webhook-timestamp"),
            signatures: self.header("webhook-signature"),
        };
        let now = i64::try_from(self.at.as_secs()).expect("a time");
        secret.verify(&headers, self.body.as_bytes(), now).is_ok()
    }
}

impl Receiver {
    /// A receiver that listens.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let calls = Arc::default();
        tokio::spawn(serve(listener, Arc::clone(&calls)));
        Self { port, calls }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All calls so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<ReceivedCall> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Those of a path.
    #[must_use]
    pub fn calls_of(&self, path: &str) -> Vec<ReceivedCall> {
        let mut calls = self.calls();
        calls.retain(|call| call.path == path);
        calls
    }
}

async fn serve(listener: TcpListener, calls: Arc<Mutex<Vec<ReceivedCall>>>) {
    while let Ok((peer, _)) = listener.accept().await {
        tokio::spawn(converse(peer, calls.clone()));
    }
}

/// Answers the calls of one connection until it ends.
async fn converse(mut peer: TcpStream, calls: Arc<Mutex<Vec<ReceivedCall>>>) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let call = take(&mut peer, &mut read).await?;
        let path = call.path.clone();
        let before = {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let before = calls.iter().filter(|call| call.path == path).count();
            calls.push(call);
            before
        };
        let status = match path.split('/').nth(1) {
            Some("hang") => {
                // Until the caller gives up.
                let _ = peer.read_u8().await;
                return None;
            }
            Some("flaky") if before == 0 => "500",
            Some("flaky") => "204",
            status => status?,
        };
        let answer = format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n");
        peer.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// Reads one whole call.
async fn take(peer: &mut TcpStream, read: &mut Vec<u8>) -> Option<ReceivedCall> {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let path = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: HashMap<_, _> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let length: usize = headers.get("content-length")?.parse().ok()?;
            if rest.len() >= length {
                let body = rest[..length].to_owned();
                read.drain(..head.len() + 4 + length);
                let at = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
                return Some(ReceivedCall {
                    at,
                    path,
                    headers,
                    body,
                });
            }
        }
        if peer.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}
