//! Reads the server's answers along: the SQLSTATE of errors, and whether the server answers at all.
//!
//! What to do about an error depends on its SQLSTATE, which neither Diesel nor diesel-async hands out. So it
//! is read from the protocol: each message begins with its type and length, and only errors are parsed.

use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// An error from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerError {
    /// Its SQLSTATE.
    pub(crate) state: SqlState,
    /// Whether the server ends the session because of it.
    is_fatal: bool,
}

impl ServerError {
    /// Whether the session is unusable: the server ends it, shuts down or has lost the client (57P…, 08…), or
    /// takes no writes (25006).
    pub(crate) fn ends_session(&self) -> bool {
        let code = self.state.code();
        self.is_fatal || self.is_read_only() || code.starts_with("57P") || code.starts_with("08")
    }

    /// Whether stale prepared statements may be at fault: tables, columns or functions changed (0A000, 42…, a
    /// failed cache look-up), or the statements are gone (26000). The statement then did nothing.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = [
            "0A000", "26000", "42P05", "42P01", "42703", "42704", "42804", "42883", "XX000",
        ];
        stale.contains(&self.state.code())
    }

    /// Whether the server refused a write because it is read-only.
    pub(crate) fn is_read_only(&self) -> bool {
        self.state == SqlState::READ_ONLY_SQL_TRANSACTION
    }

    /// Whether a repetition would fail as well: values do not fit (22…), a rule forbids them (23…, 44…, or a
    /// trigger, P0…), a limit does (54…), or a table, column, schema or right is missing (42…, 3F…). All
    /// other classes may be temporary.
    pub(crate) fn lasts(&self) -> bool {
        const LASTING: [&str; 7] = ["22", "23", "3F", "42", "44", "54", "P0"];
        // A pooler may mix up prepared statements; a new session does not meet that.
        !self.ends_session()
            && self.state != SqlState::DUPLICATE_PSTATEMENT
            && LASTING
                .iter()
                .any(|class| self.state.code().starts_with(class))
    }

    /// Parses the first fields of an error: each is a type and a text that ends with a zero byte. Severity
    /// and SQLSTATE come first.
    fn parse(body: &[u8]) -> Option<Self> {
        let text = |wanted: u8| {
            let mut fields = body.split(|byte| *byte == 0);
            let field = fields.find_map(|field| field.strip_prefix(&[wanted]))?;
            std::str::from_utf8(field).ok()
        };
        Some(Self {
            state: SqlState::from_code(text(b'C')?),
            // `V` is the severity untranslated; poolers may send `S` alone.
            is_fatal: matches!(text(b'V').or_else(|| text(b'S')), Some("FATAL" | "PANIC")),
        })
    }
}

/// The server's answers on a connection since it was lent.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Since>);

#[derive(Debug, Default)]
struct Since {
    any: bool,
    error: Option<ServerError>,
}

impl Answers {
    /// Starts anew.
    pub(crate) fn forget(&self) {
        *self.since() = Since::default();
    }

    /// Whether any answer came.
    pub(crate) fn any(&self) -> bool {
        self.since().any
    }

    /// The last error.
    pub(crate) fn error(&self) -> Option<ServerError> {
        self.since().error.clone()
    }

    fn since(&self) -> MutexGuard<'_, Since> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream to the server whose answers are read along.
pub(super) struct Watched<S> {
    stream: S,
    scanner: Scanner,
    answers: Arc<Answers>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, answers: Arc<Answers>) -> Self {
        Self {
            stream,
            scanner: Scanner::default(),
            answers,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let error = this.scanner.scan(&buf.filled()[before..]);
        let mut since = this.answers.since();
        since.any = true;
        if error.is_some() {
            since.error = error;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Watched<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Encrypts a stream, whose decrypted answers are read along.
pub(super) struct WatchedTls<T> {
    pub(super) tls: T,
    pub(super) answers: Arc<Answers>,
}

impl<S, T> TlsConnect<Watched<S>> for WatchedTls<T>
where
    T: TlsConnect<S, Future: Send + 'static>,
{
    type Stream = Watched<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: Watched<S>) -> Self::Future {
        let handshake = self.tls.connect(stream.stream);
        let answers = self.answers;
        Box::pin(async move { Ok(Watched::new(handshake.await?, answers)) })
    }
}

/// How many bytes of an error are kept for parsing (chosen).
const BEGINNING: usize = 256;

/// Bytes of a message's type and length; the length counts itself.
const HEAD: usize = 5;

/// Finds errors in the server's messages, however they are cut into parts.
#[derive(Debug)]
struct Scanner {
    /// Before the first byte.
    is_first: bool,
    head: Vec<u8>,
    /// Bytes of the message's body that are still to come.
    left: usize,
    /// The beginning of the body of an error.
    error: Option<Vec<u8>>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            is_first: true,
            head: Vec::with_capacity(HEAD),
            left: 0,
            error: None,
        }
    }
}

impl Scanner {
    /// Scans the next bytes; returns the last error that ends in them.
    fn scan(&mut self, mut bytes: &[u8]) -> Option<ServerError> {
        // `N` refuses encryption and is no message: every session begins with another byte.
        if mem::take(&mut self.is_first) {
            bytes = bytes.strip_prefix(b"N").unwrap_or(bytes);
        }
        let mut last = None;
        while !bytes.is_empty() {
            if self.left == 0 {
                let (taken, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
                self.head.extend_from_slice(taken);
                bytes = rest;
                let Ok([kind, length @ ..]) = <[u8; HEAD]>::try_from(&self.head[..]) else {
                    continue;
                };
                self.head.clear();
                self.left = (u32::from_be_bytes(length) as usize).saturating_sub(4);
                self.error = (kind == b'E').then(Vec::new);
                continue;
            }
            let (taken, rest) = bytes.split_at(bytes.len().min(self.left));
            bytes = rest;
            self.left -= taken.len();
            if let Some(error) = &mut self.error {
                let room = BEGINNING - error.len();
                error.extend_from_slice(&taken[..taken.len().min(room)]);
                if self.left == 0 {
                    last = ServerError::parse(error).or(last);
                    self.error = None;
                }
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    fn error(severity: &str, code: &str, words: &str) -> Vec<u8> {
        let fields = format!("SFEHLER\0V{severity}\0C{code}\0M{words}\0DCall of V and C\0\0");
        message(b'E', fields.as_bytes())
    }

    /// The errors in these bytes, read in parts of that length.
    fn found(bytes: &[u8], part: usize) -> Vec<(String, bool)> {
        let mut scanner = Scanner::default();
        bytes
            .chunks(part)
            .filter_map(|part| scanner.scan(part))
            .map(|error| (error.state.code().to_owned(), error.is_fatal))
            .collect()
    }

    #[test]
    fn errors_are_found_however_the_bytes_arrive() {
        let session = [
            message(b'R', &[0, 0, 0, 0]),
            // An empty body, a long one, and one that looks like an error.
            message(b'1', b""),
            message(b'D', &[b'E'; 5_000]),
            message(b'C', &error("ERROR", "22001", "no")),
            error("ERROR", "23505", "CCC"),
            message(b'N', b"SNOTICE\0VNOTICE\0C00000\0\0"),
            error("FATAL", "57P01", &"long ".repeat(500)),
        ]
        .concat();
        let errors = [("23505".to_owned(), false), ("57P01".to_owned(), true)];
        for part in [1, 2, 3, 5, 7, 64] {
            assert_eq!(found(&session, part), errors, "{part}");
            let refused = [b"N", &session[..]].concat();
            assert_eq!(
                found(&refused, part),
                errors,
                "{part}, encryption was refused"
            );
        }
        assert_eq!(found(&session, usize::MAX), errors[1..]);
    }

    #[test]
    fn errors_of_the_session_are_told_from_those_of_a_statement() {
        let of = |severity: &str, code: &str| {
            let error = Scanner::default().scan(&error(severity, code, "words"));
            error.unwrap().ends_session()
        };
        for code in [
            "25006", "57P01", "57P02", "57P03", "57P05", "08000", "08006", "08P01",
        ] {
            assert!(of("ERROR", code), "{code}");
        }
        for code in [
            "57014", "0A000", "22P05", "23505", "25P02", "40001", "53100", "P0001",
        ] {
            assert!(!of("ERROR", code), "{code}");
            assert!(of("FATAL", code), "{code}");
            assert!(of("PANIC", code), "{code}");
        }
    }

    #[test]
    fn what_lasts_is_told_from_what_passes() {
        let lasts = |severity: &str, code: &str| {
            let error = Scanner::default().scan(&error(severity, code, "words"));
            error.unwrap().lasts()
        };
        for code in [
            "22001", "22003", "22021", "22P05", "23502", "23503", "23505", "23514", "23P01",
            "3F000", "42501", "42703", "42883", "42P01", "44000", "54000", "P0001", "P0004",
        ] {
            assert!(lasts("ERROR", code), "{code}");
            assert!(!lasts("FATAL", code), "{code}");
        }
        for code in [
            "08006", "0A000", "25006", "25P02", "26000", "40001", "40P01", "42P05", "53100",
            "53300", "55006", "55P03", "57014", "57P01", "58030", "72000", "XX000",
        ] {
            assert!(!lasts("ERROR", code), "{code}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_survived(bytes: Vec<u8>, part in 1_usize..9) {
            found(&bytes, part);
        }
    }
}
