use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use callers::{Disconnect, DisconnectSignal};

/// A connection on which no byte is sent before the first one is received.
///
/// actix answers 408 before it closes a connection on which no request came in time. A load balancer with
/// idle connections may write its next request at that moment, and would take the 408 for its answer. When
/// the connection just closes, the balancer knows that the request was not read.
pub(crate) struct Quiet<T> {
    stream: T,
    spoken_to: bool,
    watch: DisconnectSignal,
}

impl<T> Quiet<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self {
            stream,
            spoken_to: false,
            watch: DisconnectSignal::default(),
        }
    }

    /// Tells when the other end has left.
    pub(crate) fn disconnect(&self) -> Disconnect {
        self.watch.end()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Quiet<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let came = buffer.filled().len() > before;
        self.spoken_to |= came;
        if !came && buffer.remaining() > 0 {
            self.watch.has_left();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Quiet<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.spoken_to {
            // Reported as written.
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
