//! One delivery, from its claim to its settlement.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{LaneChange, OutcomeKind};
use domain::ports::{Bell as _, Settled, Task};
use domain::usecases::{Delivery, Dispatcher, TimedClaim};
use domain::values::mask_phones;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, field};

use super::bell::LaneBell;
use super::unsettled::Unsettled;
use crate::metrics::Metrics;
use crate::serve::failures::Failures;
use crate::serve::watched::Heartbeat;
use crate::surroundings::NotifyBell;
use crate::traces;

/// The first and the longest back-off of a settlement (chosen).
const SETTLE_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Shared by all deliveries.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) bell: Arc<LaneBell>,
    pub(super) heartbeat: Heartbeat,
    /// Wakes the loop that posts events to endpoints.
    pub(super) outgoing_bell: Arc<NotifyBell>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) unsettled: Arc<Unsettled>,
    pub(super) failures: Arc<DeliveryFailures>,
    /// One permit for each call in flight.
    pub(super) slots: Arc<Semaphore>,
    /// Set: nothing new is begun.
    pub(super) stop: CancellationToken,
    /// Set: calls in flight are aborted.
    pub(super) give_up: CancellationToken,
}

/// Repeated failures, each logged with a back-off.
pub(super) struct DeliveryFailures {
    pub(super) claims: Failures,
    pub(super) settlements: Failures,
}

impl Default for DeliveryFailures {
    fn default() -> Self {
        Self {
            claims: Failures::of("cannot look for messages"),
            settlements: Failures::of("cannot record deliveries yet"),
        }
    }
}

impl Surroundings {
    /// Whether a lane may go on with its next message: not while other lanes wait for a permit.
    fn may_go_on(&self) -> bool {
        self.slots.available_permits() > 0 && !self.stop.is_cancelled()
    }
}

/// The span of a delivery, with the id of the HTTP request that queued the message. At level ERROR, so that
/// no filter removes the id from a shown line.
fn span_of(task: &Task) -> Span {
    let span = tracing::error_span!("delivery", http.request_id = field::Empty);
    let origin = match task {
        Task::Send(message) | Task::Recover(message) => message.origin.as_ref(),
        Task::Probe => None,
    };
    if let Some(origin) = origin {
        span.record("http.request_id", origin.request_id.as_str());
        traces::follow(&span, origin.traceparent.as_deref());
    }
    span
}

/// Does the task of a claim, settles it, and goes on with the lane's next task.
pub(super) async fn deliver(around: Surroundings, first: TimedClaim, slot: OwnedSemaphorePermit) {
    let lane = first.claim.lease.dealer_id.clone();
    let lease_ends = first.lease_ends.into();
    if !around.unsettled.settled_before(&lane, lease_ends).await {
        // The lease has ended before anything was done under it.
        return;
    }
    let held = around.bell.hold(lane);
    let mut claim = first;
    let ready_at = loop {
        let span = span_of(&claim.claim.task);
        match deliver_one(&around, claim).instrument(span).await {
            Next::Claim(next) => claim = *next,
            Next::ReadyAt(at) => break at,
        }
    };
    let others_may_wait = around.slots.available_permits() == 0;
    drop(slot);
    if let Some(at) = ready_at {
        held.ready_at(at);
    }
    if others_may_wait {
        around.bell.ring();
    }
}

/// How a lane goes on.
enum Next {
    /// With its next claim, at once.
    Claim(Box<TimedClaim>),
    /// Released; ready at this time, if known.
    ReadyAt(Option<Instant>),
}

async fn deliver_one(around: &Surroundings, timed: TimedClaim) -> Next {
    let claim = timed.claim.clone();
    let delivery = tokio::select! {
        delivery = around.dispatcher.deliver(timed) => delivery,
        () = around.give_up.cancelled() => around.dispatcher.abandoned(claim).await,
    };
    let (settled, next) = settle(around, &delivery).await;
    around.heartbeat.progress();
    if settled == Settled::Applied {
        around.outgoing_bell.ring();
    }
    around.metrics.delivered(&delivery, settled);
    traces::delivered(&delivery);
    log(&delivery, settled);
    match (next, &delivery.settlement.lane) {
        (Some(next), _) => Next::Claim(Box::new(next)),
        (None, LaneChange::Ready { pause }) if settled == Settled::Applied && !pause.is_zero() => {
            Next::ReadyAt(Some(Instant::now() + *pause))
        }
        _ => Next::ReadyAt(None),
    }
}

/// Repeats the settlement until it succeeds: the provider's answer exists only here. If the process ends
/// before, the lease expires and the outcome is unknown.
async fn settle(around: &Surroundings, delivery: &Delivery) -> (Settled, Option<TimedClaim>) {
    let dispatcher = &around.dispatcher;
    let mut again = Again::default();
    let mut unsettled = None;
    loop {
        let settled = if around.may_go_on() {
            dispatcher.settle_and_claim(delivery).await
        } else {
            dispatcher
                .settle(delivery)
                .await
                .map(|settled| (settled, None))
        };
        match settled {
            Ok(settled) => {
                around.failures.settlements.over();
                return settled;
            }
            Err(error) => {
                around.metrics.store_failed("settle");
                let lane = &delivery.lease.dealer_id;
                unsettled.get_or_insert_with(|| around.unsettled.add(lane));
                around.failures.settlements.of_dealer(lane, &error);
                again.wait().await;
            }
        }
    }
}

/// The back-off of a settlement.
pub(crate) struct Again(Duration);

impl Default for Again {
    fn default() -> Self {
        Self(SETTLE_AGAIN.0)
    }
}

impl Again {
    pub(crate) async fn wait(&mut self) {
        // Jitter for when the database comes back.
        tokio::time::sleep(self.0.mul_f64(rand::random_range(0.5..1.0))).await;
        self.0 = (self.0 * 2).min(SETTLE_AGAIN.1);
    }
}

fn log(delivery: &Delivery, settled: Settled) {
    let message = match &delivery.task {
        Task::Send(message) | Task::Recover(message) => Some(message),
        Task::Probe => None,
    };
    let attempt = delivery.settlement.attempt.as_ref();
    let outcome = attempt.map(|attempt| attempt.outcome);
    let well = outcome.is_none_or(|outcome| outcome == OutcomeKind::Accepted)
        && !matches!(delivery.settlement.lane, LaneChange::Blocked { .. });
    let (lane, pause) = match &delivery.settlement.lane {
        LaneChange::Ready { pause } => ("ready", pause),
        LaneChange::Unchanged { pause } => ("unchanged", pause),
        LaneChange::Waiting { pause } => ("waiting", pause),
        LaneChange::Probed => ("probed", &Duration::ZERO),
        LaneChange::Resting { .. } | LaneChange::Spent { .. } => ("resting", &Duration::ZERO),
        LaneChange::Blocked { pause, .. } => ("blocked", pause),
    };
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                dealer.id = delivery.lease.dealer_id.as_str(),
                request.id = message.map(|message| message.request_id.to_string()),
                message.id = message.map(|message| message.id.to_string()),
                lane.epoch = delivery.lease.epoch,
                lane.change = lane,
                lane.pause_ms = pause.as_secs_f64() * 1_000.0,
                send.outcome = outcome.map(OutcomeKind::as_str),
                send.detail = attempt.map(|attempt| mask_phones(&attempt.detail)),
                send.duration_ms = attempt.map(|attempt| attempt.duration.as_secs_f64() * 1_000.0),
                settled = ?settled,
                "delivery settled"
            )
        };
    }
    if well && settled == Settled::Applied {
        line!(info);
    } else {
        line!(warn);
    }
}
