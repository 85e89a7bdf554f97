use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::ports::Clock;

use crate::sample;

/// A clock that stands still until a test advances it.
#[derive(Debug)]
pub struct ManualClock {
    began: DateTime<Utc>,
    began_monotonic: Instant,
    passed: Mutex<Duration>,
}

impl ManualClock {
    /// A clock at [`sample::now`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: sample::now(),
            began_monotonic: Instant::now(),
            passed: Mutex::default(),
        }
    }

    /// Advances the clock.
    pub fn advance(&self, time: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    fn passed(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.began + self.passed()
    }

    fn monotonic(&self) -> Instant {
        self.began_monotonic + self.passed()
    }
}
