use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::StoreError;
use moka::future::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long an id counts as one that callers use, after it was looked up last.
const ACQUAINTED: Duration = Duration::from_secs(3_600);

/// How many such ids are remembered at once.
const CAPACITY: u64 = 10_000;

/// How many ids that were never found before are looked up at once, and how long one waits for its
/// turn: whoever invents ids costs the database no more than that, and the others nothing.
const AT_ONCE: usize = 2;
const WAIT: Duration = Duration::from_millis(500);

/// Tells ids that callers use from those that anybody may have invented.
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

    /// Whether the id was found lately.
    pub(crate) fn know(&self, id: &K) -> bool {
        self.acquainted.contains_key(id)
    }

    /// The right to look an id up, to be held meanwhile; a known one needs none.
    pub(crate) async fn turn(&self, id: &K) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if self.acquainted.get(id).await.is_some() {
            return Ok(None);
        }
        let turn = tokio::time::timeout(WAIT, self.turns.acquire()).await;
        let turn = turn.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?;
        Ok(turn.ok())
    }

    /// The id was found.
    pub(crate) async fn meet(&self, id: K) {
        self.acquainted.insert(id, ()).await;
    }
}
