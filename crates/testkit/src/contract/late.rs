//! Promises about late, repeated and concurrent settlements: without the lease nothing is settled, and still
//! no answer of the provider is lost.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::{LaneChange, MessageChange, OutcomeKind};
use domain::ports::{Claim, DateRange, Settled};
use domain::requests::{MessageState, RequestId};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Stage;
use super::acts::{
    HOUR, LEASE, READY, UNCHANGED, blocked, failed, sent, settlement, to_recover, to_send, unknown,
};
use crate::sample;

const SECOND: Duration = Duration::from_secs(1);

/// An expired lease is valid until another copy leases the lane.
pub async fn a_late_settlement_counts_while_nobody_took_the_lane(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    stage.pass(LEASE + SECOND).await;
    stage.settle_now(&claim, failed(), READY).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Failed);
    stage.assert_nothing_to_claim().await;
}

/// Neither message nor lane changes.
pub async fn whoever_lost_the_lease_cannot_settle(stage: &Stage) {
    let changes = [
        failed(),
        MessageChange::Requeued,
        MessageChange::Resend { wait: HOUR },
        unknown(),
        MessageChange::Expired,
    ];
    for (n, change) in (1..).zip(changes) {
        let (request, late, current) = taken_over(stage, n).await;
        let before = (stage.request(request).await, stage.message(request).await);
        let settled = settle(stage, &late, change.clone(), blocked(HOUR)).await;
        assert_eq!(settled, Settled::LeaseLost, "{change:?}");
        let after = (stage.request(request).await, stage.message(request).await);
        assert_eq!(after, before, "{change:?}");
        stage.assert_nothing_to_claim().await;
        stage.settle_now(&current, failed(), READY).await;
    }
    let lanes = stage.outbox.blocked_lanes().await.expect("blocked_lanes");
    assert_eq!(lanes, []);
}

/// The provider's answer is stored all the same.
pub async fn a_late_answer_is_kept_as_evidence(stage: &Stage) {
    let (request, late, current) = taken_over(stage, 1).await;
    settle(stage, &late, failed(), READY).await;
    stage.settle_now(&current, unknown(), UNCHANGED).await;
    let attempts = stage.backstage.attempts(request).await;
    let kinds: Vec<_> = attempts
        .iter()
        .map(|made| (made.epoch, made.outcome))
        .collect();
    assert_eq!(
        kinds,
        [
            (late.lease.epoch, OutcomeKind::Refused),
            (current.lease.epoch, OutcomeKind::Unknown)
        ]
    );
}

/// The other copy settled it as unknown; the late answer proves that it was sent.
pub async fn late_acceptance_lifts_an_unknown_message_to_sent(stage: &Stage) {
    let (request, late, current) = taken_over(stage, 1).await;
    stage.settle_now(&current, unknown(), UNCHANGED).await;
    assert_eq!(stage.message(request).await.state, MessageState::Unknown);
    accept_late(stage, &late).await;
    assert_sent(stage, request).await;
}

/// The other copy queued it again; it is not sent twice.
pub async fn late_acceptance_takes_a_message_out_of_the_queue(stage: &Stage) {
    let (request, late, current) = taken_over(stage, 1).await;
    stage
        .settle_now(&current, MessageChange::Resend { wait: HOUR }, UNCHANGED)
        .await;
    accept_late(stage, &late).await;
    assert_sent(stage, request).await;
    stage.pass(HOUR).await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.next_due().await, None);
}

/// It expired meanwhile.
pub async fn late_acceptance_lifts_an_expired_message_to_sent(stage: &Stage) {
    let (request, late, current) = taken_over(stage, 1).await;
    stage
        .settle_now(&current, MessageChange::Requeued, UNCHANGED)
        .await;
    stage.pass(HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR / 2).await.expect("expire"), 1);
    assert_eq!(stage.message(request).await.state, MessageState::Expired);
    accept_late(stage, &late).await;
    assert_sent(stage, request).await;
}

/// FAILED, under another lease, has a higher rank than SENT.
pub async fn late_acceptance_does_not_lift_a_failed_message(stage: &Stage) {
    let (request, late, current) = taken_over(stage, 1).await;
    stage.settle_now(&current, failed(), READY).await;
    let before = stage.request(request).await;
    accept_late(stage, &late).await;
    assert_eq!(stage.message(request).await.state, MessageState::Failed);
    assert_eq!(stage.request(request).await, before);
}

/// The other copy's settlement then leaves the message alone and releases the lane.
pub async fn late_acceptance_goes_before_the_settlement_of_the_other_copy(stage: &Stage) {
    let changes = [
        unknown(),
        MessageChange::Resend { wait: HOUR },
        MessageChange::Requeued,
        failed(),
    ];
    for (n, change) in (1..).zip(changes) {
        let (request, late, current) = taken_over(stage, n).await;
        accept_late(stage, &late).await;
        assert_sent(stage, request).await;
        // This does not release the lane.
        stage.queue(&late.lease.dealer_id, 1_000 + n).await;
        stage.assert_nothing_to_claim().await;
        let settled = settle(stage, &current, change.clone(), UNCHANGED).await;
        assert_eq!(settled, Settled::Applied, "{change:?}");
        assert_sent(stage, request).await;
        assert_eq!(stage.message(request).await.unknowns, 0, "{change:?}");
        assert_eq!(stage.backstage.attempts(request).await.len(), 2);
        let next = stage.claim().await;
        to_send(&next);
        stage.settle_now(&next, sent(), READY).await;
    }
}

/// Only the message changes.
pub async fn late_acceptance_does_not_touch_the_lane(stage: &Stage) {
    let (_, late, current) = taken_over(stage, 1).await;
    stage.settle_now(&current, unknown(), UNCHANGED).await;
    stage.queue(&late.lease.dealer_id, 1_001).await;
    let rest = LaneChange::Ready { pause: HOUR };
    assert_eq!(settle(stage, &late, sent(), rest).await, Settled::LeaseLost);
    to_send(&stage.claim().await);
}

/// Statistics follow the evidence.
pub async fn late_acceptance_is_counted(stage: &Stage) {
    let (_, late, current) = taken_over(stage, 1).await;
    stage.settle_now(&current, unknown(), UNCHANGED).await;
    let dealer = &late.lease.dealer_id;
    let count = || stage.reports.stats(dealer, DateRange::default());
    assert_eq!(count().await.expect("stats").failed, 1);
    accept_late(stage, &late).await;
    let stats = count().await.expect("stats");
    assert_eq!((stats.failed, stats.sent), (0, 1));
    assert_eq!((stats.failed_requests, stats.processed_requests), (0, 1));
}

/// A repetition after a lost answer changes nothing.
pub async fn settling_twice_changes_nothing_twice(stage: &Stage) {
    let changes = [
        sent(),
        failed(),
        unknown(),
        MessageChange::Resend {
            wait: Duration::ZERO,
        },
        MessageChange::Requeued,
    ];
    for (n, change) in (1..).zip(changes) {
        let dealer = sample::dealer_id_numbered(n);
        let request = stage.queue(&dealer, n).await.id;
        let claim = stage.claim().await;
        stage.settle_now(&claim, change.clone(), UNCHANGED).await;
        let before = (stage.request(request).await, stage.message(request).await);
        let again = settle(stage, &claim, change.clone(), blocked(HOUR)).await;
        assert_eq!(again, Settled::LeaseLost, "{change:?}");
        let after = (stage.request(request).await, stage.message(request).await);
        assert_eq!(after, before, "{change:?}");
        assert_eq!(stage.backstage.attempts(request).await.len(), 1);
        // The lane is unchanged, with or without further messages.
        if before.1.state == MessageState::Queued {
            let claim = stage.claim().await;
            stage.settle_now(&claim, sent(), READY).await;
        } else {
            stage.assert_nothing_to_claim().await;
        }
    }
}

/// Of concurrent repetitions one is applied.
pub async fn one_of_many_settlements_at_once_is_applied(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    let mut callers = JoinSet::new();
    let together = Arc::new(Barrier::new(8));
    for _ in 0..8 {
        let (stage, together, claim) = (stage.clone(), together.clone(), claim.clone());
        callers.spawn(async move {
            together.wait().await;
            settle(&stage, &claim, MessageChange::Requeued, UNCHANGED).await
        });
    }
    let answers = callers.join_all().await;
    let applied = |settled: &&Settled| **settled == Settled::Applied;
    assert_eq!(answers.iter().filter(applied).count(), 1, "{answers:?}");
    assert_eq!(stage.backstage.attempts(request).await.len(), 1);
    assert_eq!(stage.message(request).await.state, MessageState::Queued);
}

/// A concurrent settlement of another copy does not hinder it: the message ends as SENT.
pub async fn late_acceptance_wins_against_a_settlement_at_the_same_moment(stage: &Stage) {
    for n in 1..=8 {
        let (request, late, current) = taken_over(stage, n).await;
        let together = Barrier::new(2);
        let (late_one, other) = tokio::join!(
            async {
                together.wait().await;
                settle(stage, &late, sent(), READY).await
            },
            async {
                together.wait().await;
                settle(stage, &current, unknown(), UNCHANGED).await
            }
        );
        assert_eq!((late_one, other), (Settled::LeaseLost, Settled::Applied));
        assert_sent(stage, request).await;
        assert_eq!(stage.backstage.attempts(request).await.len(), 2);
    }
}

/// Settlements of different lanes in one batch are independent.
pub async fn settlements_of_many_lanes_at_once_are_all_applied(stage: &Stage) {
    let mut requests = Vec::new();
    for n in 0..20 {
        let dealer = sample::dealer_id_numbered(n);
        requests.push(stage.queue(&dealer, n).await.id);
    }
    let mut callers = JoinSet::new();
    for claim in stage.claim_all().await {
        let stage = stage.clone();
        callers.spawn(async move { settle(&stage, &claim, sent(), READY).await });
    }
    assert_eq!(callers.join_all().await, [Settled::Applied; 20]);
    for request in requests {
        assert_sent(stage, request).await;
    }
}

/// Without a message the epoch protects the lane as well.
pub async fn a_lost_lease_of_a_lane_cannot_be_settled(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lost = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.pass(LEASE + SECOND).await;
    let current = stage.lease_lane(&dealer).await.expect("the lane is free");
    let late = stage.settle_lane(&lost, blocked(HOUR)).await;
    assert_eq!(late, Settled::LeaseLost);
    assert_eq!(stage.lease_lane(&dealer).await, None);
    assert_eq!(stage.settle_lane(&current, READY).await, Settled::Applied);
    let again = stage.settle_lane(&current, blocked(HOUR)).await;
    assert_eq!(again, Settled::LeaseLost);
    stage.queue(&dealer, 1).await;
    to_send(&stage.claim().await);
}

/// A message in its own lane, whose slow first copy lost the lease to a second one.
async fn taken_over(stage: &Stage, n: u32) -> (RequestId, Claim, Claim) {
    let request = stage.queue(&sample::dealer_id_numbered(n), n).await;
    let late = stage.claim().await;
    stage.pass(LEASE + SECOND).await;
    let current = stage.claim().await;
    assert_eq!(to_recover(&current).request_id, request.id);
    (request.id, late, current)
}

async fn settle(stage: &Stage, claim: &Claim, change: MessageChange, lane: LaneChange) -> Settled {
    stage
        .settle(&claim.lease, &settlement(claim, change, lane))
        .await
}

async fn accept_late(stage: &Stage, late: &Claim) {
    let settled = settle(stage, late, sent(), READY).await;
    assert_eq!(settled, Settled::LeaseLost);
}

/// Message and request show the provider's acceptance.
async fn assert_sent(stage: &Stage, request: RequestId) {
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Sent);
    assert_eq!(message.provider_message_id.as_deref(), Some("142223099"));
    assert_eq!(message.provider_request_id, Some(369_052_479));
    let shown = stage.request(request).await;
    assert_eq!(shown.request_status, "PROCESSED");
    assert_eq!(shown.whatsapp_status, "SENT");
    assert_eq!(shown.provider_answer.as_deref(), Some(sample::ANSWER));
    assert_eq!(
        shown.last_modified_by.as_deref(),
        Some(domain::requests::CHANGED_BY)
    );
}
