//! Promises about messages that are too old to be sent.

use std::time::Duration;

use domain::delivery::MessageChange;
use domain::ports::{Settled, Settlement};
use domain::requests::MessageState;

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, sent, settlement, to_send, waiting};
use super::outcomes::pair;
use crate::sample;

/// It is never sent, and has a reason.
pub async fn a_message_that_became_too_old_expires(stage: &Stage) {
    let dealer = sample::dealer_id();
    let old = stage.queue(&dealer, 1).await.id;
    stage.pass(HOUR).await;
    let young = stage.queue(&dealer, 2).await.id;
    assert_eq!(expire(stage, HOUR / 2).await, 1);
    let message = stage.message(old).await;
    assert_eq!(message.state, MessageState::Expired);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(old).await, pair("FAILED", "FAILED"));
    let request = stage.request(old).await;
    assert_eq!(
        request.last_modified_by.as_deref(),
        Some(domain::requests::CHANGED_BY)
    );
    assert_eq!(stage.message(young).await.state, MessageState::Queued);
    assert_eq!(stage.statuses(young).await, pair("PENDING", "NOT_SENT"));
    assert_eq!(to_send(&stage.claim().await).request_id, young);
    assert_eq!(expire(stage, HOUR / 2).await, 0);
}

/// Customers must not get late messages after a long block.
pub async fn messages_of_a_paused_lane_expire_as_well(stage: &Stage) {
    let [blocked, waits] = [1, 2].map(sample::dealer_id_numbered);
    let first = stage.queue(&blocked, 1).await.id;
    stage.block(3 * HOUR).await;
    let second = stage.queue(&waits, 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, waiting(3 * HOUR))
        .await;
    stage.pass(2 * HOUR).await;
    assert_eq!(expire(stage, HOUR).await, 2);
    for request in [first, second] {
        assert_eq!(stage.message(request).await.state, MessageState::Expired);
    }
    assert_eq!(stage.next_due().await, None);
    stage.pass(2 * HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// A call is in flight; its settlement decides.
pub async fn a_message_being_sent_does_not_expire(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    assert_eq!(expire(stage, HOUR / 2).await, 0);
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(expire(stage, HOUR / 2).await, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// An earlier try may have reached the provider.
pub async fn an_old_message_that_may_have_been_sent_becomes_unknown(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Resend { wait: HOUR }, UNCHANGED)
        .await;
    stage.pass(HOUR / 2).await;
    assert_eq!(expire(stage, HOUR / 4).await, 1);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Unknown);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(request).await, pair("FAILED", "ERROR"));
    stage.pass(HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// By its settlement: it was claimed a moment too late.
pub async fn a_claimed_message_can_expire(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await.id;
    let claim = stage.claim().await;
    let settlement = Settlement {
        attempt: None,
        ..settlement(&claim, MessageChange::Expired, UNCHANGED)
    };
    let settled = stage.settle(&claim.lease, &settlement).await;
    assert_eq!(settled, Settled::Applied);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Expired);
    assert!(message.reason.is_some());
    assert_eq!(stage.statuses(request).await, pair("FAILED", "FAILED"));
    assert_eq!(stage.request(request).await.provider_answer, None);
}

async fn expire(stage: &Stage, ttl: Duration) -> u64 {
    stage.outbox.expire(ttl).await.expect("expire")
}
