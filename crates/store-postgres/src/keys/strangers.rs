use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::StoreError;
use moka::future::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long an id counts as known after its last look-up (chosen).
const ACQUAINTED: Duration = Duration::from_secs(3_600);

/// How many known ids are cached (chosen).
const CAPACITY: u64 = 10_000;

/// Concurrent look-ups of unknown ids, and the wait for a turn: invented ids cost the database no more than
/// that, and known ids nothing.
const AT_ONCE: usize = 2;
const WAIT: Duration = Duration::from_millis(500);

/// Tells known ids from possibly invented ones.
#[derive(Clone)]
pub(crate) struct Strangers<K> {
    acquainted: Cache<K, ()>,
    turns: Arc<Semaphore>,
}

impl<K: Eq + Hash + Send + Sync + 'static> Strangers<K> {
    pub(crate) fn new() -> Self {
        Self {
            acquainted: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_idle(ACQUAINTED)
                .build(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether the id is known.
    pub(crate) fn know(&self, id: &K) -> bool {
        self.acquainted.contains_key(id)
    }

    /// A permit for the look-up of an unknown id, held meanwhile; a known id needs none.
    pub(crate) async fn turn(&self, id: &K) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if self.acquainted.get(id).await.is_some() {
            return Ok(None);
        }
        let turn = tokio::time::timeout(WAIT, self.turns.acquire()).await;
        let turn = turn.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?;
        Ok(turn.ok())
    }

    /// Makes the id known.
    pub(crate) async fn meet(&self, id: K) {
        self.acquainted.insert(id, ()).await;
    }

    /// Makes the id unknown again.
    pub(crate) async fn forget(&self, id: &K) {
        self.acquainted.invalidate(id).await;
    }
}
