//! The latest results of the loops, for health and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::Backlog;
use store_postgres::PgStore;

use super::trial::LatestTrial;

/// The shortest pause after a count (chosen: a queue is not watched by the second).
const PAUSE: Duration = Duration::from_secs(4);

/// The pause after a long count, as a multiple of its time: counting uses a twentieth of a connection.
const PAUSE_FOR_TIME: u32 = 20;

/// The latest results of the loops, for health and metrics.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    pub(crate) heartbeat: Heartbeat,
    pub(crate) backlog: LatestBacklog,
    pub(crate) trial: LatestTrial,
}

/// When the loop last ran a round and when it last made progress; read by other tasks.
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
    pub(crate) fn beat(&self) {
        self.last_beat_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// A settlement succeeded, or there was nothing to do.
    pub(crate) fn progress(&self) {
        self.last_progress_ms
            .store(self.now_ms(), Ordering::Relaxed);
    }

    /// How long ago the loop last ran a round.
    pub(crate) fn age(&self) -> Duration {
        self.since(&self.last_beat_ms)
    }

    /// How long no settlement has succeeded although there was work.
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

/// The unfinished messages as counted last, some 5 seconds ago, or more where there are very many. Reading it
/// costs the database nothing.
#[derive(Clone, Default)]
pub(crate) struct LatestBacklog(Arc<Mutex<Option<Vec<Backlog>>>>);

impl LatestBacklog {
    /// `None` where the database did not answer.
    pub(crate) fn get(&self) -> Option<Vec<Backlog>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts in a loop.
    pub(crate) async fn keep(self, store: PgStore) {
        loop {
            let began = Instant::now();
            let counted = store.backlog().await.ok();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
            let jitter = Duration::from_millis(rand::random_range(0..1_000));
            let pause = PAUSE.max(began.elapsed() * PAUSE_FOR_TIME);
            tokio::time::sleep(pause + jitter).await;
        }
    }
}
