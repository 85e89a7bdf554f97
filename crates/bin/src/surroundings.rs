//! Time, ids, chance and the bell, as this machine has them.

use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::{Bell, Clock, DealerId, Dice, Entropy, Ids, MessageId, RequestId};
use tokio::sync::Notify;
use uuid::Uuid;

/// Half of the processors, but one at least: so many threads answer callers, and so many do everything
/// else. Both wait for the database most of the time, and threads that wake each other cost more than
/// they do: on two processors one thread serves a lone caller with a seventh less work than two.
pub(crate) fn half_of_processors() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).max(1)
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
