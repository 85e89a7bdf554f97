//! One HTTP exchange: its answer, or the reason for none.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Request, Response};
use tokio::time::{Instant, timeout_at};

use crate::body_gate::TooLate;
use crate::retry_after::retry_after;

/// The longest answer in bytes that is parsed as Fonnte's (chosen).
pub(crate) const LONGEST_ANSWER: usize = 64 * 1024;

/// Bytes read beyond that, so that a key at the limit is read whole and recognised.
const MARGIN: usize = 2 * 1024;

/// An HTTP answer, as far as it was read.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The header `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// The body, at most a little more than [`LONGEST_ANSWER`].
    pub(crate) text: String,
    /// Why the body is incomplete, if it is.
    pub(crate) cut: Option<Trouble>,
}

#[cfg(any(test, feature = "testing"))]
impl Answer {
    /// A complete answer.
    pub(crate) fn of(status: u16, text: &str) -> Self {
        Self {
            status,
            retry_after: None,
            text: text.to_owned(),
            cut: None,
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The account's key cannot stand in a header, or its address not in a request.
    Unusable,
    /// `start_by` had passed.
    TooLate,
    /// DNS did not resolve the provider's name.
    Unresolved,
    /// No connection was made.
    Unreachable,
    /// No connection was made in time.
    ConnectTimeout,
    /// TLS failed, for instance because of the certificate.
    Insecure,
    /// No answer came in time.
    Timeout,
    /// The connection broke, or the answer was not HTTP.
    Broken,
    /// The body is longer than [`LONGEST_ANSWER`].
    TooLong,
}

impl Trouble {
    /// A sentence for a person.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Unusable => "the account's key or address cannot be used for a call",
            Self::TooLate => "it was too late to begin the call",
            Self::Unresolved => "Fonnte could not be reached: its name was not resolved",
            Self::Unreachable => "Fonnte could not be reached",
            Self::ConnectTimeout => "Fonnte could not be reached in time",
            Self::Insecure => "Fonnte could not be reached: the secure connection failed",
            Self::Timeout => "Fonnte did not answer in time",
            Self::Broken => "the connection to Fonnte broke before its answer was complete",
            Self::TooLong => "the answer is too long to be Fonnte's",
        }
    }

    pub(crate) fn is_timeout(self) -> bool {
        matches!(self, Self::Timeout | Self::ConnectTimeout)
    }

    /// The same trouble, when the request was certainly not written.
    pub(crate) fn before_writing(self) -> Self {
        match self {
            Self::Timeout => Self::ConnectTimeout,
            Self::Broken | Self::TooLong => Self::Unreachable,
            other => other,
        }
    }

    fn of(error: &reqwest::Error) -> Self {
        let has = |test: fn(&(dyn Error + 'static)) -> bool| causes(error).any(test);
        if error.is_builder() {
            Self::Unusable
        } else if has(|cause| cause.is::<TooLate>()) {
            Self::TooLate
        } else if error.is_timeout() {
            if error.is_connect() {
                Self::ConnectTimeout
            } else {
                Self::Timeout
            }
        } else if !error.is_connect() {
            Self::Broken
        } else if error.is_dns() {
            Self::Unresolved
        } else if has(is_tls) {
            Self::Insecure
        } else {
            Self::Unreachable
        }
    }
}

/// Makes a call; the whole call, with its body, ends after `limit`.
pub(crate) async fn exchange(
    http: &Client,
    request: Request,
    limit: Duration,
) -> Result<Answer, Trouble> {
    let deadline = Instant::now() + limit;
    let response = timeout_at(deadline, http.execute(request))
        .await
        .map_err(|_| Trouble::Timeout)?
        .map_err(|error| Trouble::of(&error))?;
    let status = response.status().as_u16();
    let retry_after = asked_wait(response.headers());
    let (body, cut) = read(response, deadline).await;
    Ok(Answer {
        status,
        retry_after,
        text: String::from_utf8_lossy(&body).into_owned(),
        cut,
    })
}

async fn read(mut response: Response, deadline: Instant) -> (Vec<u8>, Option<Trouble>) {
    let mut body = Vec::new();
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_) => return (body, Some(Trouble::Timeout)),
            Ok(Err(error)) => {
                let timeout = error.is_timeout();
                let cut = if timeout {
                    Trouble::Timeout
                } else {
                    Trouble::Broken
                };
                return (body, Some(cut));
            }
            Ok(Ok(None)) if body.len() <= LONGEST_ANSWER => return (body, None),
            Ok(Ok(None)) => return (body, Some(Trouble::TooLong)),
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
        }
        if body.len() > LONGEST_ANSWER + MARGIN {
            body.truncate(LONGEST_ANSWER + MARGIN);
            return (body, Some(Trouble::TooLong));
        }
    }
}

/// The wait in `Retry-After`, by the provider's own clock where it sends one.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: HeaderName| headers.get(name)?.to_str().ok();
    let asked = header(RETRY_AFTER)?;
    let now = header(DATE).and_then(|date| parse_http_date(date).ok());
    #[expect(
        clippy::disallowed_methods,
        reason = "only where the answer tells no time of its own"
    )]
    let now = now.unwrap_or_else(SystemTime::now);
    retry_after(asked, now)
}

fn causes<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    // An `io::Error` does not list its inner error among its sources.
    let wrapped = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| is_tls(wrapped))
}
