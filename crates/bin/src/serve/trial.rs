use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store_postgres::{PgStore, Refusal};

use super::failures::Failures;

/// How often the database is tried out, and how often while it refuses: readiness is promised to turn
/// red within 60 seconds.
const AGAIN: Duration = Duration::from_secs(10);
const AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(3);

/// What the database refused of the service's work when it was tried out last.
#[derive(Clone, Default)]
pub(crate) struct LatestTrial(Arc<Mutex<Option<Refusal>>>);

impl LatestTrial {
    /// Whether the database takes submissions and settlements, as far as is known.
    pub(crate) fn is_well(&self) -> bool {
        self.refusal().is_none()
    }

    fn refusal(&self) -> Option<Refusal> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tries it out again and again. A database that does not answer has refused nothing; other checks tell
    /// of that.
    pub(crate) async fn keep(self, store: PgStore) {
        let failures = Failures::of("the database refuses the service's work");
        loop {
            let refusal = store.try_out().await.ok().and_then(Result::err);
            let pause = match &refusal {
                Some(refusal) => {
                    failures.note(&refusal.to_string());
                    AGAIN_AFTER_REFUSAL
                }
                None => {
                    failures.over();
                    AGAIN
                }
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
            // Copies that started together need not try it out together.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
        }
    }
}
