//! A provider that costs nearly nothing: it accepts every message, and knows none of them afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// More than a call takes; a longer one ends its connection.
const MOST_BYTES: usize = 64 * 1024;

/// What Fonnte answers to an accepted message.
const ACCEPTED: &str = r#"{"detail":"success! message in queue","id":["#;

/// A listening provider on a thread of its own, which ends when this is dropped.
pub(super) struct StandIn {
    url: String,
    _end: oneshot::Sender<()>,
}

impl StandIn {
    /// # Errors
    /// When there is no port, or no thread.
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/send", listener.local_addr()?);
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        std::thread::Builder::new()
            .name("stand-in".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = serve(listener) => {}
                        _ = ended => {}
                    }
                });
            })
            .context("no thread")?;
        Ok(Self { url, _end: end })
    }

    /// The address for sends.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

async fn serve(listener: std::net::TcpListener) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let sent = Arc::new(AtomicU64::new(0));
    loop {
        let (peer, _) = listener.accept().await?;
        tokio::spawn(converse(peer, sent.clone()));
    }
}

/// Answers the calls of one connection, one after the other, until it ends.
async fn converse(mut peer: TcpStream, sent: Arc<AtomicU64>) -> std::io::Result<()> {
    peer.set_nodelay(true)?;
    let mut read = Vec::with_capacity(4096);
    loop {
        while let Some(length) = length_of_call(&read) {
            read.drain(..length);
            let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
            let body = format!(
                "{ACCEPTED}\"{number}\"],\"process\":\"pending\",\"requestid\":{number},\"status\":true}}"
            );
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            peer.write_all(answer.as_bytes()).await?;
        }
        if read.len() > MOST_BYTES || peer.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
}

/// How long the first call is, once it is there as a whole.
fn length_of_call(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&read[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head + length.unwrap_or(0);
    (read.len() >= whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::length_of_call;

    #[test]
    fn a_call_is_answered_once_it_is_there_as_a_whole() {
        let call = b"POST /send HTTP/1.1\r\ncontent-length: 3\r\n\r\na=b";
        for part in 0..call.len() {
            assert_eq!(length_of_call(&call[..part]), None);
        }
        assert_eq!(length_of_call(call), Some(call.len()));
        let two = [&call[..], &call[..]].concat();
        assert_eq!(length_of_call(&two), Some(call.len()));
    }
}
