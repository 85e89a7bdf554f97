use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::DealerId;
use tokio::sync::Notify;

/// Lanes in which something has just been finished and that may go on at once. Whoever claims takes
/// all of them together; while one claim is under way the next ones gather.
#[derive(Default)]
pub(super) struct FreeLanes {
    dealers: Mutex<Vec<DealerId>>,
    some: Notify,
}

impl FreeLanes {
    pub(super) fn add(&self, dealer: DealerId) {
        self.dealers().push(dealer);
        self.some.notify_one();
    }

    /// Takes at most so many.
    pub(super) fn take(&self, most: usize) -> Vec<DealerId> {
        let mut dealers = self.dealers();
        let taken = most.min(dealers.len());
        dealers.drain(..taken).collect()
    }

    /// Waits until there may be some.
    pub(super) async fn some(&self) {
        self.some.notified().await;
    }

    fn dealers(&self) -> MutexGuard<'_, Vec<DealerId>> {
        self.dealers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
