//! Counters of events that are posted to endpoints.

use std::time::Duration;

use domain::endpoints::{DeliveryChange, EventAnswer, EventError};
use domain::ports::EventSettled;
use domain::usecases::EventDelivery;
use prometheus::{Histogram, IntCounter, IntCounterVec};

use super::Maker;

/// Answers by the class of their status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What a settlement makes of a delivery.
const RESULTS: [&str; 4] = ["delivered", "again", "given_up", "lease_lost"];

/// Buckets of the time from an event to its delivery: usual are milliseconds, and retries take days.
const DELAY_SECONDS: [f64; 12] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 3_600.0, 86_400.0,
];

/// The counters.
pub(super) struct Outgoing {
    attempts: IntCounterVec,
    results: IntCounterVec,
    delay: Histogram,
    disabled: IntCounter,
}

impl Outgoing {
    pub(super) fn new(maker: &Maker<'_>) -> prometheus::Result<Self> {
        let all = Self {
            attempts: maker.counters(
                "event_attempts_total",
                "Calls to endpoints by the class of their answer's status, or why there was none",
                &["outcome"],
            )?,
            results: maker.counters(
                "event_deliveries_total",
                "Calls to endpoints by what became of the delivery",
                &["result"],
            )?,
            delay: maker.histogram(
                "event_delivery_delay_seconds",
                "How long after an event an endpoint took it",
                &DELAY_SECONDS,
            )?,
            disabled: maker.counter(
                "endpoints_disabled_total",
                "Endpoints that were disabled because they failed",
            )?,
        };
        // Counters start at 0: `increase()` would miss the event that creates a series.
        let errors = EventError::ALL.map(EventError::as_str);
        for answer in CLASSES.into_iter().chain(errors) {
            all.attempts.with_label_values(&[answer]);
        }
        for result in RESULTS {
            all.results.with_label_values(&[result]);
        }
        Ok(all)
    }

    /// An attempt was settled, `delay` after its event.
    pub(super) fn settled(&self, delivery: &EventDelivery, settled: EventSettled, delay: Duration) {
        let settlement = &delivery.settlement;
        let answer = match settlement.answer {
            EventAnswer::Status { status, .. } => class(status),
            EventAnswer::Error(error) => error.as_str(),
        };
        self.attempts.with_label_values(&[answer]).inc();
        let result = match (settled, settlement.change) {
            (EventSettled::LeaseLost, _) => "lease_lost",
            (EventSettled::Applied, DeliveryChange::Delivered) => "delivered",
            (EventSettled::Applied, DeliveryChange::Again { .. }) => "again",
            (EventSettled::Applied, DeliveryChange::GivenUp) => "given_up",
        };
        self.results.with_label_values(&[result]).inc();
        if result == "delivered" {
            self.delay.observe(delay.as_secs_f64());
        }
        if settled == EventSettled::Applied && settlement.disables {
            self.disabled.inc();
        }
    }
}

/// The class of a status; what is none of HTTP counts as the server's fault.
fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
