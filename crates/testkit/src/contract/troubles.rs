//! Promises of [`Troubles`](domain::ports::Troubles).

use std::time::Duration;

use chrono::NaiveDate;
use domain::access::{AuditEntry, Visibility};
use domain::delivery::MessageChange;
use domain::ports::{AccountProfile, DealerTrouble};
use domain::settings::{Change, SettingsChange};
use domain::values::DealerId;

use super::Stage;
use super::acts::{HOUR, READY, sent};
use crate::sample;

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2029, 11, day).expect("the day exists")
}

async fn troubles(stage: &Stage, seen: &Visibility) -> Vec<DealerTrouble> {
    let found = stage.troubles.troubles(seen, 100, day(7)).await;
    found.expect("troubles")
}

/// The one dealer that is told.
async fn trouble(stage: &Stage) -> DealerTrouble {
    let mut found = troubles(stage, &Visibility::All).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

async fn keep(stage: &Stage, dealer: &DealerId, quota_left: u64, expires_on: NaiveDate) {
    let profile = AccountProfile {
        quota_left: Some(quota_left),
        expires_on: Some(expires_on),
    };
    let kept = stage.accounts.keep_profile(dealer, &profile, HOUR).await;
    kept.expect("keep_profile");
}

/// Whatever it sent.
pub async fn who_is_well_is_not_told(stage: &Stage) {
    assert_eq!(troubles(stage, &Visibility::All).await, []);
    let dealer = sample::dealer_id_numbered(1);
    stage.queue(&dealer, 1).await;
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    keep(stage, &dealer, 100, day(8)).await;
    assert_eq!(troubles(stage, &Visibility::All).await, []);
}

/// One after the other.
pub async fn whoever_may_need_somebody_is_told(stage: &Stage) {
    let dealer = sample::dealer_id_numbered(1);
    stage
        .backstage
        .add_dealer(&sample::dealer_numbered(1))
        .await;
    let request = stage.queue(&dealer, 1).await;
    let due = trouble(stage).await;
    assert_eq!(due.dealer_id, dealer);
    assert_eq!(
        due.dealer_name.as_deref(),
        Some(sample::dealer_numbered(1).name.as_str())
    );
    assert_eq!((due.waiting, due.unknown, due.blocked_since), (1, 0, None));
    assert_eq!(due.stands_since, due.oldest_due_at);
    assert!(due.oldest_due_at.is_some());

    let claim = stage.claim().await;
    let unknown = MessageChange::Unknown {
        reason: "no answer".to_owned(),
    };
    stage.settle_now(&claim, unknown, READY).await;
    let undecided = trouble(stage).await;
    assert_eq!((undecided.waiting, undecided.unknown), (0, 1));
    // Whoever sends it again has decided.
    let message = sample::request_for(&dealer, 7).message;
    let phone = sample::another_phone();
    let entry = domain::access::AuditEntry::resent(&sample::author(), request.id, message.id);
    let seen = Visibility::All;
    let resending = stage
        .messages
        .resend(request.id, &seen, &message, &phone, &entry);
    resending.await.expect("resend");
    let decided = trouble(stage).await;
    assert_eq!((decided.waiting, decided.unknown), (1, 0));
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(troubles(stage, &seen).await, []);

    keep(stage, &dealer, 99, day(8)).await;
    assert_eq!(trouble(stage).await.quota.expect("it is known").left, 99);
    keep(stage, &dealer, 100, day(7)).await;
    assert_eq!(trouble(stage).await.expires_on, Some(day(7)));
    keep(stage, &dealer, 100, day(8)).await;
    stage.queue(&dealer, 2).await;
    stage.block(Duration::from_secs(3_600)).await;
    let blocked = trouble(stage).await;
    assert!(
        blocked.blocked_since.is_some() && blocked.block_reason.is_some(),
        "{blocked:?}"
    );
    assert_eq!(blocked.waiting, 1);
}

/// Other dealers are as if they were well.
pub async fn trouble_is_told_of_whom_is_seen(stage: &Stage) {
    for n in 1..=3 {
        stage.queue(&sample::dealer_id_numbered(n), n).await;
    }
    assert_eq!(troubles(stage, &Visibility::All).await.len(), 3);
    let one = Visibility::Only(sample::dealer_id_numbered(2));
    let told = troubles(stage, &one).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].dealer_id, sample::dealer_id_numbered(2));
    let nobody = Visibility::Only(sample::dealer_id_numbered(9));
    assert_eq!(troubles(stage, &nobody).await, []);
}

/// Where a dealer's settings say how many are few.
pub async fn a_quota_is_low_by_the_settings_of_its_dealer(stage: &Stage) {
    let dealer = super::settings::known_dealer(stage).await.id;
    keep(stage, &dealer, 100, day(8)).await;
    let setting = SettingsChange {
        quota_low_at: Change::Set(101),
        ..SettingsChange::default()
    };
    let entry = AuditEntry::settings_changed(&sample::author(), &dealer, &setting);
    let changing = stage.admin.change(&dealer, &setting, &entry);
    changing.await.expect("change");
    let found = trouble(stage).await;
    assert_eq!((found.dealer_id, found.quota_low_at), (dealer, 101));
}
