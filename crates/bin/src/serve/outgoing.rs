//! The loop that posts events to endpoints: it waits, bounds concurrency and repeats. The use case
//! `EventDispatcher` decides what an answer means.

use std::sync::Arc;
use std::time::Duration;

use domain::endpoints::{DeliveryChange, EVENT_LEASE, EVENT_TIMEOUT};
use domain::ports::{Bell as _, Clock, EventRoom, EventSettled, EventTask, StoreError};
use domain::usecases::{EventDelivery, EventDispatcher};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::dispatch::Again;
use super::failures::Failures;
use super::sweeps::sweep;
use crate::metrics::Metrics;
use crate::surroundings::NotifyBell;

/// The most calls in flight to endpoints whose last attempt succeeded (chosen).
const HEALTHY: usize = 256;

/// The most calls in flight to endpoints whose last attempt failed (chosen): they never take the place of
/// others.
const FAILING: usize = 64;

/// A call to a healthy endpoint that takes longer than this has a place among the slow ones, while there is
/// one: endpoints that begin to hang do not take the place of others either (chosen).
const SLOW_AFTER: Duration = Duration::from_secs(1);
const SLOW: usize = 256;

/// The most endpoints that one statement leases (chosen).
const MOST_TAKEN: usize = 128;

/// The longest wait: another program may have changed something, or another copy died.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The shortest wait while something is due that cannot be taken: others hold it, or there is no room.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The pause after a look, as a multiple of its own time and within these, even when the bell rings: under
/// load one look finds much. The bell rings for every message, also where nobody is told.
const PAUSE: u32 = 4;
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Back-off when the database does not answer.
const REST: Duration = Duration::from_secs(1);

/// Time for calls in flight after a shutdown begins: they end by themselves before.
const FINISH: Duration = EVENT_TIMEOUT.saturating_add(Duration::from_secs(5));

/// The loop; clones share it.
#[derive(Clone)]
pub(crate) struct OutgoingLoop {
    dispatcher: Arc<EventDispatcher>,
    bell: Arc<NotifyBell>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    places: Places,
    calls: TaskTracker,
    unsettled: Arc<Failures>,
}

/// A permit for each call in flight.
#[derive(Clone)]
struct Places {
    healthy: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

impl Places {
    fn new() -> Self {
        Self {
            healthy: Arc::new(Semaphore::new(HEALTHY)),
            failing: Arc::new(Semaphore::new(FAILING)),
            slow: Arc::new(Semaphore::new(SLOW)),
        }
    }

    fn room(&self) -> EventRoom {
        EventRoom {
            healthy: self.healthy.available_permits().min(MOST_TAKEN),
            failing: self.failing.available_permits().min(MOST_TAKEN),
        }
    }
}

impl OutgoingLoop {
    pub(crate) fn new(
        dispatcher: Arc<EventDispatcher>,
        bell: Arc<NotifyBell>,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            dispatcher,
            bell,
            metrics,
            clock,
            places: Places::new(),
            calls: TaskTracker::new(),
            unsettled: Arc::new(Failures::of("cannot record deliveries of events yet")),
        }
    }

    /// Runs until it is stopped, then finishes the calls in flight.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let dispatcher = self.dispatcher.clone();
        let old_ones = move || {
            let dispatcher = dispatcher.clone();
            async move { dispatcher.forget_old_deliveries().await }
        };
        let sweeping = sweep("cannot forget old deliveries of events", old_ones);
        let sweeping = AbortOnDropHandle::new(tokio::spawn(sweeping));
        let failures = Failures::of("cannot look for events to deliver");
        while !stop.is_cancelled() {
            let began = Instant::now();
            // Not interrupted: what was leased would wait for the end of its lease.
            let wait = match self.look().await {
                Ok(wait) => {
                    failures.over();
                    wait
                }
                Err(error) => {
                    self.metrics.store_failed("outgoing");
                    failures.of_store(&error);
                    REST
                }
            };
            let pause = (began.elapsed() * PAUSE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            let time_to_look = async {
                tokio::time::sleep(pause).await;
                let rung = self.bell.rung();
                let _ = tokio::time::timeout(wait.saturating_sub(pause), rung).await;
            };
            tokio::select! {
                () = time_to_look => {}
                () = stop.cancelled() => {}
            }
        }
        drop(sweeping);
        self.finish().await;
    }

    /// Begins what is due, and returns how long to wait without a ring.
    async fn look(&self) -> Result<Duration, StoreError> {
        match self.dispatcher.next_due().await? {
            Some(Duration::ZERO) => {}
            next => return Ok(next.map_or(LONGEST_WAIT, |next| next.min(LONGEST_WAIT))),
        }
        let room = self.places.room();
        if room == EventRoom::default() {
            return Ok(SHORTEST_WAIT);
        }
        let tasks = self.dispatcher.take(room).await?;
        if tasks.is_empty() {
            return Ok(SHORTEST_WAIT);
        }
        for task in tasks {
            self.begin(task);
        }
        Ok(Duration::ZERO)
    }

    fn begin(&self, task: EventTask) {
        let places = match task.is_failing {
            true => &self.places.failing,
            false => &self.places.healthy,
        };
        // Available: only this loop takes permits of these, and it counted them before.
        match places.clone().try_acquire_owned() {
            Ok(place) => drop(self.calls.spawn(self.clone().deliver(task, place))),
            Err(_) => drop(self.calls.spawn(self.clone().give_back(task))),
        }
    }

    async fn give_back(self, task: EventTask) {
        if let Err(error) = self.dispatcher.give_back(&task).await {
            self.unsettled.of_store(&error);
        }
    }

    async fn deliver(self, task: EventTask, place: OwnedSemaphorePermit) {
        let taken = Instant::now();
        let is_failing = task.is_failing;
        let mut calling = std::pin::pin!(self.dispatcher.deliver(task));
        let mut place = Some(place);
        let delivery = tokio::select! {
            delivery = &mut calling => delivery,
            () = tokio::time::sleep(SLOW_AFTER), if !is_failing => {
                if let Ok(slow) = self.places.slow.clone().try_acquire_owned() {
                    place = Some(slow);
                    self.bell.ring();
                }
                calling.await
            }
        };
        let settling = self.settle(&delivery);
        // Afterwards the lease is over, and the event is posted once more.
        let settled = tokio::time::timeout_at(taken + EVENT_LEASE, settling).await;
        let settled = settled.unwrap_or(EventSettled::LeaseLost);
        let age = (self.clock.now() - delivery.task.event.at).to_std();
        self.metrics
            .event_settled(&delivery, settled, age.unwrap_or_default());
        log(&delivery, settled);
        drop(place);
        // The endpoint may have more.
        self.bell.ring();
    }

    async fn settle(&self, delivery: &EventDelivery) -> EventSettled {
        let mut again = Again::default();
        loop {
            match self.dispatcher.settle(delivery).await {
                Ok(settled) => {
                    self.unsettled.over();
                    return settled;
                }
                Err(error) => {
                    self.metrics.store_failed("outgoing");
                    self.unsettled.of_store(&error);
                    again.wait().await;
                }
            }
        }
    }

    async fn finish(self) {
        self.calls.close();
        if tokio::time::timeout(FINISH, self.calls.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                calls.in_flight = self.calls.len(),
                "calls to endpoints that do not end are made again later"
            );
        }
    }
}

/// A line for each failed attempt, which are rare by their schedule; deliveries are told to whoever asks.
fn log(delivery: &EventDelivery, settled: EventSettled) {
    let settlement = &delivery.settlement;
    let answer = settlement.answer;
    macro_rules! line {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                endpoint.id = %delivery.task.lease.endpoint,
                delivery.id = %delivery.task.lease.delivery,
                event.id = %delivery.task.event.id,
                event.kind = delivery.task.event.kind,
                call.status = answer.status(),
                call.error = answer.error().map(domain::endpoints::EventError::as_str),
                call.duration_ms = delivery.duration.as_secs_f64() * 1_000.0,
                settled = ?settled,
                $text
            )
        };
    }
    match settlement.change {
        _ if settlement.disables => line!(
            warn,
            "endpoint disabled: it failed for too long, or is gone"
        ),
        DeliveryChange::Delivered => line!(debug, "event delivered"),
        DeliveryChange::Again { .. } => line!(info, "event not delivered yet"),
        DeliveryChange::GivenUp => line!(warn, "event given up"),
    }
}
