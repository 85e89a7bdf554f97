//! Rests of a lane, the calls of a day, and messages that wait for evidence.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{LaneChange, MessageChange, MessageState};

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, sent, to_recover, to_send};
use crate::sample;

/// A resting lane sends nothing until the rest is over.
pub async fn a_resting_lane_is_not_claimed_until_its_rest_is_over(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    rest(stage, HOUR).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Queued);
    stage.pass(HOUR / 2).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    to_send(&stage.claim().await);
}

/// A rest moves the moment from which messages age to its end.
pub async fn a_rest_does_not_make_a_message_older(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    rest(stage, 10 * HOUR).await;
    stage.pass(9 * HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 0);
    stage.pass(HOUR + HOUR / 2).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 0);
    let claim = stage.claim().await;
    assert!(to_send(&claim).overdue < HOUR);
    stage
        .settle_now(&claim, MessageChange::Requeued, READY)
        .await;
    stage.pass(HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 1);
}

/// Settings that no longer ask for a rest end it.
pub async fn a_rest_can_be_ended(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    rest(stage, 10 * HOUR).await;
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    to_send(&stage.claim().await);
}

/// Ending a rest does not touch a lane that pauses for another reason.
pub async fn ending_a_rest_leaves_other_pauses(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    let pause = LaneChange::Waiting { pause: HOUR };
    stage
        .settle_now(&claim, MessageChange::Requeued, pause)
        .await;
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    stage.assert_nothing_to_claim().await;
}

/// Copies that remember the settings of before must not let a lane rest for long.
pub async fn a_rest_begun_by_remembered_settings_is_short(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    stage.queue(&dealer, 1).await;
    rest(stage, 10 * HOUR).await;
    stage.pass(Duration::from_secs(2)).await;
    let claim = stage.claim().await;
    // Settings that were changed long ago are known everywhere.
    stage.pass(HOUR).await;
    let rest = LaneChange::Resting {
        until: claim.now + 10 * HOUR,
    };
    stage
        .settle_now(&claim, MessageChange::Requeued, rest)
        .await;
    stage.pass(HOUR).await;
    stage.assert_nothing_to_claim().await;
}

/// A lane knows how many calls it made on this day of Asia/Jakarta.
pub async fn calls_are_counted_for_the_day(stage: &Stage) {
    for n in 1..=3 {
        stage.queue(&sample::dealer_id(), n).await;
    }
    let claim = stage.claim().await;
    assert_eq!(claim.calls_today, 0);
    stage.settle_now(&claim, sent(), READY).await;
    let claim = stage.claim().await;
    // A test that runs over midnight in Jakarta sees a new day.
    assert!(claim.calls_today <= 1);
    stage.settle_now(&claim, sent(), READY).await;
    let claim = stage.claim().await;
    assert!(claim.calls_today <= 2);
    let since = stage.backstage.now() - claim.now;
    assert!(since.abs() < TimeDelta::minutes(1), "{since}");
}

/// A message that waits for evidence stays SENDING, and is recovered when the wait is over.
pub async fn a_message_that_waits_for_evidence_is_recovered_afterwards(stage: &Stage) {
    let dealer = sample::dealer_id();
    let request = stage.queue(&dealer, 1).await;
    stage.queue(&dealer, 2).await;
    let claim = stage.claim().await;
    assert!(!to_send(&claim).awaited);
    let wait = LaneChange::Unchanged { pause: HOUR };
    stage.settle_now(&claim, MessageChange::Await, wait).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Sending);
    stage.pass(HOUR / 2).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    assert!(to_recover(&claim).awaited);
    assert_eq!(to_recover(&claim).request_id, request.id);
    let change = MessageChange::Unknown {
        reason: "no evidence came".to_owned(),
    };
    stage.settle_now(&claim, change, UNCHANGED).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Unknown);
}

async fn rest(stage: &Stage, time: Duration) {
    let claim = stage.claim().await;
    let rest = LaneChange::Resting {
        until: claim.now + time,
    };
    stage
        .settle_now(&claim, MessageChange::Requeued, rest)
        .await;
}
