//! Why an attempt has no HTTP status, as one of the domain's words.

use std::error::Error;
use std::io;

use domain::endpoints::EventError;

use crate::resolver::NotAllowed;

/// The word for an error of the HTTP client. Its text is not kept: it may hold the address, which may hold a
/// receiver's token.
pub(crate) fn fault(error: &reqwest::Error) -> EventError {
    let has = |test: fn(&(dyn Error + 'static)) -> bool| causes(error).any(test);
    if has(|cause| cause.is::<NotAllowed>()) {
        EventError::AddressNotAllowed
    } else if error.is_timeout() {
        EventError::Timeout
    } else if has(is_tls) {
        EventError::Tls
    } else if error.is_dns() {
        EventError::NotResolved
    } else if error.is_connect() || has(is_io) {
        EventError::Connection
    } else {
        EventError::BadAnswer
    }
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

/// The connection broke: by an error, or before the answer was complete.
fn is_io(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<io::Error>() || cause.to_string().starts_with("connection closed")
}
