//! Fault injection for tests: steps around the ports at which this process kills or freezes itself.
//!
//! `FAULT_AT` names the step, `FAULT_PASS` the pass through it (default 1), and `FAULT_SIGNAL=STOP` freezes
//! instead of killing. `FAULT_CLOCK_SECONDS` is the error of this machine's clock.
#![expect(
    clippy::disallowed_methods,
    reason = "a test tells it by variables where to fail"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use domain::access::Visibility;
use domain::ports::{
    Accepted, BlockedLane, Claim, DeviceReport, KeyUse, Lease, Outbox, OutgoingMessage,
    RequestStore, SendReport, Settled, Settlement, StoreError, Whatsapp, WorkerId,
};
use domain::requests::{NewRequest, Request, RequestId};
use domain::values::{Account, DealerId, Once};
use nix::sys::signal::{Signal, raise};
use uuid::{NoContext, Timestamp, Uuid};

#[cfg(not(debug_assertions))]
compile_error!("fault-injection is for tests and has no place in a release");

/// How long a call has been in flight at the step `send-during`.
const DURING: Duration = Duration::from_millis(15);

/// An adapter with the named steps before and after its calls.
pub(crate) struct Faulty<T: ?Sized>(pub(crate) Arc<T>);

/// Passes a step, or kills or freezes the process there.
fn pass(step: &str) {
    static PASSED: AtomicU32 = AtomicU32::new(0);
    if std::env::var("FAULT_AT").as_deref() != Ok(step) {
        return;
    }
    let wanted = std::env::var("FAULT_PASS")
        .ok()
        .and_then(|pass| pass.parse().ok())
        .unwrap_or(1);
    if PASSED.fetch_add(1, Ordering::Relaxed) + 1 == wanted {
        let signal = match std::env::var("FAULT_SIGNAL").as_deref() {
            Ok("STOP") => Signal::SIGSTOP,
            _ => Signal::SIGKILL,
        };
        // To this thread, which then stops here; another thread might run on for a moment.
        raise(signal).expect("a thread may signal itself");
    }
}

/// The error of this machine's clock.
pub(crate) fn clock_difference() -> TimeDelta {
    let seconds = std::env::var("FAULT_CLOCK_SECONDS").ok();
    TimeDelta::seconds(seconds.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// A new id by the wrong clock.
pub(crate) fn new_id() -> Uuid {
    let now = Utc::now() + clock_difference();
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let at = Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos());
    Uuid::new_v7(at)
}

#[async_trait]
impl<T: RequestStore + ?Sized> RequestStore for Faulty<T> {
    async fn accept(&self, request: &NewRequest) -> Result<Accepted, StoreError> {
        pass("accept-before");
        let accepted = self.0.accept(request).await;
        pass("accept-after");
        accepted
    }

    async fn accept_all(&self, requests: &[NewRequest]) -> Vec<Result<Accepted, StoreError>> {
        pass("accept-all-before");
        let accepted = self.0.accept_all(requests).await;
        pass("accept-all-after");
        accepted
    }

    async fn key_uses(&self, uses: &[(DealerId, Once)]) -> Result<Vec<Option<KeyUse>>, StoreError> {
        self.0.key_uses(uses).await
    }

    async fn forget_old_keys(&self) -> Result<u64, StoreError> {
        self.0.forget_old_keys().await
    }

    async fn find(&self, id: RequestId, seen: &Visibility) -> Result<Option<Request>, StoreError> {
        self.0.find(id, seen).await
    }
}

#[async_trait]
impl<T: Whatsapp + ?Sized> Whatsapp for Faulty<T> {
    async fn send(
        &self,
        account: &Account,
        message: &OutgoingMessage,
        start_by: Instant,
    ) -> SendReport {
        pass("send-before");
        let during = async {
            tokio::time::sleep(DURING).await;
            pass("send-during");
            std::future::pending::<SendReport>().await
        };
        let report = tokio::select! {
            report = self.0.send(account, message, start_by) => report,
            report = during => report,
        };
        pass("send-after");
        report
    }

    async fn device(&self, account: &Account) -> DeviceReport {
        self.0.device(account).await
    }
}

#[async_trait]
impl<T: Outbox + ?Sized> Outbox for Faulty<T> {
    async fn claim(
        &self,
        worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let claims = self.0.claim(worker, limit, lease).await;
        // Most rounds find nothing; a kill there would test nothing.
        if claims.as_ref().is_ok_and(|claims| !claims.is_empty()) {
            pass("claim-after");
        }
        claims
    }

    async fn begin_call(
        &self,
        dealer: &DealerId,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.0.begin_call(dealer, worker, lease).await
    }

    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError> {
        pass("settle-before");
        let settled = self.0.settle(lease, settlement).await;
        pass("settle-after");
        settled
    }

    async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
        worker: WorkerId,
        next_lease: Duration,
    ) -> Result<(Settled, Option<Claim>), StoreError> {
        pass("settle-before");
        let settled = self
            .0
            .settle_and_claim(lease, settlement, worker, next_lease);
        let settled = settled.await;
        pass("settle-after");
        if let Ok((_, Some(_))) = &settled {
            pass("claim-after");
        }
        settled
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        self.0.next_due().await
    }

    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError> {
        self.0.expire(ttl).await
    }

    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError> {
        self.0.blocked_lanes().await
    }

    async fn unblock(&self, lane: &BlockedLane) -> Result<bool, StoreError> {
        self.0.unblock(lane).await
    }

    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError> {
        self.0.end_rest(dealer).await
    }
}
