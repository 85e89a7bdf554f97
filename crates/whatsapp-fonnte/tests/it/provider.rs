//! A provider over raw TCP that does exactly what a test says.

use std::time::{Duration, Instant};

use domain::ports::{OutgoingMessage, SendReport, Whatsapp as _};
use domain::values::{Account, AccountPolicy, Phone};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use whatsapp_fonnte::{FonnteClient, FonnteOptions};

pub(crate) const KEY: &str = "aB3+secret@#9xYz!Q4w";

pub(crate) const YES: &str = r#"{"detail":"success! message in queue","id":[142223099],"process":"pending","requestid":369052479,"status":true,"target":["6282148523421"]}"#;

pub(crate) struct Provider(TcpListener);

/// The provider's side of one connection.
pub(crate) struct Peer(TcpStream);

impl Provider {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The account at this provider, by `http` or `https`.
    pub(crate) fn account(&self, scheme: &str) -> Account {
        account(&format!("{scheme}://{}/send", self.0.local_addr().unwrap()))
    }

    pub(crate) fn host(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    pub(crate) async fn accept(&self) -> Peer {
        Peer(self.0.accept().await.unwrap().0)
    }

    /// Takes one connection, reads the request and answers with these bytes.
    pub(crate) async fn answer(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut peer = self.accept().await;
        let request = peer.request().await;
        peer.write(bytes).await;
        request
    }

    /// Whether a connection is waiting to be accepted.
    pub(crate) async fn was_called(&self) -> bool {
        timeout(Duration::ZERO, self.0.accept()).await.is_ok()
    }
}

impl Peer {
    /// Reads one whole request.
    pub(crate) async fn request(&mut self) -> String {
        let mut request = Vec::new();
        loop {
            let read = self.0.read_buf(&mut request).await.unwrap();
            assert_ne!(read, 0, "the request ended early");
            let text = String::from_utf8(request.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
    }

    /// Waits until the request has arrived, and leaves it unread.
    pub(crate) async fn peek(&self) {
        self.0.peek(&mut [0; 1]).await.unwrap();
    }

    /// Whether the caller says nothing more and stays for so long.
    pub(crate) async fn is_waited_for(&self, long: Duration) -> bool {
        let mut byte = [0; 1];
        let something = self.0.peek(&mut byte);
        tokio::time::timeout(long, something).await.is_err()
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until the caller closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest).await;
        rest
    }
}

pub(crate) fn account(url: &str) -> Account {
    AccountPolicy::new(url, &[])
        .unwrap()
        .account(Some(&KEY.into()), None)
        .unwrap()
}

pub(crate) fn client() -> FonnteClient {
    FonnteClient::new(FonnteOptions::default()).unwrap()
}

/// A client that waits for so many milliseconds: for the call, and for the connection.
pub(crate) fn hasty_client(timeout: u64, connect_timeout: u64) -> FonnteClient {
    FonnteClient::new(FonnteOptions {
        timeout: Duration::from_millis(timeout),
        connect_timeout: Duration::from_millis(connect_timeout),
    })
    .unwrap()
}

pub(crate) fn message() -> OutgoingMessage {
    OutgoingMessage {
        target: Phone::parse("082148523421").unwrap(),
        body: "Halo Adit & Ani,\n100% + é {x}".to_owned(),
    }
}

/// Sends the sample message.
pub(crate) async fn send(client: &FonnteClient, account: &Account) -> SendReport {
    let start_by = Instant::now() + Duration::from_secs(60);
    client.send(account, &message(), start_by).await
}

/// What becomes of the message when the provider answers with these bytes and closes.
pub(crate) async fn answered_with(bytes: impl AsRef<[u8]>) -> SendReport {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    tokio::join!(send(&client, &account), provider.answer(bytes)).0
}

/// A whole HTTP answer.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}
