//! The loop that erases old personal data, a few rows at a time.

use std::sync::Arc;
use std::time::Duration;

use domain::persons::{Erased, Sweep};
use domain::usecases::DataSubjectRequests;

use super::failures::Failures;

/// The pause between two steps, so that a pass adds little load (chosen).
const PAUSE: Duration = Duration::from_millis(100);

/// The pause between two passes (chosen).
const AGAIN: Duration = Duration::from_secs(6 * 3_600);

/// Back-off when the database does not answer.
const REST: Duration = Duration::from_secs(30);

/// The loop.
pub(crate) struct Retention {
    persons: Arc<DataSubjectRequests>,
    days: u32,
}

impl Retention {
    pub(crate) fn new(persons: Arc<DataSubjectRequests>, days: u32) -> Self {
        Self { persons, days }
    }

    /// Runs for ever. An interrupted step erases nothing or all of its rows.
    pub(crate) async fn run(self) {
        loop {
            self.pass().await;
            // Jitter, because copies may have started together.
            tokio::time::sleep(AGAIN.mul_f64(rand::random_range(0.9..1.1))).await;
        }
    }

    async fn pass(&self) {
        let failures = Failures::of("cannot erase old personal data yet");
        let mut all = Erased::default();
        let mut from = Some(Sweep::BEGIN);
        while let Some(at) = from {
            match self.persons.sweep(self.days, at).await {
                Ok((erased, next)) => {
                    failures.over();
                    all.add(erased);
                    if !erased.is_nothing() {
                        log(erased, "old personal data erased");
                    }
                    from = next;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    failures.of_store(&error);
                    tokio::time::sleep(REST).await;
                }
            }
        }
        log(all, "looked for old personal data");
    }
}

fn log(erased: Erased, what: &str) {
    tracing::info!(
        erased.requests = erased.requests,
        erased.messages = erased.messages,
        erased.events = erased.events,
        erased.replies = erased.replies,
        "{what}"
    );
}
