use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::values::DealerId;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The lanes with an outcome of this copy that the store does not accept. Claims of such a lane wait, or each
/// expired lease would add one more unsettled task.
#[derive(Default)]
pub(super) struct Unsettled {
    lanes: Mutex<HashSet<DealerId>>,
    changed: Notify,
}

impl Unsettled {
    /// Marks a lane until the guard is dropped.
    pub(super) fn add(self: &Arc<Self>, lane: &DealerId) -> UnsettledLane {
        self.lanes().insert(lane.clone());
        UnsettledLane {
            all: self.clone(),
            lane: lane.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes().is_empty()
    }

    /// Whether the lane is, or becomes before this moment, free of unsettled outcomes.
    pub(super) async fn settled_before(&self, lane: &DealerId, moment: Instant) -> bool {
        loop {
            let changed = self.changed.notified();
            if !self.lanes().contains(lane) {
                return true;
            }
            if timeout_at(moment, changed).await.is_err() {
                return false;
            }
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashSet<DealerId>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The mark of a lane with an unsettled outcome.
pub(super) struct UnsettledLane {
    all: Arc<Unsettled>,
    lane: DealerId,
}

impl Drop for UnsettledLane {
    fn drop(&mut self) {
        self.all.lanes().remove(&self.lane);
        self.all.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use testkit::sample;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_claim_waits_until_the_outcome_before_it_is_settled() {
        let unsettled = Arc::new(Unsettled::default());
        let lane = sample::dealer_id();
        let lease = Duration::from_secs(45);
        assert!(unsettled.settled_before(&lane, Instant::now()).await);
        let outcome = unsettled.add(&lane);
        assert!(!unsettled.is_empty());
        assert!(
            !unsettled
                .settled_before(&lane, Instant::now() + lease)
                .await
        );
        let other = sample::dealer_id_numbered(1);
        assert!(unsettled.settled_before(&other, Instant::now()).await);
        let settling = async {
            tokio::time::sleep(lease / 2).await;
            drop(outcome);
        };
        let waiting = unsettled.settled_before(&lane, Instant::now() + lease);
        assert!(tokio::join!(waiting, settling).0);
        assert!(unsettled.is_empty());
    }
}
