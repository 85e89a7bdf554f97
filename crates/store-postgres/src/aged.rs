//! Values of caches, whose age counts from before they were read.

use std::time::{Duration, Instant};

use moka::Expiry;

/// A value that is believed until a moment. That counts from before the value was read, because a change that was
/// committed meanwhile is not in it.
#[derive(Clone)]
pub(crate) struct Aged<T> {
    pub(crate) value: T,
    until: Instant,
}

impl<T> Aged<T> {
    /// A value that was asked for at this moment, and is believed for so long.
    pub(crate) fn new(value: T, asked: Instant, believed: Duration) -> Self {
        let until = asked + believed;
        Self { value, until }
    }
}

/// Expires each value at its own time.
pub(crate) struct ByItsTime;

impl<K, T> Expiry<K, Aged<T>> for ByItsTime {
    fn expire_after_create(&self, _: &K, value: &Aged<T>, created_at: Instant) -> Option<Duration> {
        Some(value.until.saturating_duration_since(created_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_reading_counts() {
        let asked = Instant::now();
        let aged = Aged::new((), asked, Duration::from_secs(4));
        let left = |after: u64| {
            let created = asked + Duration::from_secs(after);
            ByItsTime.expire_after_create(&(), &aged, created)
        };
        assert_eq!(left(1), Some(Duration::from_secs(3)));
        assert_eq!(left(9), Some(Duration::ZERO));
    }
}
