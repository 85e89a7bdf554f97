//! What the loops found last, for health and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::Backlog;
use store_postgres::PgStore;

use super::trial::LatestTrial;

/// How long to wait after a count, at least. Chosen: nobody watches a queue by the second.
const PAUSE: Duration = Duration::from_secs(4);

/// A count that takes long waits so many times as long, so that it takes a twentieth of a connection's time.
const PAUSE_FOR_TIME: u32 = 20;

/// What the loops found last, for health and metrics.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    pub(crate) heartbeat: Heartbeat,
    pub(crate) backlog: LatestBacklog,
    pub(crate) trial: LatestTrial,
}

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
    pub(crate) fn beat(&self) {
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

/// The messages that are not finished, as they were counted last: some 5 seconds ago, more where there are
/// very many. Whoever asks reads it and costs the database nothing.
#[derive(Clone, Default)]
pub(crate) struct LatestBacklog(Arc<Mutex<Option<Vec<Backlog>>>>);

impl LatestBacklog {
    /// None where the database did not answer.
    pub(crate) fn get(&self) -> Option<Vec<Backlog>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts again and again.
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
