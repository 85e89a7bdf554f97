//! Promises of [`DealerAdmin`](domain::ports::DealerAdmin).

use std::time::Duration;

use domain::access::{AuditEntry, AuditRecord};
use domain::dealers::{Dealer, DealerSettings};
use domain::delivery::OnUnknown;
use domain::ports::{DealerRecord, KeySource, SettingsChanged, StoreError};
use domain::requests::Fault;
use domain::settings::{Change, QuietTimes, SettingField, SettingsChange};
use domain::values::{DealerId, QuietHours};
use secrecy::ExposeSecret as _;

use super::Stage;
use crate::sample;

const OWN_KEY: &str = "kunci-dari-pengaturan";
pub(super) const OWN_URL: &str = "https://api.fonnte.com/v2/send";
const SECRET: &str = "rahasia-webhook";

/// A change of all settings.
pub(super) fn everything() -> SettingsChange {
    SettingsChange {
        api_key: Change::Set(OWN_KEY.into()),
        api_url: Change::Set(OWN_URL.to_owned()),
        min_interval: Change::Set(Duration::from_millis(2_000)),
        jitter: Change::Set(Duration::from_millis(250)),
        daily_limit: Change::Set(500),
        quiet_hours: Change::Set(hours("21:00", "07:00").into()),
        on_unknown: Change::Set(OnUnknown::Hold),
        exclusive_device: Change::Set(true),
        webhook_secret: Change::Set(SECRET.into()),
        default_template: Change::Set("validation".to_owned()),
        opt_out_reply: Change::Set(false),
        quota_low_at: Change::Set(50),
    }
}

fn hours(from: &str, to: &str) -> QuietHours {
    QuietHours::parse(from, to).expect("two times")
}

/// A change of the quiet hours only.
fn quiet(from: Option<&str>, to: Option<&str>) -> SettingsChange {
    let time = |raw: Option<&str>| raw.map(|raw| QuietHours::time(raw).expect("a time"));
    SettingsChange {
        quiet_hours: Change::Set(QuietTimes::new(time(from), time(to))),
        ..SettingsChange::default()
    }
}

pub(super) fn everything_set() -> DealerSettings {
    let mut settings = DealerSettings::default();
    everything().apply(&mut settings).expect("both times");
    settings
}

/// Once a change is made, it is read.
pub async fn a_change_is_seen_at_once_through_the_same_adapter(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    // Now it may be cached.
    assert_eq!(find(stage, &dealer.id).await.settings, dealer.settings);
    change(stage, &dealer.id, &everything()).await;
    let found = find(stage, &dealer.id).await;
    assert_eq!(found.settings, everything_set());
    assert_eq!(key(&found).as_deref(), Some(OWN_KEY));
    assert_eq!(found.api_url.as_deref(), Some(OWN_URL));
    let secret = found.webhook_secret.expect("it is set");
    assert_eq!(secret.expose_secret(), SECRET);
    assert!(found.sealed_shut.is_empty());
}

/// An absent field stays.
pub async fn what_a_change_does_not_mention_stays(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    change(stage, &dealer.id, &everything()).await;
    change(stage, &dealer.id, &SettingsChange::default()).await;
    let limit = SettingsChange {
        daily_limit: Change::Set(7),
        ..SettingsChange::default()
    };
    change(stage, &dealer.id, &limit).await;
    let found = find(stage, &dealer.id).await;
    let expected = DealerSettings {
        daily_limit: Some(7),
        ..everything_set()
    };
    assert_eq!(found.settings, expected);
    assert_eq!(key(&found).as_deref(), Some(OWN_KEY));
    assert!(found.webhook_secret.is_some());
}

/// Null removes; the other table's value counts again.
pub async fn what_a_change_removes_is_as_if_never_set(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    change(stage, &dealer.id, &everything()).await;
    let nothing = SettingsChange {
        api_key: Change::Remove,
        api_url: Change::Remove,
        min_interval: Change::Remove,
        jitter: Change::Remove,
        daily_limit: Change::Remove,
        quiet_hours: Change::Remove,
        on_unknown: Change::Remove,
        exclusive_device: Change::Remove,
        webhook_secret: Change::Remove,
        default_template: Change::Remove,
        opt_out_reply: Change::Remove,
        quota_low_at: Change::Remove,
    };
    change(stage, &dealer.id, &nothing).await;
    let found = find(stage, &dealer.id).await;
    assert_eq!(found.settings, DealerSettings::default());
    assert_eq!(key(&found).as_deref(), Some(sample::API_KEY));
    assert_eq!(found.api_url, dealer.api_url);
    assert!(found.webhook_secret.is_none());
}

/// Settings need an existing dealer.
pub async fn the_settings_of_an_unknown_dealer_cannot_be_changed(stage: &Stage) {
    let id = sample::dealer_id();
    for given in [everything(), quiet(Some("21:00"), None)] {
        let changed = try_change(stage, &id, &given).await;
        assert_eq!(changed.expect("change"), SettingsChanged::UnknownDealer);
    }
    assert_eq!(noted(stage).await, []);
    assert!(stage.admin.record(&id).await.expect("record").is_none());
    stage.backstage.add_dealer(&sample::dealer()).await;
    assert_eq!(find(stage, &id).await.settings, DealerSettings::default());
}

/// Concurrent changes of different settings are all kept.
pub async fn changes_at_the_same_moment_are_all_kept(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let interval = SettingsChange {
        min_interval: Change::Set(Duration::from_millis(1)),
        ..SettingsChange::default()
    };
    let jitter = SettingsChange {
        jitter: Change::Set(Duration::from_millis(2)),
        ..SettingsChange::default()
    };
    let limit = SettingsChange {
        daily_limit: Change::Set(3),
        ..SettingsChange::default()
    };
    tokio::join!(
        change(stage, &dealer.id, &interval),
        change(stage, &dealer.id, &jitter),
        change(stage, &dealer.id, &limit),
    );
    let record = record(stage, &dealer.id).await;
    let settings = record.dealer.settings;
    assert_eq!(settings.min_interval, Some(Duration::from_millis(1)));
    assert_eq!(settings.jitter, Some(Duration::from_millis(2)));
    assert_eq!(settings.daily_limit, Some(3));
}

/// One of the two times may change alone.
pub async fn a_quiet_hour_that_is_not_given_stays(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    change(stage, &dealer.id, &everything()).await;
    for (given, expected) in [
        (quiet(None, Some("08:00")), hours("21:00", "08:00")),
        (quiet(Some("22:30"), None), hours("22:30", "08:00")),
        (quiet(None, None), hours("22:30", "08:00")),
        (quiet(Some("01:00"), Some("02:00")), hours("01:00", "02:00")),
    ] {
        let given = SettingsChange {
            daily_limit: Change::Set(9),
            ..given
        };
        change(stage, &dealer.id, &given).await;
        let settings = find(stage, &dealer.id).await.settings;
        let others = DealerSettings {
            daily_limit: Some(9),
            quiet_hours: Some(expected),
            ..everything_set()
        };
        assert_eq!(settings, others);
    }
}

/// A change that leaves one time, or two equal ones, changes nothing.
pub async fn quiet_hours_that_would_break_rules_are_refused(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let refused = async |given: SettingsChange| {
        let before = find(stage, &dealer.id).await.settings;
        let given = SettingsChange {
            daily_limit: Change::Set(9),
            api_key: Change::Set(OWN_KEY.into()),
            ..given
        };
        let changed = try_change(stage, &dealer.id, &given).await;
        let after = find(stage, &dealer.id).await;
        assert_eq!(after.settings, before);
        assert_eq!(key(&after).as_deref(), Some(sample::API_KEY));
        match changed.expect("change") {
            SettingsChanged::Invalid(faults) => faults,
            other => panic!("it is refused: {other:?}"),
        }
    };
    let from = (SettingField::QuietFrom, Fault::Missing);
    let to = (SettingField::QuietTo, Fault::Missing);
    // Once without settings, once with others.
    for _ in 0..2 {
        assert_eq!(refused(quiet(None, Some("08:00"))).await, [from]);
        assert_eq!(refused(quiet(Some("08:00"), None)).await, [to]);
        assert_eq!(refused(quiet(None, None)).await, [from, to]);
        let limit = SettingsChange {
            daily_limit: Change::Set(1),
            ..SettingsChange::default()
        };
        change(stage, &dealer.id, &limit).await;
    }
    change(stage, &dealer.id, &quiet(Some("21:00"), Some("07:00"))).await;
    let same = [(SettingField::QuietHours, Fault::SameTimes)];
    assert_eq!(refused(quiet(None, Some("21:00"))).await, same);
    assert_eq!(refused(quiet(Some("07:00"), None)).await, same);
}

/// Concurrent changes of one time each are both kept, and never mixed with another change.
pub async fn quiet_hours_changed_at_the_same_moment_are_not_mixed_up(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    for _ in 0..10 {
        change(stage, &dealer.id, &quiet(Some("21:00"), Some("07:00"))).await;
        let (from, to) = (quiet(Some("22:00"), None), quiet(None, Some("08:00")));
        tokio::join!(
            change(stage, &dealer.id, &from),
            change(stage, &dealer.id, &to),
        );
        let settings = find(stage, &dealer.id).await.settings;
        assert_eq!(settings.quiet_hours, Some(hours("22:00", "08:00")));
        // Each is valid alone; together they would be equal.
        let (from, to) = (quiet(Some("01:00"), None), quiet(None, Some("01:00")));
        let (one, other) = tokio::join!(
            try_change(stage, &dealer.id, &from),
            try_change(stage, &dealer.id, &to),
        );
        let same = vec![(SettingField::QuietHours, Fault::SameTimes)];
        let (one, other) = (one.expect("change"), other.expect("change"));
        assert!(
            [&one, &other].contains(&&SettingsChanged::Made)
                && [&one, &other].contains(&&SettingsChanged::Invalid(same)),
            "{one:?} {other:?}"
        );
    }
}

/// Author, dealer and settings; a refused change has no entry.
pub async fn a_change_is_noted_in_the_audit(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    change(stage, &dealer.id, &everything()).await;
    let one_of_two = quiet(None, Some("08:00"));
    change(stage, &dealer.id, &one_of_two).await;
    let same = quiet(None, Some("21:00"));
    let refused = try_change(stage, &dealer.id, &same).await.expect("change");
    assert!(
        matches!(refused, SettingsChanged::Invalid(_)),
        "{refused:?}"
    );
    let lines = noted(stage).await;
    let expected = [one_of_two, everything()].map(|change| change.fields().join(", "));
    let details: Vec<&String> = lines.iter().map(|line| &line.detail).collect();
    assert_eq!(details, expected.iter().collect::<Vec<_>>());
    for line in lines {
        assert_eq!(line.action, "settings.change");
        assert_eq!(line.dealer_id.as_deref(), Some(dealer.id.as_str()));
        assert_eq!(line.actor, sample::author().actor);
    }
}

/// Change and audit entry are one transaction.
pub async fn a_change_that_cannot_be_noted_is_not_made(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    change(stage, &dealer.id, &quiet(Some("21:00"), Some("07:00"))).await;
    for given in [everything(), quiet(Some("22:00"), None)] {
        let entry = AuditEntry {
            detail: sample::UNSTORABLE.to_owned(),
            ..AuditEntry::settings_changed(&sample::author(), &dealer.id, &given)
        };
        let changed = stage.admin.change(&dealer.id, &given, &entry).await;
        assert!(changed.is_err(), "{changed:?}");
        let settings = find(stage, &dealer.id).await.settings;
        let before = DealerSettings {
            quiet_hours: Some(hours("21:00", "07:00")),
            ..DealerSettings::default()
        };
        assert_eq!(settings, before);
    }
    assert_eq!(noted(stage).await.len(), 1);
}

/// The key of our settings overrides the other table's, also for the breaker.
pub async fn a_key_of_the_settings_wins(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let policy = sample::account_policy();
    let before = find(stage, &dealer.id).await.account_fingerprint(&policy);
    assert_eq!(
        record(stage, &dealer.id).await.key_source,
        Some(KeySource::Dealers)
    );
    let set = SettingsChange {
        api_key: Change::Set(OWN_KEY.into()),
        ..SettingsChange::default()
    };
    change(stage, &dealer.id, &set).await;
    let found = find(stage, &dealer.id).await;
    assert_eq!(key(&found).as_deref(), Some(OWN_KEY));
    assert_ne!(found.account_fingerprint(&policy), before);
    assert_eq!(
        record(stage, &dealer.id).await.key_source,
        Some(KeySource::Settings)
    );
}

pub(super) async fn known_dealer(stage: &Stage) -> Dealer {
    let dealer = sample::dealer();
    stage.backstage.add_dealer(&dealer).await;
    dealer
}

async fn find(stage: &Stage, id: &DealerId) -> Dealer {
    let found = stage.dealers.find(id).await.expect("find");
    found.expect("the dealer is known")
}

pub(super) async fn record(stage: &Stage, id: &DealerId) -> DealerRecord {
    let found = stage.admin.record(id).await.expect("record");
    found.expect("the dealer is known")
}

pub(super) async fn change(stage: &Stage, id: &DealerId, change: &SettingsChange) {
    let changed = try_change(stage, id, change).await.expect("change");
    assert_eq!(changed, SettingsChanged::Made);
}

pub(super) async fn try_change(
    stage: &Stage,
    id: &DealerId,
    change: &SettingsChange,
) -> Result<SettingsChanged, StoreError> {
    let entry = AuditEntry::settings_changed(&sample::author(), id, change);
    stage.admin.change(id, change, &entry).await
}

/// The audit, newest first.
async fn noted(stage: &Stage) -> Vec<AuditRecord> {
    stage.audit.page(None, 10).await.expect("page")
}

fn key(dealer: &Dealer) -> Option<String> {
    let key = dealer.api_key.as_ref()?;
    Some(key.expose_secret().to_owned())
}
