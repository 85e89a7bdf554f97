//! Shared steps of the contracts on a [`Stage`].

use std::time::Duration;

use domain::access::Visibility;
use domain::delivery::{LaneChange, MessageChange, OutcomeKind, Receipt};
use domain::ports::{
    Attempt, CallEnd, Claim, Lease, OutboxMessage, Settled, Settlement, Task, WorkerId,
};
use domain::requests::{NewRequest, Request, RequestId};
use domain::values::DealerId;
use uuid::Uuid;

use super::{Stage, StoredMessage};
use crate::sample;

/// The lease of a lane in contracts: longer than any test takes on a slow machine.
pub(super) const LEASE: Duration = Duration::from_secs(600);

/// Longer than any other time in the contracts.
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// Ready at once.
pub(super) const READY: LaneChange = LaneChange::Ready {
    pause: Duration::ZERO,
};

/// A pause that says nothing about the account.
pub(super) const UNCHANGED: LaneChange = LaneChange::Unchanged {
    pause: Duration::ZERO,
};

impl Stage {
    /// Stores the `n`th request of a dealer.
    pub(super) async fn queue(&self, dealer: &DealerId, n: u32) -> NewRequest {
        let request = sample::request_for(dealer, n);
        self.requests.accept(&request).await.expect("accept");
        request
    }

    pub(super) async fn claim_up_to(&self, limit: usize) -> Vec<Claim> {
        let worker = WorkerId(Uuid::now_v7());
        self.outbox
            .claim(worker, limit, LEASE)
            .await
            .expect("claim")
    }

    pub(super) async fn claim_all(&self) -> Vec<Claim> {
        self.claim_up_to(100).await
    }

    /// Claims all lanes, of which exactly one has a task.
    pub(super) async fn claim(&self) -> Claim {
        let mut claims = self.claim_all().await;
        assert_eq!(claims.len(), 1, "one lane has something to do: {claims:?}");
        claims.remove(0)
    }

    pub(super) async fn assert_nothing_to_claim(&self) {
        let claims = self.claim_all().await;
        assert!(claims.is_empty(), "nobody has anything to do: {claims:?}");
    }

    pub(super) async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Settled {
        self.outbox.settle(lease, settlement).await.expect("settle")
    }

    pub(super) async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
    ) -> (Settled, Option<Claim>) {
        let worker = WorkerId(Uuid::now_v7());
        self.outbox
            .settle_and_claim(lease, settlement, worker, LEASE)
            .await
            .expect("settle_and_claim")
    }

    /// Settles a claim with a valid lease and claims the lane's next message.
    pub(super) async fn go_on(
        &self,
        claim: &Claim,
        change: MessageChange,
        lane: LaneChange,
    ) -> Option<Claim> {
        let settlement = settlement(claim, change, lane);
        let (settled, next) = self.settle_and_claim(&claim.lease, &settlement).await;
        assert_eq!(settled, Settled::Applied);
        next
    }

    /// Settles a claim with a valid lease.
    pub(super) async fn settle_now(&self, claim: &Claim, change: MessageChange, lane: LaneChange) {
        let settled = self
            .settle(&claim.lease, &settlement(claim, change, lane))
            .await;
        assert_eq!(settled, Settled::Applied);
    }

    /// Settles a probe, or a call without a message.
    pub(super) async fn settle_lane(&self, lease: &Lease, lane: LaneChange) -> Settled {
        let settlement = Settlement {
            message: None,
            account_fingerprint: fingerprint_of(&lane),
            lane,
            attempt: None,
            called: false,
            call: None,
        };
        self.settle(lease, &settlement).await
    }

    /// Settles a call without a message.
    pub(super) async fn settle_call(&self, lease: &Lease, call: CallEnd) -> Settled {
        let settlement = Settlement {
            message: None,
            account_fingerprint: None,
            lane: UNCHANGED,
            attempt: None,
            called: false,
            call: Some(call),
        };
        self.settle(lease, &settlement).await
    }

    pub(super) async fn lease_lane(&self, dealer: &DealerId) -> Option<Lease> {
        let worker = WorkerId(Uuid::now_v7());
        self.outbox
            .begin_call(dealer, worker, LEASE)
            .await
            .expect("begin_call")
    }

    pub(super) async fn next_due(&self) -> Option<Duration> {
        self.outbox.next_due().await.expect("next_due")
    }

    pub(super) async fn pass(&self, time: Duration) {
        self.backstage.pass(time).await;
    }

    pub(super) async fn request(&self, id: RequestId) -> Request {
        let found = self
            .requests
            .find(id, &Visibility::All)
            .await
            .expect("find");
        found.expect("the request is stored")
    }

    pub(super) async fn message(&self, id: RequestId) -> StoredMessage {
        let found = self.backstage.message(id).await;
        found.expect("the message is stored")
    }

    /// `request_status` and `whatsapp_status` as shown.
    pub(super) async fn statuses(&self, id: RequestId) -> (String, String) {
        let request = self.request(id).await;
        (request.request_status, request.whatsapp_status)
    }

    /// Opens the breaker of a dealer with one queued message.
    pub(super) async fn block(&self, pause: Duration) -> Claim {
        let claim = self.claim().await;
        self.settle_now(&claim, MessageChange::Requeued, blocked(pause))
            .await;
        claim
    }
}

/// A settlement with the attempt that fits the change.
pub(super) fn settlement(claim: &Claim, change: MessageChange, lane: LaneChange) -> Settlement {
    let attempt = attempt(&change, &lane);
    Settlement {
        message: Some((message_of(claim).id, change)),
        account_fingerprint: fingerprint_of(&lane),
        lane,
        attempt: Some(attempt),
        called: true,
        call: None,
    }
}

pub(super) fn message_of(claim: &Claim) -> &OutboxMessage {
    match &claim.task {
        Task::Send(message) | Task::Recover(message) => message,
        Task::Probe => panic!("a probe has no message: {claim:?}"),
    }
}

/// The message of a claim to send it.
pub(super) fn to_send(claim: &Claim) -> &OutboxMessage {
    match &claim.task {
        Task::Send(message) => message,
        other => panic!("a message is to be sent: {other:?}"),
    }
}

/// The message of a claim to recover it.
pub(super) fn to_recover(claim: &Claim) -> &OutboxMessage {
    match &claim.task {
        Task::Recover(message) => message,
        other => panic!("a message is to be recovered: {other:?}"),
    }
}

pub(super) fn sent() -> MessageChange {
    MessageChange::Sent(Receipt {
        message_id: Some("142223099".to_owned()),
        request_id: Some(369_052_479),
        detail: "success! message in queue".to_owned(),
        quota_left: None,
    })
}

pub(super) fn failed() -> MessageChange {
    MessageChange::Failed {
        reason: "target invalid".to_owned(),
    }
}

pub(super) fn unknown() -> MessageChange {
    MessageChange::Unknown {
        reason: "timeout".to_owned(),
    }
}

pub(super) fn waiting(pause: Duration) -> LaneChange {
    LaneChange::Waiting { pause }
}

pub(super) fn blocked(pause: Duration) -> LaneChange {
    LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause,
        reason: "invalid token".to_owned(),
    }
}

/// The fingerprint of the sample account.
pub(super) const FINGERPRINT: &str = "0123456789abcdef";

/// Whether a time is as expected, or a little longer because the store's clock goes on.
pub(super) fn assert_since(actual: Duration, expected: Duration) {
    assert!(
        actual >= expected && actual < expected + Duration::from_secs(60),
        "about {expected:?} have passed: {actual:?}"
    );
}

/// Whether a wait is as expected, or a little shorter because the store's clock goes on.
pub(super) fn assert_until(actual: Option<Duration>, expected: Duration) {
    let close = actual
        .is_some_and(|actual| actual <= expected && actual + Duration::from_secs(60) > expected);
    assert!(close, "about {expected:?} are left: {actual:?}");
}

fn fingerprint_of(lane: &LaneChange) -> Option<String> {
    matches!(lane, LaneChange::Blocked { .. }).then(|| FINGERPRINT.to_owned())
}

fn attempt(change: &MessageChange, lane: &LaneChange) -> Attempt {
    let (outcome, detail, answer) = match (change, lane) {
        (MessageChange::Sent(receipt), _) => (
            OutcomeKind::Accepted,
            receipt.detail.as_str(),
            sample::ANSWER,
        ),
        (MessageChange::Failed { reason }, _) => (
            OutcomeKind::Refused,
            reason.as_str(),
            r#"{"reason":"target invalid","status":false}"#,
        ),
        (
            MessageChange::Requeued | MessageChange::Suspected,
            LaneChange::Blocked { reason, .. },
        ) => (
            OutcomeKind::Blocked,
            reason.as_str(),
            r#"{"reason":"invalid token","status":false}"#,
        ),
        (MessageChange::Requeued, _) => (
            OutcomeKind::NotSent,
            "connection refused",
            r#"{"error":"connection_error"}"#,
        ),
        _ => (OutcomeKind::Unknown, "timeout", r#"{"error":"timeout"}"#),
    };
    Attempt {
        outcome,
        detail: detail.to_owned(),
        duration: Duration::from_millis(120),
        answer: Some(answer.to_owned()),
    }
}
