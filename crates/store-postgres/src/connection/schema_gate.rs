use std::sync::Arc;
use std::time::Duration;

use domain::ports::StoreError;
use tokio::sync::watch;

use super::StoreResult;

/// How long a question waits for the schema: the 5 seconds of a caller, less the time for the question
/// itself.
const PATIENCE: Duration = Duration::from_millis(4_300);

/// Holds questions back until the schema is the one that their statements are written for. Open by default.
#[derive(Clone)]
pub(crate) struct SchemaGate(Arc<watch::Sender<bool>>);

impl Default for SchemaGate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }
}

impl SchemaGate {
    pub(crate) fn close(&self) {
        self.0.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the gate is open, for a limited time.
    pub(crate) async fn passed(&self) -> StoreResult<()> {
        if *self.0.borrow() {
            return Ok(());
        }
        let mut state = self.0.subscribe();
        let opened = tokio::time::timeout(PATIENCE, state.wait_for(|is_open| *is_open)).await;
        match opened {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Unavailable(
                "the database is not up to date yet".into(),
            )),
        }
    }
}
