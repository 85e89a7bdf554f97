//! The loop around the dispatcher: it waits, bounds concurrency and repeats; what to do is the
//! dispatcher's decision.

mod bell;
mod delivery;
mod housekeeping;
mod test_messages;
mod unsettled;

use std::sync::Arc;
use std::time::Duration;

use domain::usecases::{Dispatcher, Intake, TimedClaim};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

pub(crate) use self::bell::LaneBell;
use self::delivery::{Surroundings, deliver};
pub(crate) use self::test_messages::TestMessages;
use crate::metrics::Metrics;
use crate::serve::watched::Heartbeat;

/// How many calls are in flight at once. A lane has one at most, so that this many dealers can
/// hang before anybody else waits.
const MAX_IN_FLIGHT: usize = 512;

/// How many lanes one statement leases at most.
const MAX_CLAIM: usize = 256;

/// The longest wait before looking for work that another copy took in, or whose time has come.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shortest wait, so that a clock that disagrees by a little does not make the loop spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

/// Looking at all lanes is paused for so many times as long as it took, however often the bell
/// rings: under load each look then finds more, and looking costs a fifth of one processor. On a machine
/// so busy that looks take long, a message in an idle lane waits no longer than this for the next one.
const PAUSE: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// After a look that found nothing, the pause is so many times as long as it took, but no longer than
/// this, or than after one that found something.
const PAUSE_AFTER_NOTHING: u32 = 20;
const LONGEST_PAUSE_AFTER_NOTHING: Duration = Duration::from_millis(50);

/// Where thousands of lanes have messages that are not due, a look takes a while, and the longest wait is
/// so many times as long, too; but not longer than this, for what a copy took in that has died since.
const LONGEST_WAIT_AFTER_NOTHING: Duration = Duration::from_secs(5);

/// How long to rest when the database does not answer.
const REST: Duration = Duration::from_secs(1);

/// How long calls in flight may take after the service was told to stop; then they are unknown.
pub(crate) const FINISH: Duration = Duration::from_secs(25);

/// How long recording those may take.
const RECORD: Duration = Duration::from_secs(3);

/// The calls that are under way, and when they have to end.
#[derive(Clone, Default)]
pub(crate) struct InFlight {
    calls: TaskTracker,
    /// Nothing new is begun.
    pub(crate) stop: CancellationToken,
    /// Calls in flight are given up.
    give_up: CancellationToken,
}

/// When all lanes are looked at next.
#[derive(Clone, Copy)]
struct NextLook {
    /// Not before this moment, even when the bell rings.
    earliest: Instant,
    /// Then at the latest.
    latest: Instant,
}

impl NextLook {
    /// After a pause, when the bell rings or when the wait is over.
    fn after(pause: Duration, wait: Duration) -> Self {
        let now = Instant::now();
        let pause = pause.min(LONGEST_WAIT);
        Self {
            earliest: now + pause,
            latest: now + wait.max(pause),
        }
    }
}

/// The loop.
pub(crate) struct DispatchLoop {
    intake: Arc<Intake>,
    around: Surroundings,
    in_flight: InFlight,
}

impl DispatchLoop {
    pub(crate) fn new(
        dispatcher: Arc<Dispatcher>,
        intake: Arc<Intake>,
        bell: Arc<LaneBell>,
        heartbeat: Heartbeat,
        metrics: Arc<Metrics>,
        in_flight: InFlight,
    ) -> Self {
        Self {
            intake,
            around: Surroundings {
                dispatcher,
                bell,
                heartbeat,
                metrics,
                unsettled: Arc::default(),
                failures: Arc::default(),
                slots: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
                stop: in_flight.stop.clone(),
                give_up: in_flight.give_up.clone(),
            },
            in_flight,
        }
    }

    /// Goes round until it is to stop, then finishes what is in flight.
    pub(crate) async fn run(self) {
        let stop = self.in_flight.stop.clone();
        let around = &self.around;
        let messages = AbortOnDropHandle::new(tokio::spawn(housekeeping::end_old_messages(
            around.dispatcher.clone(),
            around.metrics.clone(),
        )));
        let keys = AbortOnDropHandle::new(tokio::spawn(housekeeping::forget_old_keys(
            self.intake.clone(),
        )));
        let breakers = AbortOnDropHandle::new(tokio::spawn(housekeeping::look_at_breakers(
            around.dispatcher.clone(),
            around.bell.clone(),
        )));
        let stopped_at = tokio::spawn({
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                Instant::now()
            }
        });
        let mut next = NextLook::after(Duration::ZERO, Duration::ZERO);
        while !stop.is_cancelled() {
            around.heartbeat.beat();
            let time_to_look = async {
                tokio::time::sleep_until(next.earliest).await;
                around.bell.rung_until(next.latest).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = time_to_look => next = self.look(&stop).await,
            }
        }
        drop((messages, keys, breakers));
        // A claim that was under way when the word came has used some of the time.
        let used = stopped_at.await.map_or(Duration::ZERO, |at| at.elapsed());
        self.finish(FINISH.saturating_sub(used)).await;
    }

    /// How many lanes can be begun now.
    fn room(&self) -> usize {
        self.around.slots.available_permits().min(MAX_CLAIM)
    }

    /// Looks at all lanes and begins what can be begun.
    async fn look(&self, stop: &CancellationToken) -> NextLook {
        let limit = self.room();
        if limit == 0 {
            return NextLook::after(SHORTEST_WAIT, LONGEST_WAIT);
        }
        let began = Instant::now();
        // Not interrupted, as above.
        let next = match self.around.dispatcher.claim(limit).await {
            Ok(claims) if claims.is_empty() => tokio::select! {
                next = self.around.dispatcher.next_due() => next,
                () = stop.cancelled() => return NextLook::after(Duration::ZERO, Duration::ZERO),
            },
            Ok(claims) => {
                let may_be_more = claims.len() == limit;
                self.begin(claims);
                return if may_be_more {
                    NextLook::after(Duration::ZERO, Duration::ZERO)
                } else {
                    let pause = (began.elapsed() * PAUSE).min(LONGEST_PAUSE);
                    NextLook::after(pause, SHORTEST_WAIT)
                };
            }
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => {
                self.around.failures.claims.over();
                // What cannot be settled is work as well.
                if next != Some(Duration::ZERO) && self.around.unsettled.is_empty() {
                    self.around.heartbeat.progress();
                }
                let took = began.elapsed();
                let longest = took * PAUSE_AFTER_NOTHING;
                let longest = longest.clamp(LONGEST_WAIT, LONGEST_WAIT_AFTER_NOTHING);
                let wait = next.map_or(longest, |next| next.clamp(SHORTEST_WAIT, longest));
                let pause = (took * PAUSE_AFTER_NOTHING).min(LONGEST_PAUSE_AFTER_NOTHING);
                NextLook::after(pause.max((took * PAUSE).min(LONGEST_PAUSE)), wait)
            }
            Err(error) => {
                self.around.metrics.store_failed("claim");
                self.around.failures.claims.of_store(&error);
                NextLook::after(REST, REST)
            }
        }
    }

    fn begin(&self, claims: Vec<TimedClaim>) {
        for claim in claims {
            // At hand: nobody else takes permits, and as many were counted before the claim.
            let Ok(permit) = self.around.slots.clone().try_acquire_owned() else {
                return;
            };
            let delivery = deliver(self.around.clone(), claim, permit);
            self.in_flight.calls.spawn(delivery);
        }
    }

    async fn finish(self, time: Duration) {
        let InFlight { calls, give_up, .. } = self.in_flight;
        calls.close();
        if tokio::time::timeout(time, calls.wait()).await.is_err() {
            tracing::warn!(
                messages.in_flight = calls.len(),
                "calls that do not end are recorded as unknown"
            );
            give_up.cancel();
            let _ = tokio::time::timeout(RECORD, calls.wait()).await;
        }
    }
}
