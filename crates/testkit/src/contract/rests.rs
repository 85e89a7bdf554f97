//! Promises about rests of a lane, calls of a day, and waits for evidence.

use std::time::Duration;

use chrono::TimeDelta;
use domain::delivery::{LaneChange, MessageChange};
use domain::ports::SettingsChanged;
use domain::requests::MessageState;
use domain::settings::{Change, QuietTimes, SettingsChange};
use domain::values::{DealerId, jakarta_time};

use super::Stage;
use super::acts::{HOUR, READY, UNCHANGED, blocked, sent, to_recover, to_send, waiting};
use crate::sample;

/// No call before the end of the rest.
pub async fn a_resting_lane_is_not_claimed_until_its_rest_is_over(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    rest(stage, HOUR).await;
    assert_eq!(stage.message(request.id).await.state, MessageState::Queued);
    stage.pass(HOUR / 2).await;
    stage.assert_nothing_to_claim().await;
    stage.pass(HOUR).await;
    to_send(&stage.claim().await);
}

/// A daily limit moves the start of a message's age to the next day.
pub async fn a_rest_does_not_make_a_message_older(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    let claim = stage.claim().await;
    let spent = LaneChange::Spent {
        until: claim.now + 10 * HOUR,
    };
    stage
        .settle_now(&claim, MessageChange::Requeued, spent)
        .await;
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

/// Quiet hours never count for the age, whatever else delays the lane; all other time counts.
pub async fn quiet_hours_do_not_make_a_message_older(stage: &Stage) {
    let now = stage.backstage.now();
    let lanes = [
        READY,
        blocked(30 * HOUR),
        waiting(30 * HOUR),
        LaneChange::Unchanged { pause: 30 * HOUR },
        LaneChange::Resting { until: now + HOUR },
    ];
    for (n, lane) in (1..).zip(lanes) {
        let dealer = sample::dealer_numbered(n);
        stage.backstage.add_dealer(&dealer).await;
        let request = stage.queue(&dealer.id, n).await.id;
        let claim = stage.claim().await;
        stage
            .settle_now(&claim, MessageChange::Requeued, lane)
            .await;
        stage.pass(10 * HOUR).await;
        // Five of these ten hours.
        set_quiet_hours(stage, &dealer.id, (-6, -1)).await;
        assert_eq!(
            stage
                .outbox
                .expire(5 * HOUR + HOUR / 2)
                .await
                .expect("expire"),
            0
        );
        let expired = stage.outbox.expire(5 * HOUR - HOUR / 2).await;
        assert_eq!(expired.expect("expire"), 1, "dealer {n}");
        assert_eq!(stage.message(request).await.state, MessageState::Expired);
    }
}

/// With daily quiet hours a message still expires.
pub async fn a_message_expires_in_spite_of_quiet_hours(stage: &Stage) {
    let dealer = sample::dealer();
    stage.backstage.add_dealer(&dealer).await;
    stage.queue(&dealer.id, 1).await;
    stage.block(1_000 * HOUR).await;
    stage.pass(240 * HOUR).await;
    set_quiet_hours(stage, &dealer.id, (-1, 9)).await;
    // Ten days of 14 hours each.
    assert_eq!(stage.outbox.expire(142 * HOUR).await.expect("expire"), 0);
    assert_eq!(stage.outbox.expire(138 * HOUR).await.expect("expire"), 1);
}

/// How long the old settings delayed messages is not stored.
pub async fn messages_age_from_a_change_of_rests(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    stage.block(100 * HOUR).await;
    stage.pass(10 * HOUR).await;
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    stage.pass(HOUR / 2).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 0);
    stage.pass(HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 1);
}

/// For settings that no longer ask for a rest.
pub async fn a_rest_can_be_ended(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 1).await;
    rest(stage, 10 * HOUR).await;
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    to_send(&stage.claim().await);
}

/// A pause for another reason stays.
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

/// A copy with cached old settings must not rest a lane for long.
pub async fn a_rest_begun_by_remembered_settings_is_short(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.outbox.end_rest(&dealer).await.expect("end_rest");
    stage.queue(&dealer, 1).await;
    rest(stage, 10 * HOUR).await;
    stage.pass(Duration::from_secs(2)).await;
    let claim = stage.claim().await;
    // Settings that changed long ago are known to every copy.
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

/// A lane counts its calls on this day of Asia/Jakarta.
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

/// It stays SENDING, and is recovered after the wait.
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

/// Quiet hours from and to this many hours from now.
async fn set_quiet_hours(stage: &Stage, dealer: &DealerId, hours: (i64, i64)) {
    let now = jakarta_time(stage.backstage.now());
    let time = |hours| (now + TimeDelta::hours(hours)).time();
    let change = SettingsChange {
        quiet_hours: Change::Set(QuietTimes::new(Some(time(hours.0)), Some(time(hours.1)))),
        ..SettingsChange::default()
    };
    let changed = super::settings::try_change(stage, dealer, &change).await;
    assert_eq!(changed.expect("change"), SettingsChanged::Made);
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
