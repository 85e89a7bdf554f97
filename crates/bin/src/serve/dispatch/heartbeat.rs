use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When the loop last went round and when it last finished something, readable from elsewhere.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    began: Instant,
    last_beat_ms: Arc<AtomicU64>,
    last_progress_ms: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            last_beat_ms: Arc::default(),
            last_progress_ms: Arc::default(),
        }
    }
}

impl Heartbeat {
    pub(super) fn beat(&self) {
        self.last_beat_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Something was settled, or there was nothing to do.
    pub(crate) fn progress(&self) {
        self.last_progress_ms
            .store(self.now_ms(), Ordering::Relaxed);
    }

    /// How long ago the loop last went round.
    pub(crate) fn age(&self) -> Duration {
        self.since(&self.last_beat_ms)
    }

    /// How long nothing was settled although there was something to do.
    pub(crate) fn standstill(&self) -> Duration {
        self.since(&self.last_progress_ms)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, moment_ms: &AtomicU64) -> Duration {
        let moment = Duration::from_millis(moment_ms.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(moment)
    }
}
