//! A plain HTTP client that shows exactly what came over the wire.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any answer takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A call, to be sent with [`Service::send`](crate::service::Service::send).
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    head: String,
    body: Vec<u8>,
}

impl Call {
    /// A call without a body.
    pub(crate) fn new(method: &'static str, target: &str) -> Self {
        Self {
            method,
            head: format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n"),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A post of a body that is said to be JSON.
    pub(crate) fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target).json(body)
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    /// The same call of another path.
    pub(crate) fn target(mut self, target: &str) -> Self {
        let (_, rest) = self.head.split_once(" HTTP/1.1").expect("a head");
        self.head = format!("{} {target} HTTP/1.1{rest}", self.method);
        self
    }

    /// A body, announced with its length.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    /// A body in chunks.
    pub(crate) fn chunks(self, chunks: &[&[u8]]) -> Self {
        let mut call = self.header("Transfer-Encoding", "chunked");
        for chunk in chunks {
            call.body.extend(format!("{:x}\r\n", chunk.len()).bytes());
            call.body.extend(*chunk);
            call.body.extend(b"\r\n");
        }
        call.body.extend(b"0\r\n\r\n");
        call
    }

    /// The same with these `Host`s in place of `localhost`.
    pub(crate) fn at(mut self, hosts: &[&str]) -> Self {
        let lines: String = hosts
            .iter()
            .map(|host| format!("Host: {host}\r\n"))
            .collect();
        self.head = self.head.replacen("Host: localhost\r\n", &lines, 1);
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.head.into_bytes();
        bytes.extend(b"\r\n");
        bytes.extend(self.body);
        bytes
    }
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header that is there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} is there twice: {self:?}");
        first
    }

    /// The names of all headers, in lower case.
    pub(crate) fn header_names(&self) -> Vec<String> {
        self.headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks status and whole body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }

    /// Checks status and whole body of an answer with the error envelope.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, kind: &str, message: &str) {
        let message = Value::from(message);
        self.is(
            status,
            &format!(r#"{{"error":{{"code":{status},"message":{message},"type":"{kind}"}}}}"#),
        );
    }

    /// Checks that this is a 422 with exactly these faults.
    #[track_caller]
    pub(crate) fn is_invalid(&self, faults: &[&str]) {
        self.is(422, &format!(r#"{{"detail":[{}]}}"#, faults.join(",")));
    }
}

/// A connection that may be used several times.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.expect("connect"),
            read: Vec::new(),
        }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("write");
    }

    pub(crate) async fn send(&mut self, call: Call) -> Reply {
        let method = call.method;
        // The service may answer and close before it has read everything.
        let _ = self.stream.write_all(&call.bytes()).await;
        self.reply(method).await
    }

    /// Sends what is perhaps no call at all.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> Reply {
        // The service may answer and close before it has read everything.
        let _ = self.stream.write_all(bytes).await;
        self.reply("GET").await
    }

    /// Reads one answer; that to `HEAD` has no body.
    pub(crate) async fn reply(&mut self, method: &str) -> Reply {
        timeout(PATIENCE, self.read_reply(method))
            .await
            .expect("the service answers in time")
    }

    async fn read_reply(&mut self, method: &str) -> Reply {
        let head = self.read_head().await;
        let (status_line, rest) = head.split_once("\r\n").expect("a status line");
        let headers: Vec<(String, String)> = rest
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut reply = Reply {
            status: status_line["HTTP/1.1 ".len()..][..3]
                .parse()
                .expect("a status"),
            headers,
            body: String::new(),
        };
        if reply.status == 204 {
            assert_eq!(reply.header("content-length"), None, "RFC 9110, 8.6");
            return reply;
        }
        let length = reply.header("content-length").expect("a length");
        let length: usize = length.parse().expect("a length is a number");
        if method != "HEAD" {
            while self.read.len() < length {
                self.read_more().await;
            }
            let body: Vec<u8> = self.read.drain(..length).collect();
            // Pictures are not UTF-8; no test looks into them.
            reply.body = String::from_utf8_lossy(&body).into_owned();
        }
        reply
    }

    /// Reads the head of an answer that announces another one.
    pub(crate) async fn interim(&mut self) -> String {
        timeout(PATIENCE, self.read_head())
            .await
            .expect("the service answers in time")
    }

    /// Everything that comes until the service closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let reading = self.stream.read_to_end(&mut self.read);
        let read = timeout(PATIENCE, reading).await;
        read.expect("the service closes in time").expect("read");
        String::from_utf8_lossy(&self.read).into_owned()
    }

    async fn read_head(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.read.drain(..at + 4).collect()).expect("UTF-8");
            }
            self.read_more().await;
        }
    }

    async fn read_more(&mut self) {
        let read = self.stream.read_buf(&mut self.read).await.expect("read");
        assert_ne!(read, 0, "the answer ended early: {:?}", self.read);
    }
}
