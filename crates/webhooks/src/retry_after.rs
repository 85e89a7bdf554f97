//! The header `Retry-After`.

use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The wait that a receiver asks for, by its own clock where it sends one.
pub(crate) fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
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

/// The wait from `now`: a number of seconds or an HTTP date. A past date means no wait; anything else is
/// ignored.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let at = parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_garbage_is_ignored() {
        let now = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let seconds = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:51:37 GMT"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        for garbage in ["", " ", "-5", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }
}
