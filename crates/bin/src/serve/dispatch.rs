//! The loop around the dispatcher: it waits, bounds concurrency and repeats; what to do is the
//! dispatcher's decision.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::{
    Bell as _, Delivery, Dispatcher, Intake, LaneChange, OutcomeKind, Settled, Task, TimedClaim,
    mask_phones,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{Instrument as _, Span, field};

use crate::metrics::Metrics;
use crate::surroundings::NotifyBell;
use crate::traces;

/// How many calls are in flight at once. A lane has one at most, so that this many dealers can
/// hang before anybody else waits.
const MAX_IN_FLIGHT: usize = 512;

/// How many lanes one statement leases at most.
const MAX_CLAIM: usize = 256;

/// The longest wait before looking for work that another copy took in, or whose time has come.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shortest wait, so that a clock that disagrees by a little does not make the loop spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

/// Looking for work is paused for this many times as long as it took, however often the bell rings:
/// under load each look then finds more, and looking never costs more than a fifth of one processor.
const PAUSE_FACTOR: u32 = 4;

/// How long to rest when the database does not answer.
const REST: Duration = Duration::from_secs(1);

/// How often messages that became too old are ended.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// How often changed accounts are noticed. Operators are promised that a new key ends a pause within
/// 5 seconds, of which the store may remember the old one for 3.
const BREAKER_LOOK: Duration = Duration::from_millis(500);

/// How long calls in flight may take after the service was told to stop; then they are unknown.
pub(crate) const FINISH: Duration = Duration::from_secs(25);

/// How long recording those may take.
const RECORD: Duration = Duration::from_secs(3);

/// The first and the longest wait before a settlement is repeated.
const SETTLE_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// When the loop last went round and when it last finished something, readable from elsewhere.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    began: Instant,
    last_beat_ms: Arc<AtomicU64>,
    last_progress_ms: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            last_beat_ms: Arc::default(),
            last_progress_ms: Arc::default(),
        }
    }
}

impl Heartbeat {
    fn beat(&self) {
        self.last_beat_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Something was finished, or there was nothing to do.
    pub(crate) fn progress(&self) {
        self.last_progress_ms
            .store(self.now_ms(), Ordering::Relaxed);
    }

    /// How long ago the loop last went round.
    pub(crate) fn age(&self) -> Duration {
        self.since(&self.last_beat_ms)
    }

    /// How long nothing was finished although there was something to do.
    pub(crate) fn standstill(&self) -> Duration {
        self.since(&self.last_progress_ms)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, moment_ms: &AtomicU64) -> Duration {
        let moment = Duration::from_millis(moment_ms.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(moment)
    }
}

/// The loop.
pub(crate) struct DispatchLoop {
    dispatcher: Arc<Dispatcher>,
    intake: Arc<Intake>,
    bell: Arc<NotifyBell>,
    heartbeat: Heartbeat,
    metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
    deliveries: TaskTracker,
    give_up: CancellationToken,
}

impl DispatchLoop {
    pub(crate) fn new(
        dispatcher: Arc<Dispatcher>,
        intake: Arc<Intake>,
        bell: Arc<NotifyBell>,
        heartbeat: Heartbeat,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            dispatcher,
            intake,
            bell,
            heartbeat,
            metrics,
            slots: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            deliveries: TaskTracker::new(),
            give_up: CancellationToken::new(),
        }
    }

    /// Goes round until `stop`, then finishes what is in flight.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let housekeeping = AbortOnDropHandle::new(tokio::spawn(keep_house(
            self.dispatcher.clone(),
            self.intake.clone(),
            self.metrics.clone(),
        )));
        let breakers = AbortOnDropHandle::new(tokio::spawn(look_at_breakers(
            self.dispatcher.clone(),
            self.bell.clone(),
        )));
        let stopped_at = tokio::spawn({
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                Instant::now()
            }
        });
        while !stop.is_cancelled() {
            self.heartbeat.beat();
            let began = Instant::now();
            let Some(wait) = self.step(&stop).await else {
                // There may be more.
                continue;
            };
            let pause = (began.elapsed() * PAUSE_FACTOR).min(LONGEST_WAIT);
            let next = async {
                tokio::time::sleep(pause).await;
                let _ = tokio::time::timeout(wait.saturating_sub(pause), self.bell.rung()).await;
            };
            tokio::select! {
                () = next => {}
                () = stop.cancelled() => {}
            }
        }
        drop((housekeeping, breakers));
        // A claim that was under way when the word came has used some of the time.
        let used = stopped_at.await.map_or(Duration::ZERO, |at| at.elapsed());
        self.finish(FINISH.saturating_sub(used)).await;
    }

    /// Begins what can be begun and says how long to wait; `None` when there was as much to do as
    /// could be taken at once.
    async fn step(&self, stop: &CancellationToken) -> Option<Duration> {
        let limit = self.slots.available_permits().min(MAX_CLAIM);
        if limit == 0 {
            return Some(LONGEST_WAIT);
        }
        // Not interrupted: what it leased would be taken for unknown outcomes.
        let next = match self.dispatcher.claim(limit).await {
            Ok(claims) if claims.is_empty() => tokio::select! {
                next = self.dispatcher.next_due() => next,
                () = stop.cancelled() => return None,
            },
            Ok(claims) => {
                let is_full = claims.len() == limit;
                for claim in claims {
                    self.begin(claim).await;
                }
                return (!is_full).then_some(SHORTEST_WAIT);
            }
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => {
                if next != Some(Duration::ZERO) {
                    self.heartbeat.progress();
                }
                Some(next.map_or(LONGEST_WAIT, |next| next.clamp(SHORTEST_WAIT, LONGEST_WAIT)))
            }
            Err(error) => {
                self.metrics.store_failed("claim");
                tracing::warn!(
                    error.source = source(&error),
                    "cannot look for messages: {error}"
                );
                Some(REST)
            }
        }
    }

    async fn begin(&self, claim: TimedClaim) {
        // At hand: nobody else takes permits, and as many were counted before the claim.
        let Ok(permit) = self.slots.clone().acquire_owned().await else {
            return;
        };
        let span = span_of(&claim.claim.task);
        let delivery = deliver(
            self.dispatcher.clone(),
            self.bell.clone(),
            self.heartbeat.clone(),
            self.metrics.clone(),
            claim,
            self.give_up.clone(),
            permit,
        );
        self.deliveries.spawn(delivery.instrument(span));
    }

    async fn finish(self, time: Duration) {
        self.deliveries.close();
        if tokio::time::timeout(time, self.deliveries.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                messages.in_flight = self.deliveries.len(),
                "calls that do not end are recorded as unknown"
            );
            self.give_up.cancel();
            let _ = tokio::time::timeout(RECORD, self.deliveries.wait()).await;
        }
    }
}

/// Ends messages that became too old and sweeps old keys, again and again. A task of its own, so
/// that no message waits for it.
async fn keep_house(dispatcher: Arc<Dispatcher>, intake: Arc<Intake>, metrics: Arc<Metrics>) {
    let mut again = tokio::time::interval(HOUSEKEEPING);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match dispatcher.expire().await {
            Ok(0) => {}
            Ok(expired) => {
                metrics.expired(expired);
                tracing::warn!(messages.expired = expired, "messages became too old");
            }
            Err(error) => {
                tracing::warn!(
                    error.source = source(&error),
                    "cannot end old messages: {error}"
                );
            }
        }
        if let Err(error) = intake.forget_old_keys().await {
            tracing::warn!(
                error.source = source(&error),
                "cannot sweep old keys: {error}"
            );
        }
    }
}

/// Notices changed accounts, again and again.
async fn look_at_breakers(dispatcher: Arc<Dispatcher>, bell: Arc<NotifyBell>) {
    let mut again = tokio::time::interval(BREAKER_LOOK);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match dispatcher.close_healed_breakers().await {
            Ok(0) => {}
            Ok(closed) => {
                bell.ring();
                tracing::info!(lanes.unblocked = closed, "changed accounts are tried again");
            }
            Err(error) => {
                tracing::warn!(
                    error.source = source(&error),
                    "cannot look at blocked lanes: {error}"
                );
            }
        }
    }
}

/// Around everything that is logged about a delivery, with the id of the call that the message came
/// from. At level ERROR, so that no filter takes the id from a line that is shown.
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

/// Carries out one claim and records what came of it.
async fn deliver(
    dispatcher: Arc<Dispatcher>,
    bell: Arc<NotifyBell>,
    heartbeat: Heartbeat,
    metrics: Arc<Metrics>,
    timed: TimedClaim,
    give_up: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    let claim = timed.claim.clone();
    let delivery = tokio::select! {
        delivery = dispatcher.deliver(timed) => delivery,
        () = give_up.cancelled() => dispatcher.abandoned(claim).await,
    };
    let settled = settle(&dispatcher, &metrics, &delivery).await;
    heartbeat.progress();
    metrics.delivered(&delivery, settled);
    traces::delivered(&delivery);
    log(&delivery, settled);
    // The lane may go on, and only the database knows when.
    bell.ring();
}

/// Repeats until it is recorded: the provider's answer exists only here. When the process is ended
/// before, the lease runs out and the outcome counts as unknown.
async fn settle(dispatcher: &Dispatcher, metrics: &Metrics, delivery: &Delivery) -> Settled {
    let (mut wait, longest) = SETTLE_AGAIN;
    loop {
        match dispatcher.settle(delivery).await {
            Ok(settled) => return settled,
            Err(error) => {
                metrics.store_failed("settle");
                tracing::warn!(
                    dealer.id = delivery.lease.dealer_id.as_str(),
                    error.source = source(&error),
                    "cannot record a delivery yet: {error}"
                );
            }
        }
        // Not all in step, when the database comes back.
        tokio::time::sleep(wait.mul_f64(rand::random_range(0.5..1.0))).await;
        wait = (wait * 2).min(longest);
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
        LaneChange::Resting { .. } => ("resting", &Duration::ZERO),
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

pub(super) fn source(error: &domain::StoreError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}
