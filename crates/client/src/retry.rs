//! When to try again.

use std::time::{Duration, SystemTime};

use rand::RngExt as _;

/// The longest wait before the second try, and before any other (chosen).
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);

/// What may be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing.
    Read,
    /// Doing it twice is as doing it once.
    Safe,
    /// Doing it twice is not: it is tried again only where it was certainly not done.
    Once,
}

/// How long to wait before try `n` + 1, the first one being 0: from half of a time that doubles to all of it,
/// so that callers do not come back together, and never less than what the service asks for.
pub(crate) fn wait(n: u32, asked: Option<Duration>) -> Duration {
    let most = FIRST.saturating_mul(1 << n.min(10)).min(LONGEST);
    let own = most.mul_f64(rand::rng().random_range(0.5..=1.0));
    match asked {
        None => own,
        // Many callers are told the same time.
        Some(asked) => (asked + own / 4).max(own),
    }
}

/// The time that `Retry-After` asks for: seconds, or a date.
pub(crate) fn asked(header: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ_and_are_never_shorter_than_asked() {
        for n in 0..40 {
            let most = Duration::from_millis(250 << n.min(5));
            for _ in 0..50 {
                let own = wait(n, None);
                assert!(own >= most / 2 && own <= most, "{n} {own:?}");
                let asked = Duration::from_secs(3);
                let told = wait(n, Some(asked));
                assert!(
                    told >= asked && told <= Duration::from_secs(8),
                    "{n} {told:?}"
                );
            }
        }
        let waits: Vec<Duration> = (0..20).map(|_| wait(3, None)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }

    #[test]
    fn a_service_asks_for_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(asked("7", now), Some(Duration::from_secs(7)));
        let later = "Sun, 06 Nov 1994 08:49:47 GMT";
        assert_eq!(asked(later, now), Some(Duration::from_secs(10)));
        let before = "Sun, 06 Nov 1994 08:49:07 GMT";
        assert_eq!(asked(before, now), Some(Duration::ZERO));
        for none in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(none, now), None, "{none}");
        }
    }
}
