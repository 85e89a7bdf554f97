use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store_postgres::{PgStore, Refusal};

use super::failures::Failures;

/// The intervals of the trial, and of the trial while it is refused: readiness is promised to turn red within
/// 60 seconds.
const AGAIN: Duration = Duration::from_secs(10);
const AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(3);

/// The refusal of the last trial, if any.
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

    /// Runs the trial in a loop. A database that does not answer is no refusal; other checks report it.
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
            // Jitter, because copies may have started together.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))).await;
        }
    }
}
