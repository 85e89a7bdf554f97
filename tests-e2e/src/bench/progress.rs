//! What a person sees while waiting.

use std::time::Instant;

/// Lines on standard error, each with the time since the start.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    began: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Progress {
    /// Tells what has been done or begins.
    pub fn say(&self, what: impl AsRef<str>) {
        let seconds = self.began.elapsed().as_secs_f64();
        let dim = anstyle::Style::new().dimmed();
        anstream::eprintln!("{dim}[{seconds:7.1} s]{dim:#} {}", what.as_ref());
    }

    /// Seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
