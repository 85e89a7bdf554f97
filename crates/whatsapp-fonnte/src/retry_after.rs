//! The header `Retry-After`.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How long the header asks to wait, from `now`: a number of seconds or a date of HTTP. A date in
/// the past asks for no wait; anything else is ignored.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    Some((date(value)? - now).to_std().unwrap_or_default())
}

/// A date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn date(value: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(value)
        .ok()
        .map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(value: &str) -> Option<u64> {
        let now = date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        retry_after(value, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read_and_garbage_is_ignored() {
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:51:37 GMT"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        for garbage in ["", " ", "-5", "1.5", "5s", "soon", "99999999999999999999"] {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(value in "\\PC{0,40}") {
            let _ = seconds(&value);
        }
    }
}
