use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Backlog;
use store_postgres::PgStore;

/// How long to wait after a count, at least. Chosen: nobody watches a queue by the second.
const PAUSE: Duration = Duration::from_secs(4);

/// A count that takes long waits so many times as long, so that it takes a twentieth of a connection's time.
const PAUSE_FOR_TIME: u32 = 20;

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
