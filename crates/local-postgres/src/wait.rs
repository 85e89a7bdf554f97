//! Waiting for something that does not announce itself.

use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again; true as soon as the answer is, false when the time is over.
pub(crate) fn wait_until(limit: Duration, mut answer: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if answer() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}
