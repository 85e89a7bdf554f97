//! Promises about the wait for evidence of an unknown outcome: an event of another message is no evidence,
//! and nothing ends the wait early.

use std::time::Duration;

use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::events::{EVENT_LIFETIME, EventContent};
use domain::ports::{CallEnd, Settled, Task};
use domain::requests::{MessageState, RequestId};

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, settlement, to_recover, to_send, unknown, waiting};
use super::events::{accepted, awaited, by_id, by_state_id, report, sent};
use super::events::{failed, shown};
use crate::sample;

/// A known id may be higher than the lane's latest: an acceptance after its lease does not change the lane.
pub async fn an_event_of_a_known_message_is_no_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    let known = accepted_late(stage, "150").await;
    let request = awaited(stage, 3).await;
    // The second event is not applied yet when the first one asks for evidence.
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

/// A message with a known state id may have been sent under another number.
pub async fn a_state_id_that_is_known_is_no_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    stage.keep(report(Some("100"), Some("3EB0"), None)).await;
    stage.apply().await;
    let request = awaited(stage, 2).await;
    stage.keep(by_state_id("3EB1", MessageState::Sent)).await;
    let other = report(Some("101"), Some("3EB0"), Some(MessageState::Sent));
    stage.keep(other).await;
    assert_eq!(apply_one(stage).await, 0);
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
}

/// The first message's outcome stayed unknown after a probe of an open breaker.
pub async fn a_connected_device_does_not_end_a_wait_for_evidence(stage: &Stage) {
    let request = awaited_behind_a_breaker(stage).await;
    stage.keep(EventContent::Device { connected: true }).await;
    assert_eq!(stage.apply().await.freed, 1);
    assert_wait_lasts(stage, request).await;
}

/// Closing it for a changed account does not end the wait either.
pub async fn closing_a_breaker_does_not_end_a_wait_for_evidence(stage: &Stage) {
    let request = awaited_behind_a_breaker(stage).await;
    let lane = stage.outbox.blocked_lanes().await.expect("blocked_lanes");
    let closed = stage.outbox.unblock(&lane[0]).await;
    assert!(closed.expect("unblock"));
    assert_wait_lasts(stage, request).await;
}

/// A test message would become the latest call, and the evidence would be too old.
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

/// An event may be about that call, until a later call has a known id.
pub async fn a_call_that_nobody_accounted_for_makes_evidence_worthless(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lost = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.pass(HOUR).await;
    assert_worthless(stage, 1).await;
    // Too late to say anything about the lane.
    let late = stage.settle_call(&lost, accepted_call("150")).await;
    assert_eq!(late, Settled::LeaseLost);
    assert_worthless(stage, 2).await;
    sent(stage, 3, "200").await;
    assert_counts(stage, 4, "201").await;
}

/// The settlement of a call without a message.
pub async fn a_call_is_accounted_for_by_what_came_of_it(stage: &Stage) {
    let dealer = sample::dealer_id();
    for (n, call, known) in [
        (10, CallEnd::NotAccepted, true),
        (20, CallEnd::Unknown, false),
        (30, accepted_call("30000"), true),
        (40, CallEnd::Accepted(Receipt::default()), false),
        // Ids without an order say nothing either.
        (50, accepted_call("3EB0"), false),
    ] {
        let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
        assert_eq!(stage.settle_call(&lease, call).await, Settled::Applied);
        if known {
            assert_counts(stage, n, &format!("{}", n * 1_000 + 1)).await;
        } else {
            assert_worthless(stage, n).await;
            sent(stage, n + 1, &format!("{}", n * 1_000 + 999)).await;
        }
    }
}

/// Its event may come while the next message waits for evidence.
pub async fn a_message_without_a_known_id_makes_evidence_worthless(stage: &Stage) {
    sent(stage, 1, "100").await;
    let resend = MessageChange::Resend {
        wait: 10_000 * HOUR,
    };
    let unnumbered = MessageChange::Sent(Receipt::default());
    for (n, change) in (1..).map(|n| n * 10).zip([unknown(), resend, unnumbered]) {
        stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        stage.settle_now(&claim, change, READY).await;
        assert_worthless(stage, n + 1).await;
        let id = n * 1_000;
        sent(stage, n + 2, &id.to_string()).await;
        assert_counts(stage, n + 3, &format!("{}", id + 1)).await;
    }
}

/// Counted once, before it is made.
pub async fn a_call_without_a_message_counts_for_the_day(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    stage.settle_call(&lease, accepted_call("150")).await;
    stage.lease_lane(&dealer).await.expect("the lane is free");
    // Its copy dies.
    stage
        .pass(super::acts::LEASE + Duration::from_secs(1))
        .await;
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    // A test that runs over midnight in Jakarta sees a new day.
    let is_new_day = claim.calls_today < 2;
    assert!(claim.calls_today == 2 || is_new_day, "{claim:?}");
}

fn accepted_call(id: &str) -> CallEnd {
    CallEnd::Accepted(Receipt {
        message_id: Some(id.to_owned()),
        ..Receipt::default()
    })
}

/// An event with an unknown id is no evidence for an awaited message.
async fn assert_worthless(stage: &Stage, n: u32) {
    let request = awaited(stage, n).await;
    stage
        .keep(by_id(&format!("{n}999999"), MessageState::Sent))
        .await;
    assert_eq!(stage.apply().await.freed, 0, "event {n}");
    assert_wait_lasts(stage, request).await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Expired, READY)
        .await;
    // The event expires.
    stage.pass(EVENT_LIFETIME).await;
    stage.events.forget_old_events().await.expect("forget");
}

/// An event with this id is evidence that an awaited message was sent.
async fn assert_counts(stage: &Stage, n: u32, id: &str) {
    let request = awaited(stage, n).await;
    stage.keep(by_id(id, MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 1, "event {id}");
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// Applies the first event alone; returns the number of freed lanes.
async fn apply_one(stage: &Stage) -> u64 {
    let applied = stage.events.apply(1, Duration::ZERO).await;
    applied.expect("apply").freed
}

/// A message whose acceptance came after another copy had leased its lane.
async fn accepted_late(stage: &Stage, id: &str) -> RequestId {
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let lost = stage.claim().await;
    stage.pass(HOUR).await;
    let taken = stage.claim().await;
    stage
        .settle_now(&taken, MessageChange::Requeued, READY)
        .await;
    let late = settlement(&lost, accepted(id), READY);
    assert_eq!(stage.settle(&lost.lease, &late).await, Settled::LeaseLost);
    request.id
}

/// An awaited message whose breaker had been open before.
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

/// Through an exclusive device, a later message with an unknown id is the awaited one.
pub async fn an_unknown_later_message_tells_the_outcome_that_is_waited_for(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = awaited(stage, 2).await;
    for id in ["99", "100", "not a number", "9999999999999999999999"] {
        stage.keep(by_id(id, MessageState::Delivered)).await;
    }
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.keep(report(Some("101"), Some("3EB0"), None)).await;
    assert_eq!(stage.apply().await.freed, 1);
    let message = stage.message(request).await;
    assert_eq!(message.state, MessageState::Sent);
    assert_eq!(message.provider_message_id.as_deref(), Some("101"));
    assert_eq!(stage.statuses(request).await, shown(MessageState::Sent));
    // The lane goes on, and later events match the message.
    let next = stage.queue(&sample::dealer_id(), 3).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).request_id, next.id);
    stage.keep(by_state_id("3EB0", MessageState::Read)).await;
    stage.apply().await;
    stage.apply().await;
    assert_eq!(stage.message(request).await.state, MessageState::Read);
}

/// The event may come during the call.
pub async fn evidence_may_come_before_the_outcome_is_unknown(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage.keep(failed("101")).await;
    assert_eq!(stage.apply().await.unmatched, 1);
    stage
        .settle_now(
            &claim,
            MessageChange::Await,
            LaneChange::Unchanged { pause: HOUR },
        )
        .await;
    assert_eq!(stage.apply().await.freed, 1);
    stage.apply().await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Failed);
}

/// A test message leaves no row, and its events match no other message.
pub async fn a_test_message_is_no_evidence(stage: &Stage) {
    let dealer = sample::dealer_id();
    let lease = stage.lease_lane(&dealer).await.expect("a free lane");
    let tested = CallEnd::Accepted(Receipt {
        message_id: Some("150".to_owned()),
        ..Receipt::default()
    });
    stage.settle_call(&lease, tested).await;
    let request = awaited(stage, 1).await;
    stage.keep(by_id("150", MessageState::Read)).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request).await.state, MessageState::Sending);
    stage.keep(by_id("151", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 1);
    assert_eq!(stage.message(request).await.state, MessageState::Sent);
}

/// Without the wait an unmatched event proves nothing: another program may use the device.
pub async fn only_a_wait_takes_evidence(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = stage.queue(&sample::dealer_id(), 2).await;
    let claim = stage.claim().await;
    stage.keep(by_id("101", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    stage.settle_now(&claim, unknown(), UNCHANGED).await;
    stage.pass(HOUR).await;
    assert_eq!(stage.apply().await.freed, 0);
    assert_eq!(stage.message(request.id).await.state, MessageState::Unknown);
}

/// After the wait the message is recovered; later evidence does not change it.
pub async fn evidence_does_not_reach_into_a_recovery(stage: &Stage) {
    sent(stage, 1, "100").await;
    let request = awaited(stage, 2).await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    to_recover(&claim);
    stage.keep(by_id("101", MessageState::Sent)).await;
    assert_eq!(stage.apply().await.freed, 0);
    stage.settle_now(&claim, unknown(), UNCHANGED).await;
    assert_eq!(stage.message(request).await.state, MessageState::Unknown);
}
