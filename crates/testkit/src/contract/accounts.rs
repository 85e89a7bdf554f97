//! Promises of [`AccountBook`](domain::ports::AccountBook).

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use domain::delivery::{MessageChange, Receipt};
use domain::ports::{AccountProfile, CallEnd, LaneView};
use domain::values::DealerId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Stage;
use super::acts::{HOUR, READY, failed, settlement};
use crate::sample;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const LEASE: Duration = Duration::from_secs(600);

/// Every acceptance reports the quota left, a test's too; one without a quota keeps the old value.
pub async fn the_latest_quota_is_kept_with_the_lane(stage: &Stage) {
    let dealer = known_dealer(stage, 1).await;
    assert_eq!(view(stage, &dealer).await, LaneView::default());
    for (n, said, kept) in [(1, Some(967), 967), (2, None, 967), (3, Some(0), 0)] {
        send(stage, &dealer, n, said).await;
        let quota = view(stage, &dealer).await.quota.expect("it was told");
        assert_eq!(quota.left, kept);
        let ago = stage.backstage.now() - quota.at;
        assert!(ago.abs() < TimeDelta::minutes(1), "{ago}");
    }
    let lease = stage.lease_lane(&dealer).await.expect("the lane is free");
    let tested = CallEnd::Accepted(receipt(Some(u64::MAX)));
    stage.settle_call(&lease, tested).await;
    let quota = view(stage, &dealer).await.quota.expect("it was told");
    assert!(quota.left >= i64::MAX.unsigned_abs(), "{quota:?}");
}

/// A refusal reports no quota.
pub async fn a_refused_message_leaves_the_quota(stage: &Stage) {
    let dealer = known_dealer(stage, 1).await;
    send(stage, &dealer, 1, Some(5)).await;
    stage.queue(&dealer, 2).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    let quota = view(stage, &dealer).await.quota.expect("it was told");
    assert_eq!(quota.left, 5);
}

/// Values that a profile lacks stay.
pub async fn a_profile_is_kept(stage: &Stage) {
    let dealer = known_dealer(stage, 1).await;
    let day = NaiveDate::from_ymd_opt(2029, 11, 18);
    for (quota_left, expires_on, shown) in [
        (Some(78), None, (Some(78), None)),
        (None, day, (Some(78), day)),
        (Some(0), None, (Some(0), day)),
        (None, None, (Some(0), day)),
    ] {
        keep(stage, &dealer, quota_left, expires_on, DAY).await;
        let view = view(stage, &dealer).await;
        let left = view.quota.map(|quota| quota.left);
        assert_eq!((left, view.expires_on), shown);
    }
}

/// Accounts that send nothing have no profile read.
pub async fn only_who_sent_something_is_due(stage: &Stage) {
    let [sends, refused, idle] = [1, 2, 3].map(sample::dealer_id_numbered);
    send(stage, &sends, 1, None).await;
    stage.queue(&refused, 2).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, failed(), READY).await;
    keep(stage, &idle, Some(5), None, Duration::ZERO).await;
    assert_eq!(due(stage).await, std::slice::from_ref(&sends));
    keep(stage, &sends, None, None, Duration::ZERO).await;
    stage.pass(DAY - HOUR).await;
    assert_eq!(due(stage).await, std::slice::from_ref(&sends));
    keep(stage, &sends, None, None, Duration::ZERO).await;
    stage.pass(2 * HOUR).await;
    assert_eq!(due(stage).await, []);
}

/// Due again at its time; after the lease, when the copy that leased it has died.
pub async fn a_profile_is_due_when_its_time_has_come(stage: &Stage) {
    let dealer = sample::dealer_id();
    send(stage, &dealer, 1, None).await;
    assert_eq!(due(stage).await, std::slice::from_ref(&dealer));
    assert_eq!(due(stage).await, []);
    stage.pass(LEASE + Duration::from_secs(1)).await;
    assert_eq!(due(stage).await, std::slice::from_ref(&dealer));
    keep(stage, &dealer, None, None, 2 * HOUR).await;
    stage.pass(HOUR).await;
    assert_eq!(due(stage).await, []);
    stage.pass(HOUR + Duration::from_secs(1)).await;
    assert_eq!(due(stage).await, [dealer]);
}

/// Each is leased to one copy, up to the limit, those never read first.
pub async fn one_copy_asks_for_each_profile(stage: &Stage) {
    let dealers: Vec<DealerId> = (1..=6).map(sample::dealer_id_numbered).collect();
    for (n, dealer) in (1..).zip(&dealers) {
        send(stage, dealer, n, None).await;
    }
    keep(stage, &dealers[0], None, None, Duration::ZERO).await;
    let taken = stage.accounts.take_due(5, DAY, LEASE).await;
    let mut taken = taken.expect("take_due");
    taken.sort();
    assert_eq!(taken, dealers[1..]);
    assert_eq!(due(stage).await, [dealers[0].clone()]);
    stage.pass(LEASE + Duration::from_secs(1)).await;
    let mut copies = JoinSet::new();
    let together = Arc::new(Barrier::new(6));
    for _ in 0..6 {
        let (stage, together) = (stage.clone(), together.clone());
        copies.spawn(async move {
            together.wait().await;
            due(&stage).await
        });
    }
    let mut taken: Vec<DealerId> = copies.join_all().await.into_iter().flatten().collect();
    taken.extend(due(stage).await);
    taken.sort();
    assert_eq!(taken, dealers);
}

async fn known_dealer(stage: &Stage, n: u32) -> DealerId {
    let dealer = sample::dealer_numbered(n);
    stage.backstage.add_dealer(&dealer).await;
    dealer.id
}

async fn view(stage: &Stage, dealer: &DealerId) -> LaneView {
    let record = stage.admin.record(dealer).await.expect("record");
    record.expect("the dealer is known").lane
}

fn receipt(quota_left: Option<u64>) -> Receipt {
    Receipt {
        quota_left,
        ..Receipt::default()
    }
}

/// Sends a message; its acceptance reports this quota.
async fn send(stage: &Stage, dealer: &DealerId, n: u32, quota_left: Option<u64>) {
    stage.queue(dealer, n).await;
    let claim = stage.claim().await;
    let sent = MessageChange::Sent(receipt(quota_left));
    let settled = settlement(&claim, sent, READY);
    stage.settle(&claim.lease, &settled).await;
}

async fn keep(
    stage: &Stage,
    dealer: &DealerId,
    quota_left: Option<u64>,
    expires_on: Option<NaiveDate>,
    again: Duration,
) {
    let profile = AccountProfile {
        quota_left,
        expires_on,
    };
    let kept = stage.accounts.keep_profile(dealer, &profile, again).await;
    kept.expect("keep");
}

async fn due(stage: &Stage) -> Vec<DealerId> {
    let taken = stage.accounts.take_due(100, DAY, LEASE).await;
    taken.expect("take_due")
}
