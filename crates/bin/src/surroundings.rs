//! Time, ids, chance and the bell, as this machine has them.

use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::ports::{Bell, Clock, Dice, Entropy, Ids};
use domain::requests::{MessageId, RequestId};
use domain::values::DealerId;
use tokio::sync::Notify;
use uuid::Uuid;

/// The most threads that answer callers. Four bring more than a PostgreSQL stores, and each has
/// connections of its own.
const MOST_WEB_WORKERS: usize = 4;

/// As many threads answer callers as there are processors, but not too many: they share nothing, so
/// that while the callers of one are answered, those of another are stored.
pub(crate) fn web_workers() -> usize {
    processors().min(MOST_WEB_WORKERS)
}

/// So many threads do everything else, which is to wait for providers and the database most of the
/// time: threads that wake each other cost more than they do.
pub(crate) fn half_of_processors() -> usize {
    (processors() / 2).max(1)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[cfg(feature = "fault-injection")]
        return Utc::now() + crate::fault::clock_difference();
        #[cfg(not(feature = "fault-injection"))]
        Utc::now()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// UUIDv7.
pub(crate) struct TimeOrderedIds;

impl Ids for TimeOrderedIds {
    fn request(&self) -> RequestId {
        RequestId(new_id())
    }

    fn message(&self) -> MessageId {
        MessageId(new_id())
    }
}

fn new_id() -> Uuid {
    #[cfg(feature = "fault-injection")]
    return crate::fault::new_id();
    #[cfg(not(feature = "fault-injection"))]
    Uuid::now_v7()
}

/// The thread's random numbers.
pub(crate) struct ThreadDice;

impl Dice for ThreadDice {
    fn roll(&self) -> f64 {
        rand::random()
    }
}

impl Entropy for ThreadDice {
    fn bytes(&self) -> [u8; 40] {
        // The thread's generator is made for cryptography, and seeded by the system.
        rand::random()
    }
}

/// Wakes a loop in this process.
#[derive(Default)]
pub(crate) struct NotifyBell(Notify);

impl NotifyBell {
    /// Waits for a ring; one that came while nobody waited counts.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Bell for NotifyBell {
    fn ring(&self) {
        self.0.notify_one();
    }

    fn ring_for(&self, _dealer: &DealerId) {
        self.ring();
    }
}
