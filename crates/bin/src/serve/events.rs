//! The loop that applies what the provider reports: it waits and repeats; what an event means is
//! decided elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{EventDesk, EventsApplied, StoreError};
use tokio_util::sync::CancellationToken;

use super::dispatch::source;
use crate::metrics::Metrics;
use crate::surroundings::NotifyBell;

/// How many events one statement applies at most, so that none holds many locks for long.
const AT_ONCE: usize = 200;

/// The longest wait before looking for events that another copy took in, or whose message has
/// become known.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shortest wait: events that come one after the other are applied together.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// How often old events are swept.
const SWEEP: Duration = Duration::from_secs(60);

/// The loop.
pub(crate) struct EventLoop {
    events: Arc<EventDesk>,
    bell: Arc<NotifyBell>,
    metrics: Arc<Metrics>,
}

impl EventLoop {
    pub(crate) fn new(
        events: Arc<EventDesk>,
        bell: Arc<NotifyBell>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            events,
            bell,
            metrics,
        }
    }

    /// Goes round until `stop`. What is not applied then is applied by the next copy.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut swept = Instant::now();
        while !stop.is_cancelled() {
            let wait = tokio::select! {
                wait = self.step() => wait,
                () = stop.cancelled() => return,
            };
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.sweep().await;
            }
            tokio::time::sleep(SHORTEST_WAIT).await;
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(SHORTEST_WAIT)) => {}
                () = self.bell.rung() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Applies what can be applied and says how long to wait.
    async fn step(&self) -> Duration {
        match self.round().await {
            Ok(wait) => wait,
            Err(error) => {
                self.metrics.store_failed("events");
                tracing::warn!(
                    error.source = source(&error),
                    "cannot apply events: {error}"
                );
                LONGEST_WAIT
            }
        }
    }

    async fn round(&self) -> Result<Duration, StoreError> {
        match self.events.next_event().await? {
            Some(Duration::ZERO) => {
                let applied = self.events.apply(AT_ONCE).await?;
                self.metrics.applied(applied);
                if applied.lifted > 0 || applied.freed > 0 {
                    log(applied);
                }
                Ok(Duration::ZERO)
            }
            next => Ok(next.map_or(LONGEST_WAIT, |next| next.min(LONGEST_WAIT))),
        }
    }

    async fn sweep(&self) {
        if let Err(error) = self.events.forget_old_events().await {
            tracing::warn!(
                error.source = source(&error),
                "cannot sweep old events: {error}"
            );
        }
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
