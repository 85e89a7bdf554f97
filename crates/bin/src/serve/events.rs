//! The loop that applies provider events: it waits and repeats. The use case `EventIntake` decides what an
//! event means.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Bell as _, EventsApplied, StoreError};
use domain::usecases::EventIntake;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::failures::Failures;
use super::sweeps::sweep;
use crate::metrics::Metrics;
use crate::surroundings::NotifyBell;

/// The most events that one statement applies, so that none holds many locks for long (chosen).
const AT_ONCE: usize = 200;

/// The longest wait: another copy may have stored events, or a message may have become known.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shortest wait: consecutive events are applied together (chosen).
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// The loop.
pub(crate) struct EventLoop {
    events: Arc<EventIntake>,
    bell: Arc<NotifyBell>,
    /// Wakes the loop that posts events to endpoints.
    outgoing_bell: Arc<NotifyBell>,
    metrics: Arc<Metrics>,
}

impl EventLoop {
    pub(crate) fn new(
        events: Arc<EventIntake>,
        bell: Arc<NotifyBell>,
        outgoing_bell: Arc<NotifyBell>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            events,
            bell,
            outgoing_bell,
            metrics,
        }
    }

    /// Runs until `stop`. The next copy applies the rest.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let events = self.events.clone();
        let old_ones = move || {
            let events = events.clone();
            async move { events.forget_old_events().await }
        };
        let _sweeping =
            AbortOnDropHandle::new(tokio::spawn(sweep("cannot forget old events", old_ones)));
        let failures = Failures::of("cannot apply events");
        let mut pause = Duration::ZERO;
        while !stop.is_cancelled() {
            let wait = tokio::select! {
                wait = self.step(&mut pause, &failures) => wait,
                () = stop.cancelled() => return,
            };
            tokio::time::sleep(SHORTEST_WAIT).await;
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(SHORTEST_WAIT)) => {}
                () = self.bell.rung() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Applies due events and returns the next wait. `pause` is the last back-off from rounds whose events
    /// other copies had locked.
    async fn step(&self, pause: &mut Duration, failures: &Failures) -> Duration {
        match self.round(pause).await {
            Ok(wait) => {
                failures.over();
                wait
            }
            Err(error) => {
                self.metrics.store_failed("events");
                failures.of_store(&error);
                LONGEST_WAIT
            }
        }
    }

    async fn round(&self, pause: &mut Duration) -> Result<Duration, StoreError> {
        match self.events.next_event().await? {
            Some(Duration::ZERO) => {
                let applied = self.events.apply(AT_ONCE).await?;
                self.metrics.applied(applied);
                if applied.lifted > 0 || applied.freed > 0 {
                    log(applied);
                    self.outgoing_bell.ring();
                }
                *pause = pause_after(applied.taken, *pause);
                Ok(*pause)
            }
            next => {
                *pause = Duration::ZERO;
                Ok(next.map_or(LONGEST_WAIT, |next| next.min(LONGEST_WAIT)))
            }
        }
    }
}

/// The wait after a round with due events. When none could be taken, other copies have locked them: the wait
/// doubles.
fn pause_after(taken: u64, before: Duration) -> Duration {
    if taken > 0 {
        Duration::ZERO
    } else {
        (before * 2).clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }
}

fn log(applied: EventsApplied) {
    tracing::info!(
        events.taken = applied.taken,
        events.unmatched = applied.unmatched,
        messages.lifted = applied.lifted,
        lanes.freed = applied.freed,
        "events applied"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_events_that_others_have_grow_and_end() {
        let mut pause = Duration::ZERO;
        let mut waits = Vec::new();
        for _ in 0..8 {
            pause = pause_after(0, pause);
            waits.push(pause.as_millis());
        }
        assert_eq!(waits, [20, 40, 80, 160, 320, 640, 1_000, 1_000]);
        assert_eq!(pause_after(1, pause), Duration::ZERO);
    }
}
