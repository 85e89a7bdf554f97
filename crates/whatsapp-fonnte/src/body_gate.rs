//! Proves whether a request left this machine.
//!
//! An error of the HTTP client does not always say whether the request was written. The body does: the client
//! must fetch it before the request is complete, and a provider cannot act without it. So the body passes a
//! gate: at most once, not after `start_by`, and not after the gate was shut.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use http_body::{Body, Frame, SizeHint};

const OPEN: u8 = 0;
const PASSED: u8 = 1;
const SHUT: u8 = 2;

/// The gate of one request's body.
#[derive(Debug, Clone)]
pub(crate) struct BodyGate {
    state: Arc<AtomicU8>,
    start_by: Instant,
}

/// The body did not pass its gate.
#[derive(Debug, thiserror::Error)]
#[error("it was too late to begin the call")]
pub(crate) struct TooLate;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl BodyGate {
    /// An open gate; no body passes at `start_by` or later.
    pub(crate) fn new(start_by: Instant) -> Self {
        Self {
            state: Arc::new(AtomicU8::new(OPEN)),
            start_by,
        }
    }

    /// A body that must pass this gate.
    pub(crate) fn guard(&self, body: String) -> reqwest::Body {
        reqwest::Body::wrap(Guarded {
            inner: body.into(),
            gate: self.clone(),
            passed: false,
        })
    }

    /// Shuts the gate. Returns whether the body had passed; if not, it never will.
    pub(crate) fn shut(&self) -> bool {
        self.leave_open_for(SHUT) == Err(PASSED)
    }

    fn pass(&self) -> Result<(), TooLate> {
        if Instant::now() >= self.start_by {
            self.shut();
        }
        self.leave_open_for(PASSED).map_err(|_| TooLate)
    }

    fn leave_open_for(&self, state: u8) -> Result<(), u8> {
        self.state
            .compare_exchange(OPEN, state, Ordering::SeqCst, Ordering::SeqCst)
            .map(drop)
    }
}

struct Guarded {
    inner: reqwest::Body,
    gate: BodyGate,
    passed: bool,
}

impl Body for Guarded {
    type Data = <reqwest::Body as Body>::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        if !self.passed {
            if let Err(too_late) = self.gate.pass() {
                return Poll::Ready(Some(Err(too_late.into())));
            }
            self.passed = true;
        }
        Pin::new(&mut self.inner)
            .poll_frame(cx)
            .map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    // The exact length: without it the request would be chunked.
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_gate_is_passed_once_at_most_and_remembers_it() {
        let gate = BodyGate::new(later());
        assert!(gate.pass().is_ok());
        assert!(gate.pass().is_err());
        assert!(gate.shut(), "it had been passed");
    }

    #[test]
    fn a_shut_gate_is_never_passed() {
        let gate = BodyGate::new(later());
        assert!(!gate.shut());
        assert!(gate.pass().is_err());
        assert!(!gate.shut(), "still not passed");
    }

    #[test]
    fn a_gate_is_not_passed_too_late() {
        let gate = BodyGate::new(Instant::now());
        assert!(gate.pass().is_err());
        assert!(!gate.shut());
    }
}
