//! Promises about the wait for evidence of an unknown outcome: only what belongs to no other message
//! is evidence, and nothing ends the wait early.

use std::time::Duration;

use domain::{LaneChange, MessageChange, MessageState, News, RequestId, Settled, Task};

use super::Stage;
use super::acts::{HOUR, READY, settlement, to_recover, unknown, waiting};
use super::events::{accepted, awaited, by_id, by_state_id, news, sent};
use crate::sample;

/// A number may be known and still higher than the latest one of the lane: an acceptance that came
/// too late for its lease does not touch the lane.
pub async fn an_event_of_a_known_message_is_no_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    let known = accepted_late(stage, "150").await;
    let request = awaited(stage, 3).await;
    // Nobody has looked at the second event when the first one asks for evidence.
    stage.keep(by_id("99", MessageState::Sent)).await;
    stage.keep(by_id("150", MessageState::Read)).await;
    assert_eq!(apply_one(stage).await, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.apply().await;
    assert_eq!(stage.message(known).await.state, MessageState::Read);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.keep(by_id("151", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 1);
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// A message that is known by its state's id may have been sent under another number.
pub async fn a_state_id_that_is_known_is_no_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    stage.keep(news(Some("100"), Some("3EB0"), None)).await;
    stage.apply().await;
    let request = awaited(stage, 2).await;
    stage.keep(by_state_id("3EB1", MessageState::Sent)).await;
    let other = news(Some("101"), Some("3EB0"), Some(MessageState::Sent));
    stage.keep(other).await;
    assert_eq!(apply_one(stage).await, 0);
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
}

/// The breaker was open and half closed when the outcome of the first message stayed unknown.
pub async fn a_connected_device_does_not_end_a_wait_for_evidence(stage: &Stage) {
    let request = awaited_behind_a_breaker(stage).await;
    stage.keep(News::Device { connected: true }).await;
    assert_eq!(stage.apply().await.freed, 1);
    assert_wait_lasts(stage, request).await;
}

/// Neither does a changed account.
pub async fn closing_a_breaker_does_not_end_a_wait_for_evidence(stage: &Stage) {
    let request = awaited_behind_a_breaker(stage).await;
    let lane = stage.outbox.blocked_lanes().await.expect("blocked_lanes");
    let closed = stage.outbox.unblock(&lane[0]).await;
    assert!(closed.expect("unblock"));
    assert_wait_lasts(stage, request).await;
}

/// A test message would be taken for the latest one, and the evidence for older than that.
pub async fn a_lane_that_waits_for_evidence_cannot_be_leased(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    let strike = waiting(Duration::ZERO);
    stage
        .settle_now(&claim, MessageChange::Requeued, strike)
        .await;
    await_next(stage).await;
    assert_eq!(stage.lease_lane(&dealer).await, None);
    stage.pass(HOUR).await;
    assert!(stage.lease_lane(&dealer).await.is_some());
}

/// Applies the first event alone and returns how many lanes that freed.
async fn apply_one(stage: &Stage) -> u64 {
    let applied = stage.events.apply(1, Duration::ZERO).await;
    applied.expect("apply").freed
}

/// A message whose acceptance came after another copy had taken its lane.
async fn accepted_late(stage: &Stage, id: &str) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let lost = stage.claim().await;
    stage.pass(HOUR).await;
    let taken = stage.claim().await;
    stage.settle_now(&taken, unknown(), READY).await;
    let late = settlement(&lost, accepted(id), READY);
    assert_eq!(stage.settle(&lost.lease, &late).await, Settled::LeaseLost);
    request.id
}

/// A message whose outcome is waited for after its breaker was found to be no hindrance.
async fn awaited_behind_a_breaker(stage: &Stage) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    stage.block(Duration::ZERO).await;
    let probe = stage.claim().await;
    assert_eq!(probe.task, Task::Probe);
    stage.settle_lane(&probe.lease, LaneChange::Probed).await;
    await_next(stage).await;
    request.id
}

async fn await_next(stage: &Stage) {
    let claim = stage.claim().await;
    let wait = LaneChange::Unchanged { pause: HOUR };
    stage.settle_now(&claim, MessageChange::Await, wait).await;
}

async fn assert_wait_lasts(stage: &Stage, request: RequestId) {
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.pass(HOUR).await;
    assert!(to_recover(&stage.claim().await).awaited);
}
