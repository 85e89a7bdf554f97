use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ports::Bell;
use domain::values::DealerId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Wakes the dispatcher's loop when there may be work. It knows the lanes that this copy holds, or has just
/// released with a pause: a new message in such a lane must wait, and a claim for it would find nothing. A
/// ring for any other lane wakes the loop, which costs one claim at most.
#[derive(Default)]
pub(crate) struct LaneBell {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    rung: bool,
    busy: HashMap<DealerId, Busy>,
    /// The ends of the pauses in `busy`, the earliest on top.
    pauses: BinaryHeap<Reverse<(Instant, DealerId)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Busy {
    /// This copy holds the lease.
    Held,
    /// No call before this time.
    Pausing(Instant),
}

impl LaneBell {
    /// This copy holds a lane.
    pub(super) fn hold(self: &Arc<Self>, dealer: DealerId) -> Held {
        self.state().busy.insert(dealer.clone(), Busy::Held);
        Held {
            bell: self.clone(),
            dealer: Some(dealer),
        }
    }

    fn ready_at(&self, dealer: DealerId, at: Instant) {
        let mut state = self.state();
        let first = state.pauses.peek().map(|Reverse((first, _))| *first);
        state.busy.insert(dealer.clone(), Busy::Pausing(at));
        state.pauses.push(Reverse((at, dealer)));
        drop(state);
        if first.is_none_or(|first| at < first) {
            self.changed.notify_one();
        }
    }

    fn given_back(&self, dealer: &DealerId) {
        self.state().busy.remove(dealer);
        self.ring();
    }

    /// Waits for a ring, at most until `latest`. An earlier ring that met no waiting loop counts.
    pub(super) async fn rung_until(&self, latest: Instant) {
        loop {
            let next = match self.state().take(Instant::now()) {
                Ring::Now => return,
                Ring::At(next) => next,
            };
            let until = next.map_or(latest, |next| next.min(latest));
            let is_over = tokio::time::timeout_at(until, self.changed.notified()).await;
            if is_over.is_err() && until == latest {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane that this copy holds. Dropping it means that the lane was released, and that only the database
/// knows when it is ready.
pub(super) struct Held {
    bell: Arc<LaneBell>,
    dealer: Option<DealerId>,
}

impl Held {
    /// The lane was released, and is ready at this time.
    pub(super) fn ready_at(mut self, at: Instant) {
        if let Some(dealer) = self.dealer.take() {
            self.bell.ready_at(dealer, at);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(dealer) = &self.dealer {
            self.bell.given_back(dealer);
        }
    }
}

impl Bell for LaneBell {
    fn ring(&self) {
        self.state().rung = true;
        self.changed.notify_one();
    }

    fn ring_for(&self, dealer: &DealerId) {
        // The end of the pause or of the call wakes the loop.
        if !self.state().busy.contains_key(dealer) {
            self.ring();
        }
    }
}

enum Ring {
    Now,
    /// The end of the next pause.
    At(Option<Instant>),
}

impl State {
    fn take(&mut self, now: Instant) -> Ring {
        let mut rung = std::mem::take(&mut self.rung);
        while let Some(Reverse((at, dealer))) = self.pauses.peek() {
            let at = *at;
            if at > now {
                break;
            }
            // Not a lane that was leased or paused again meanwhile.
            if self.busy.get(dealer) == Some(&Busy::Pausing(at)) {
                self.busy.remove(dealer);
                rung = true;
            }
            self.pauses.pop();
        }
        if rung {
            Ring::Now
        } else {
            Ring::At(self.pauses.peek().map(|Reverse((at, _))| *at))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn dealer(n: u32) -> DealerId {
        DealerId::parse(&(1_000_000 + n).to_string()).unwrap()
    }

    /// How long a loop sleeps that would wait for an hour.
    async fn sleeps(bell: &LaneBell) -> Duration {
        let began = Instant::now();
        bell.rung_until(began + 3_600 * SECOND).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_in_an_idle_lane_wakes_at_once() {
        let bell = Arc::new(LaneBell::default());
        let _held = bell.hold(dealer(1));
        bell.ring_for(&dealer(2));
        assert_eq!(sleeps(&bell).await, Duration::ZERO);
        assert_eq!(sleeps(&bell).await, 3_600 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn messages_in_a_busy_lane_wait_for_its_end() {
        let bell = Arc::new(LaneBell::default());
        let held = bell.hold(dealer(1));
        bell.ring_for(&dealer(1));
        held.ready_at(Instant::now() + 2 * SECOND);
        bell.ring_for(&dealer(1));
        let about = sleeps(&bell).await;
        assert!(about >= 2 * SECOND && about < 3 * SECOND, "{about:?}");
        bell.ring_for(&dealer(1));
        assert_eq!(sleeps(&bell).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_given_back_wakes_at_once() {
        let bell = Arc::new(LaneBell::default());
        drop(bell.hold(dealer(1)));
        assert_eq!(sleeps(&bell).await, Duration::ZERO);
        bell.ring_for(&dealer(1));
        assert_eq!(sleeps(&bell).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_a_lane_that_was_begun_again_does_not_count() {
        let bell = Arc::new(LaneBell::default());
        bell.hold(dealer(1)).ready_at(Instant::now() + SECOND);
        let _held = bell.hold(dealer(1));
        assert_eq!(sleeps(&bell).await, 3_600 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_wakes_whoever_waits_for_a_longer_one() {
        let bell = Arc::new(LaneBell::default());
        bell.hold(dealer(1)).ready_at(Instant::now() + 9 * SECOND);
        let shorter = async {
            tokio::time::sleep(SECOND).await;
            bell.hold(dealer(2)).ready_at(Instant::now() + SECOND);
        };
        let (slept, ()) = tokio::join!(sleeps(&bell), shorter);
        assert!(slept >= 2 * SECOND && slept < 3 * SECOND, "{slept:?}");
        assert!(sleeps(&bell).await > 6 * SECOND);
    }

    /// No entry stays for a lane that is neither held nor pausing.
    #[tokio::test(start_paused = true)]
    async fn nothing_is_remembered_of_lanes_that_are_ready() {
        let bell = Arc::new(LaneBell::default());
        for n in 0..1_000 {
            bell.hold(dealer(n)).ready_at(Instant::now() + SECOND);
        }
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(sleeps(&bell).await, Duration::ZERO);
        let state = bell.state();
        assert!(state.busy.is_empty() && state.pauses.is_empty());
    }
}
