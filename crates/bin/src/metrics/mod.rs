//! Metrics for Prometheus. Labels are patterns and fixed words: never a path, a dealer, a phone or a key.

mod gauges;
mod outgoing;
mod text;

use std::time::Duration;

use api::{AnsweredCall, EventResult, Observer, SubmissionResult};
use async_trait::async_trait;
use domain::delivery::{BlockCause, LaneChange, MessageChange, OutcomeKind};
use domain::events::EventTopic;
use domain::ports::{EventSettled, EventsApplied, Settled, Task};
use domain::template::TemplateOrigin;
use domain::usecases::{Delivery, EventDelivery};
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
};
use tracing::Span;

pub(crate) use self::gauges::Gauges;
use self::outgoing::Outgoing;
use crate::traces;

/// The prefix of every name.
const PREFIX: &str = "customer_service";

/// Buckets of answer times: promised are 5 seconds, usual are a few milliseconds.
const CALL_SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Buckets of calls to Fonnte, which may take as long as `FONNTE_TIMEOUT`.
const SEND_SECONDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const CHANGES: [&str; 7] = [
    "sent",
    "failed",
    "unknown",
    "expired",
    "requeued",
    "awaiting",
    "cancelled",
];

/// The counters. Recording costs a hash of the labels and an atomic addition.
pub(crate) struct Metrics {
    registry: Registry,
    /// The kernel's figures of the process, under the usual names.
    process: Registry,
    gauges: Gauges,
    /// Whether calls are traced.
    traced: bool,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    submissions: IntCounterVec,
    templates: IntCounterVec,
    rows: IntCounterVec,
    received: IntCounterVec,
    events: IntCounterVec,
    lifted: IntCounter,
    freed: IntCounter,
    outcomes: IntCounterVec,
    send_seconds: Histogram,
    changes: IntCounterVec,
    blocks: IntCounterVec,
    recovered: IntCounter,
    expired: IntCounter,
    in_vain: IntCounter,
    store_errors: IntCounterVec,
    outgoing: Outgoing,
}

impl Metrics {
    /// All counters at zero; `traced` with a collector of traces.
    ///
    /// # Errors
    /// Only when two metrics have one name.
    pub(crate) fn new(gauges: Gauges, traced: bool) -> prometheus::Result<Self> {
        let registry = Registry::new_custom(Some(PREFIX.to_owned()), None)?;
        let process = Registry::new();
        #[cfg(target_os = "linux")]
        process.register(Box::new(ProcessCollector::for_self()))?;
        let maker = Maker(&registry);
        let metrics = Self {
            calls: maker.counters(
                "http_requests_total",
                "Calls that were answered",
                &["method", "route", "status"],
            )?,
            call_seconds: maker.histograms(
                "http_request_duration_seconds",
                "How long answers took",
                &CALL_SECONDS,
                &["method", "route"],
            )?,
            submissions: maker.counters(
                "submissions_total",
                "Single submissions by what became of them",
                &["result"],
            )?,
            templates: maker.counters(
                "messages_by_template_total",
                "Messages of submissions by whose template they were made from",
                &["origin"],
            )?,
            rows: maker.counters(
                "bulk_rows_total",
                "Rows of bulk calls by what became of them, dry runs left out",
                &["result"],
            )?,
            received: maker.counters(
                "webhook_reports_total",
                "Reports of the provider by what became of them",
                &["topic", "result"],
            )?,
            events: maker.counters(
                "webhook_events_total",
                "Stored reports that were looked at; an unmatched one is looked at again",
                &["result"],
            )?,
            lifted: maker.counter(
                "messages_lifted_total",
                "Messages that reports moved forward",
            )?,
            freed: maker.counter("lanes_freed_total", "Lanes that reports let go on")?,
            outcomes: maker.counters(
                "send_outcomes_total",
                "Calls to send a message by outcome",
                &["outcome"],
            )?,
            send_seconds: maker.histogram(
                "send_duration_seconds",
                "How long calls to send a message took",
                &SEND_SECONDS,
            )?,
            changes: maker.counters(
                "messages_settled_total",
                "Deliveries of messages by what they made of the message",
                &["change"],
            )?,
            blocks: maker.counters(
                "lane_blocks_total",
                "How often an account was found unable to send, by cause",
                &["cause"],
            )?,
            recovered: maker.counter(
                "messages_recovered_total",
                "Messages whose copy of the service vanished while it sent them",
            )?,
            expired: maker.counter(
                "messages_expired_total",
                "Messages that became too old while they waited",
            )?,
            in_vain: maker.counter(
                "settled_in_vain_total",
                "Deliveries whose lane was lost before they were recorded",
            )?,
            store_errors: maker.counters(
                "store_errors_total",
                "Questions of the loops that the database did not answer, or refused",
                &["asked"],
            )?,
            outgoing: Outgoing::new(&maker)?,
            registry: registry.clone(),
            process,
            gauges,
            traced,
        };
        metrics.begin();
        Ok(metrics)
    }

    /// Counters start at 0: `increase()` would miss the event that creates a series.
    fn begin(&self) {
        for result in SubmissionResult::ALL {
            self.submissions.with_label_values(&[result.as_str()]);
            self.rows.with_label_values(&[result.as_str()]);
        }
        for origin in TemplateOrigin::ALL {
            self.templates.with_label_values(&[origin.as_str()]);
        }
        for topic in EventTopic::ALL {
            for result in EventResult::ALL {
                self.received
                    .with_label_values(&[topic.as_str(), result.as_str()]);
            }
        }
        for result in ["applied", "unmatched"] {
            self.events.with_label_values(&[result]);
        }
        for outcome in OutcomeKind::ALL {
            self.outcomes.with_label_values(&[outcome.as_str()]);
        }
        for change in CHANGES {
            self.changes.with_label_values(&[change]);
        }
        for cause in BlockCause::ALL {
            self.blocks.with_label_values(&[cause.as_str()]);
        }
        for asked in ["claim", "settle", "events", "outgoing"] {
            self.store_errors.with_label_values(&[asked]);
        }
    }

    /// A delivery was settled, or its lease was lost.
    pub(crate) fn delivered(&self, delivery: &Delivery, settled: Settled) {
        let settlement = &delivery.settlement;
        if let Some(attempt) = &settlement.attempt {
            let outcome = attempt.outcome.as_str();
            self.outcomes.with_label_values(&[outcome]).inc();
            // An attempt with an answer, or the reason for none, was a call.
            if attempt.answer.is_some() {
                self.send_seconds.observe(attempt.duration.as_secs_f64());
            }
        }
        if matches!(delivery.task, Task::Recover(_)) {
            self.recovered.inc();
        }
        if settled == Settled::LeaseLost {
            self.in_vain.inc();
            return;
        }
        if let Some((_, change)) = &settlement.message {
            let change = match change {
                MessageChange::Sent(_) => "sent",
                MessageChange::Failed { .. } => "failed",
                MessageChange::Unknown { .. } => "unknown",
                MessageChange::Expired => "expired",
                MessageChange::OptedOut => "cancelled",
                MessageChange::Await => "awaiting",
                MessageChange::Requeued
                | MessageChange::Suspected
                | MessageChange::Resend { .. } => "requeued",
            };
            self.changes.with_label_values(&[change]).inc();
        }
        if let LaneChange::Blocked { cause, .. } = &settlement.lane {
            self.blocks.with_label_values(&[cause.as_str()]).inc();
        }
    }

    /// This many messages expired.
    pub(crate) fn expired(&self, messages: u64) {
        self.expired.inc_by(messages);
    }

    /// Provider events were applied.
    pub(crate) fn applied(&self, applied: EventsApplied) {
        let matched = applied.taken.saturating_sub(applied.unmatched);
        self.events.with_label_values(&["applied"]).inc_by(matched);
        let unmatched = self.events.with_label_values(&["unmatched"]);
        unmatched.inc_by(applied.unmatched);
        self.lifted.inc_by(applied.lifted);
        self.freed.inc_by(applied.freed);
    }

    /// A call to an endpoint was settled, so long after its event.
    pub(crate) fn event_settled(
        &self,
        delivery: &EventDelivery,
        settled: EventSettled,
        delay: Duration,
    ) {
        self.outgoing.settled(delivery, settled, delay);
    }

    /// A loop's question to the database failed.
    pub(crate) fn store_failed(&self, asked: &'static str) {
        self.store_errors.with_label_values(&[asked]).inc();
    }
}

#[async_trait]
impl Observer for Metrics {
    fn answered(&self, call: AnsweredCall<'_>) {
        let AnsweredCall {
            method,
            route,
            status,
            took,
        } = call;
        if self.traced {
            traces::answered(method, route, status);
        }
        self.calls.with_label_values(&[method, route, status]).inc();
        self.call_seconds
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    fn submitted(&self, result: SubmissionResult) {
        self.submissions.with_label_values(&[result.as_str()]).inc();
    }

    fn made_from(&self, origin: TemplateOrigin, messages: u64) {
        let origin = self.templates.with_label_values(&[origin.as_str()]);
        origin.inc_by(messages);
    }

    fn rows_submitted(&self, result: SubmissionResult, rows: u64) {
        self.rows.with_label_values(&[result.as_str()]).inc_by(rows);
    }

    fn event_received(&self, topic: EventTopic, result: EventResult) {
        let labels = [topic.as_str(), result.as_str()];
        self.received.with_label_values(&labels).inc();
    }

    fn begins(&self, span: &Span, traceparent: Option<&str>) {
        if self.traced {
            traces::follow(span, traceparent);
        }
    }

    fn traceparent(&self, span: &Span) -> Option<String> {
        self.traced.then(|| traces::traceparent(span))?
    }

    async fn scrape(&self) -> String {
        let gauges = self.gauges.read().await;
        let families = [self.registry.gather(), self.process.gather()].concat();
        let counters = prometheus::TextEncoder::new().encode_to_string(&families);
        counters.unwrap_or_else(|error| {
            tracing::error!("the counters cannot be shown: {error}");
            String::new()
        }) + &gauges
    }
}

/// Makes and registers counters.
struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        let counter = IntCounter::new(name, help)?;
        self.0.register(Box::new(counter.clone()))?;
        Ok(counter)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(counters.clone()))?;
        Ok(counters)
    }

    fn histogram(&self, name: &str, help: &str, seconds: &[f64]) -> prometheus::Result<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(seconds.to_vec());
        let histogram = Histogram::with_opts(options)?;
        self.0.register(Box::new(histogram.clone()))?;
        Ok(histogram)
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        seconds: &[f64],
        labels: &[&str],
    ) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(seconds.to_vec());
        let histograms = HistogramVec::new(options, labels)?;
        self.0.register(Box::new(histograms.clone()))?;
        Ok(histograms)
    }
}
