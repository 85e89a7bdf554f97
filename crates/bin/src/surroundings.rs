//! The machine's clock, ids, randomness and bell.

use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::ports::{Bell, Clock, Dice, Entropy, Ids};
use domain::requests::{MessageId, RequestId};
use domain::values::DealerId;
use tokio::sync::Notify;
use uuid::Uuid;

/// The most web workers. Four bring more requests than a PostgreSQL stores; each has its own connections.
const MOST_WEB_WORKERS: usize = 4;

/// Web workers: one for each processor, up to [`MOST_WEB_WORKERS`]. They share nothing, so that one can
/// answer while another stores.
pub(crate) fn web_workers() -> usize {
    processors().min(MOST_WEB_WORKERS)
}

/// Threads for everything else, which mostly waits for providers and the database: with more threads, waking
/// them costs more than it gains.
pub(crate) fn half_of_processors() -> usize {
    (processors() / 2).max(1)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's adapter")]
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

/// The thread's random generator.
pub(crate) struct ThreadDice;

impl Dice for ThreadDice {
    fn roll(&self) -> f64 {
        rand::random()
    }
}

impl Entropy for ThreadDice {
    fn bytes(&self) -> [u8; 40] {
        // This generator is cryptographic and seeded by the system.
        rand::random()
    }
}

/// Wakes a loop in this process.
#[derive(Default)]
pub(crate) struct NotifyBell(Notify);

impl NotifyBell {
    /// Waits for a ring; an earlier ring that met no waiting task counts.
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
