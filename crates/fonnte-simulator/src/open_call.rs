//! A call in progress.

use std::borrow::Cow;
use std::sync::Arc;

use crate::call::CallOutcome;
use crate::shared::Shared;

/// Records one call; dropped early, it records that the client left.
pub(crate) struct OpenCall {
    shared: Arc<Shared>,
    seq: u64,
    counts_in_flight: bool,
    token: Option<Arc<str>>,
    outcome: CallOutcome,
}

impl OpenCall {
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        endpoint: Cow<'static, str>,
        token: Option<Arc<str>>,
        counts_in_flight: bool,
    ) -> Self {
        let seq = shared.change(|world| {
            world.admit(token.as_deref());
            if counts_in_flight && let Some(token) = &token {
                world.enter(token);
            }
            world.record_call(endpoint, token.clone())
        });
        let shared = Arc::clone(shared);
        Self {
            shared,
            seq,
            counts_in_flight,
            token,
            outcome: CallOutcome::ClientLeft,
        }
    }

    pub(crate) fn end(mut self, outcome: CallOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.shared.change(|world| {
            if self.counts_in_flight
                && let Some(token) = &self.token
            {
                world.leave(token);
            }
            world.end_call(self.seq, self.outcome);
        });
    }
}
