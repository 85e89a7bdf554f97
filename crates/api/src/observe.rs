//! The API's events for metrics and traces. How these are counted, shown or traced is up to the observer.

use std::time::Duration;

use async_trait::async_trait;
use domain::events::EventTopic;
use domain::template::TemplateOrigin;
use domain::usecases::{EventError, EventReceived, IntakeError};
use tracing::Span;

use crate::problem::Problem;

/// An answered call. Holds patterns and fixed words only, nothing that a caller chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredCall<'a> {
    /// The method, or `OTHER`.
    pub method: &'static str,
    /// The route's pattern; `-` for an unknown path.
    pub route: &'a str,
    /// The HTTP status in digits.
    pub status: &'a str,
    /// The duration.
    pub took: Duration,
}

domain::named! {
    /// The result of a submission.
    pub enum SubmissionResult {
        /// It is stored, and its message queued.
        Stored = "stored",
        /// It was stored before, under the same key.
        Replayed = "replayed",
        /// No dealer has that number, or the dealer is not active.
        UnknownDealer = "unknown_dealer",
        /// The dealer has no account that could send.
        NotConfigured = "not_configured",
        /// It breaks rules, or is not JSON.
        Invalid = "invalid",
        /// Its key was used for another submission, or for one that is just being stored.
        KeyTaken = "key_taken",
        /// It was not stored, or the outcome is unknown.
        NotStored = "not_stored",
        /// It was refused for another reason.
        Other = "other",
    }
}

impl SubmissionResult {
    /// Whether it is stored, now or before.
    pub(crate) const fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Replayed)
    }

    pub(crate) fn of(problem: &Problem) -> Self {
        match problem {
            Problem::Invalid(_) => Self::Invalid,
            Problem::Intake(error) => match error {
                IntakeError::Invalid(_) => Self::Invalid,
                IntakeError::UnknownDealer | IntakeError::InactiveDealer => Self::UnknownDealer,
                IntakeError::NoAccount(_) => Self::NotConfigured,
                IntakeError::KeyReused | IntakeError::KeyInProgress => Self::KeyTaken,
                IntakeError::NotStored(_) => Self::NotStored,
                IntakeError::ForeignDealer => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

domain::named! {
    /// The result of a provider event.
    pub enum EventResult {
        /// It is stored and will be applied.
        Kept = "kept",
        /// It lacks the dealer's secret, or is no private message of a person.
        Ignored = "ignored",
        /// It is not JSON.
        NotJson = "not_json",
        /// Its webhook address is unknown.
        UnknownAddress = "unknown_address",
        /// It could not be stored.
        NotStored = "not_stored",
    }
}

impl EventResult {
    pub(crate) fn of(received: &Result<EventReceived, EventError>) -> Self {
        match received {
            Ok(EventReceived::Kept(_)) => Self::Kept,
            Ok(EventReceived::Ignored(_) | EventReceived::Foreign(_)) => Self::Ignored,
            Err(EventError::NotJson) => Self::NotJson,
            Err(EventError::UnknownAddress) => Self::UnknownAddress,
            Err(EventError::Store(_)) => Self::NotStored,
        }
    }
}

/// An observer of the API. All methods but [`scrape`](Self::scrape) are called while a caller waits, and must
/// not block.
#[async_trait]
pub trait Observer: Send + Sync {
    /// A call was answered.
    fn answered(&self, call: AnsweredCall<'_>);

    /// A submission ended.
    fn submitted(&self, result: SubmissionResult);

    /// So many messages were made from templates of this origin.
    fn made_from(&self, origin: TemplateOrigin, messages: u64);

    /// Something became of so many rows of a bulk call.
    fn rows_submitted(&self, result: SubmissionResult, rows: u64);

    /// A provider event was taken in, or not.
    fn event_received(&self, topic: EventTopic, result: EventResult);

    /// A call begins in this span; `traceparent` is the caller's (W3C Trace Context).
    fn begins(&self, span: &Span, traceparent: Option<&str>);

    /// The `traceparent` of a span, where calls are traced.
    fn traceparent(&self, span: &Span) -> Option<String>;

    /// All metrics as Prometheus text. Takes a second at most.
    async fn scrape(&self) -> String;
}

/// Ignores everything.
pub(crate) struct Unobserved;

#[async_trait]
impl Observer for Unobserved {
    fn answered(&self, _: AnsweredCall<'_>) {}

    fn submitted(&self, _: SubmissionResult) {}

    fn made_from(&self, _: TemplateOrigin, _: u64) {}

    fn rows_submitted(&self, _: SubmissionResult, _: u64) {}

    fn event_received(&self, _: EventTopic, _: EventResult) {}

    fn begins(&self, _: &Span, _: Option<&str>) {}

    fn traceparent(&self, _: &Span) -> Option<String> {
        None
    }

    async fn scrape(&self) -> String {
        String::new()
    }
}
