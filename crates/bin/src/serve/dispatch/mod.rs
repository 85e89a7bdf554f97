//! The dispatcher's loop: it waits, bounds concurrency and repeats. The use case `Dispatcher` decides what to
//! do.

mod bell;
mod confirmations;
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
pub(crate) use self::confirmations::ConfirmationLoop;
pub(crate) use self::delivery::Again;
use self::delivery::{Surroundings, deliver};
pub(crate) use self::test_messages::TestMessages;
use crate::metrics::Metrics;
use crate::serve::watched::Heartbeat;
use crate::surroundings::NotifyBell;

/// The most calls in flight. A lane has one at most, so this many dealers' calls can hang before another
/// dealer waits (chosen).
const MAX_IN_FLIGHT: usize = 512;

/// The most lanes that one statement leases (chosen).
const MAX_CLAIM: usize = 256;

/// The longest wait before a claim: another copy may have stored work, or work may have become due.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shortest wait, so that a small difference of clocks does not make the loop spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

/// The pause after a claim, as a multiple of the claim's own time, even when the bell rings. Under load each
/// claim then finds more, and claiming takes a fifth of one processor. The bound is for a busy machine, where
/// claims take long.
const PAUSE: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The same after a claim that found nothing, with its own bound; never shorter than after one that found
/// something.
const PAUSE_AFTER_NOTHING: u32 = 20;
const LONGEST_PAUSE_AFTER_NOTHING: Duration = Duration::from_millis(50);

/// With thousands of scheduled lanes a claim takes long, and the longest wait grows with it. The bound is for
/// work stored by a copy that has died since.
const LONGEST_WAIT_AFTER_NOTHING: Duration = Duration::from_secs(5);

/// Back-off when the database does not answer.
const REST: Duration = Duration::from_secs(1);

/// Time for calls in flight after a shutdown begins; then their outcome is unknown.
pub(crate) const FINISH: Duration = Duration::from_secs(25);

/// Time for settling the aborted calls.
const RECORD: Duration = Duration::from_secs(3);

/// The calls in flight, and when they must end.
#[derive(Clone, Default)]
pub(crate) struct InFlight {
    calls: TaskTracker,
    /// Set: nothing new is begun.
    pub(crate) stop: CancellationToken,
    /// Set: calls in flight are aborted.
    give_up: CancellationToken,
}

/// When to claim next.
#[derive(Clone, Copy)]
struct NextLook {
    /// Not before this time, even when the bell rings.
    earliest: Instant,
    /// At this time at the latest.
    latest: Instant,
}

impl NextLook {
    /// After the pause, when the bell rings or the wait ends.
    fn after(pause: Duration, wait: Duration) -> Self {
        let now = Instant::now();
        let pause = pause.min(LONGEST_WAIT);
        Self {
            earliest: now + pause,
            latest: now + wait.max(pause),
        }
    }
}

/// The dispatcher's loop.
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
        outgoing_bell: Arc<NotifyBell>,
        heartbeat: Heartbeat,
        metrics: Arc<Metrics>,
        in_flight: InFlight,
    ) -> Self {
        Self {
            intake,
            around: Surroundings {
                dispatcher,
                bell,
                outgoing_bell,
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

    /// Runs until it is stopped, then finishes the calls in flight.
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
        // A claim under way when the service was stopped has used some of the time.
        let used = stopped_at.await.map_or(Duration::ZERO, |at| at.elapsed());
        self.finish(FINISH.saturating_sub(used)).await;
    }

    /// How many lanes can be leased now.
    fn room(&self) -> usize {
        self.around.slots.available_permits().min(MAX_CLAIM)
    }

    /// Claims lanes and begins their tasks.
    async fn look(&self, stop: &CancellationToken) -> NextLook {
        let limit = self.room();
        if limit == 0 {
            return NextLook::after(SHORTEST_WAIT, LONGEST_WAIT);
        }
        let began = Instant::now();
        // Not interrupted: a committed claim would be lost.
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
                // An outcome that cannot be settled is unfinished work as well.
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
            // Available: only this loop takes permits, and it counted them before the claim.
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
