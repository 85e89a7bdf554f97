//! Dealers' settings: the rules, and what the use case makes of a change.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery::OnUnknown;
use domain::ports::{DealerDirectory as _, MockDealerAdmin, MockOutbox, SettingsChanged};
use domain::requests::{Fault, Input};
use domain::settings::{
    Change, RawQuietHours, SettingFaults, SettingField as Field, SettingsChange, SettingsPatch,
};
use domain::usecases::{DealerAdministrationError, Ports};
use domain::values::QuietHours;
use secrecy::ExposeSecret as _;
use testkit::{World, sample};

use crate::support::unavailable;

fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}

fn times(from: Input, to: Input) -> RawQuietHours {
    RawQuietHours::Times { from, to }
}

fn validate(patch: &SettingsPatch) -> Result<SettingsChange, SettingFaults> {
    let is_template = patch.default_template == text("validation");
    patch.validate(&sample::account_policy(), true, is_template)
}

#[test]
fn what_is_absent_stays_and_null_removes() {
    let change = validate(&SettingsPatch::default()).unwrap();
    assert!(change.fields().is_empty());
    let null = || Input::Null;
    let change = validate(&SettingsPatch {
        api_key: null(),
        api_url: null(),
        min_interval_ms: null(),
        jitter_ms: null(),
        daily_limit: null(),
        quiet_hours: RawQuietHours::Null,
        on_unknown: null(),
        exclusive_device: null(),
        webhook_secret: null(),
        default_template: null(),
        opt_out_reply: null(),
        quota_low_at: null(),
    })
    .unwrap();
    assert_eq!(change.fields().len(), 12);
    assert!(!change.sets_secrets());
    let both = SettingsPatch {
        quiet_hours: times(null(), null()),
        ..SettingsPatch::default()
    };
    assert_eq!(validate(&both).unwrap().quiet_hours, Change::Remove);
}

#[test]
fn good_values_are_taken() {
    let change = validate(&SettingsPatch {
        api_key: text(" kunci "),
        api_url: text(" https://api.fonnte.com/v2/send "),
        min_interval_ms: Input::Whole(3_600_000),
        jitter_ms: Input::Whole(0),
        daily_limit: Input::Whole(1_000_000),
        quiet_hours: times(text("21:00"), text("07:00")),
        on_unknown: text("hold"),
        exclusive_device: Input::Flag(true),
        webhook_secret: text("!~"),
        default_template: text("validation"),
        opt_out_reply: Input::Flag(false),
        quota_low_at: Input::Whole(1_000_000),
    })
    .unwrap();
    assert_eq!(change.api_key.value().unwrap().expose_secret(), "kunci");
    assert_eq!(
        change.api_url.value().unwrap(),
        "https://api.fonnte.com/v2/send"
    );
    assert_eq!(change.min_interval, Change::Set(Duration::from_secs(3_600)));
    assert_eq!(change.daily_limit, Change::Set(1_000_000));
    assert_eq!(change.quota_low_at, Change::Set(1_000_000));
    let night = QuietHours::parse("21:00", "07:00").unwrap();
    assert_eq!(change.quiet_hours, Change::Set(night.into()));
    assert_eq!(change.on_unknown, Change::Set(OnUnknown::Hold));
    assert!(change.affects_rests() && change.sets_secrets());
}

#[test]
fn each_field_says_what_is_wrong_with_it() {
    let long = text(&"x".repeat(256));
    for (patch, field, fault) in [
        (
            SettingsPatch {
                api_key: text(""),
                ..Default::default()
            },
            Field::ApiKey,
            Fault::TooShort { min: 1 },
        ),
        (
            SettingsPatch {
                api_key: text("sealed:v1:00000000:AAAA"),
                ..Default::default()
            },
            Field::ApiKey,
            Fault::NotAKey,
        ),
        (
            SettingsPatch {
                api_key: text("dua kata"),
                ..Default::default()
            },
            Field::ApiKey,
            Fault::NotAKey,
        ),
        (
            SettingsPatch {
                api_url: text("http://169.254.169.254/latest"),
                ..Default::default()
            },
            Field::ApiUrl,
            Fault::AddressNotAllowed,
        ),
        (
            SettingsPatch {
                api_url: long.clone(),
                ..Default::default()
            },
            Field::ApiUrl,
            Fault::TooLong { max: 255 },
        ),
        (
            SettingsPatch {
                min_interval_ms: Input::Whole(i64::MAX),
                ..Default::default()
            },
            Field::MinInterval,
            Fault::TooLarge { max: 3_600_000 },
        ),
        (
            SettingsPatch {
                jitter_ms: text("1"),
                ..Default::default()
            },
            Field::Jitter,
            Fault::NotWhole,
        ),
        (
            SettingsPatch {
                daily_limit: Input::Whole(-1),
                ..Default::default()
            },
            Field::DailyLimit,
            Fault::TooSmall { min: 0 },
        ),
        (
            SettingsPatch {
                quiet_hours: RawQuietHours::Other,
                ..Default::default()
            },
            Field::QuietHours,
            Fault::NotObject,
        ),
        (
            SettingsPatch {
                quiet_hours: times(text("07:00"), Input::Null),
                ..Default::default()
            },
            Field::QuietTo,
            Fault::Missing,
        ),
        (
            SettingsPatch {
                quiet_hours: times(text("24:00"), text("07:00")),
                ..Default::default()
            },
            Field::QuietFrom,
            Fault::NotATimeOfDay,
        ),
        (
            SettingsPatch {
                quiet_hours: times(text("07:00"), text("07:00")),
                ..Default::default()
            },
            Field::QuietHours,
            Fault::SameTimes,
        ),
        (
            SettingsPatch {
                on_unknown: text("Hold"),
                ..Default::default()
            },
            Field::OnUnknown,
            Fault::NotAChoice,
        ),
        (
            SettingsPatch {
                exclusive_device: Input::Whole(1),
                ..Default::default()
            },
            Field::ExclusiveDevice,
            Fault::NotFlag,
        ),
        (
            SettingsPatch {
                webhook_secret: text("é"),
                ..Default::default()
            },
            Field::WebhookSecret,
            Fault::NotVisible,
        ),
        (
            SettingsPatch {
                webhook_secret: long,
                ..Default::default()
            },
            Field::WebhookSecret,
            Fault::TooLong { max: 255 },
        ),
        (
            SettingsPatch {
                default_template: text("../etc"),
                ..Default::default()
            },
            Field::DefaultTemplate,
            Fault::UnknownTemplate,
        ),
        (
            SettingsPatch {
                default_template: Input::Other,
                ..Default::default()
            },
            Field::DefaultTemplate,
            Fault::NotText,
        ),
    ] {
        assert_eq!(validate(&patch).unwrap_err(), [(field, fault)]);
    }
}

#[test]
fn secrets_need_a_key_to_seal_with() {
    let patch = SettingsPatch {
        api_key: text("kunci"),
        webhook_secret: text("rahasia"),
        daily_limit: Input::Whole(1),
        ..SettingsPatch::default()
    };
    let faults = patch.validate(&sample::account_policy(), false, true);
    assert_eq!(
        faults.unwrap_err(),
        [
            (Field::ApiKey, Fault::NoSecretsKey),
            (Field::WebhookSecret, Fault::NoSecretsKey)
        ]
    );
    assert!(!format!("{patch:?}").contains("rahasia"));
}

#[tokio::test]
async fn a_change_is_in_force_and_ends_a_rest_only_where_it_may_matter() {
    let world = World::new();
    let desk = world.services().dealers;
    let id = sample::dealer_id();
    let pace = SettingsChange {
        min_interval: Change::Set(Duration::from_millis(5)),
        ..SettingsChange::default()
    };
    let record = desk.change(&id, &pace, &sample::author()).await.unwrap();
    assert_eq!(
        record.dealer.settings.min_interval,
        Some(Duration::from_millis(5))
    );
    assert_eq!(world.bell.rings(), 0);
    let limit = SettingsChange {
        daily_limit: Change::Set(5),
        ..SettingsChange::default()
    };
    desk.change(&id, &limit, &sample::author()).await.unwrap();
    assert_eq!(world.bell.rings(), 1);
    let found = world.store.find(&id).await.unwrap().unwrap();
    assert_eq!(found.settings.daily_limit, Some(5));
    let error = desk
        .change(&sample::dealer_id_numbered(1), &limit, &sample::author())
        .await;
    assert!(matches!(
        error,
        Err(DealerAdministrationError::UnknownDealer)
    ));
}

#[tokio::test]
async fn a_store_that_fails_is_said_to_have_failed() {
    let world = World::new();
    let mut admin = MockDealerAdmin::new();
    admin
        .expect_change()
        .returning(|_, _, _| Ok(SettingsChanged::Made));
    let mut outbox = MockOutbox::new();
    outbox.expect_end_rest().returning(|_| Err(unavailable()));
    let desk = world
        .services_over(&Ports {
            dealer_admin: Arc::new(admin),
            outbox: Arc::new(outbox),
            ..world.ports()
        })
        .dealers;
    let limit = SettingsChange {
        daily_limit: Change::Remove,
        ..SettingsChange::default()
    };
    let error = desk
        .change(&sample::dealer_id(), &limit, &sample::author())
        .await;
    assert!(matches!(error, Err(DealerAdministrationError::Store(_))));
}

#[test]
fn a_key_that_cannot_be_opened_is_a_fault_of_the_configuration() {
    let accounts = sample::account_policy();
    let mut dealer = sample::dealer();
    let well = dealer.account_fingerprint(&accounts);
    dealer
        .sealed_shut
        .push(domain::ports::SecretPurpose::WebhookSecret);
    assert!(dealer.account(&accounts).is_ok());
    dealer.api_key = None;
    let none = dealer.account_fingerprint(&accounts);
    dealer
        .sealed_shut
        .push(domain::ports::SecretPurpose::ApiKey);
    assert_eq!(
        dealer.account(&accounts).unwrap_err(),
        domain::values::AccountError::SealedShut
    );
    let shut = dealer.account_fingerprint(&accounts);
    assert!(well != none && none != shut && well != shut);
}
