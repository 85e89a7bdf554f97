//! Sealed secrets in the tables.

use std::sync::Arc;

use domain::access::AuditEntry;
use domain::ports::{
    DealerAdmin as _, DealerDirectory as _, SecretPurpose, SettingsChanged, Vault as _, VaultError,
};
use domain::settings::{Change, SettingsChange};
use domain::values::AccountError;
use secrecy::ExposeSecret as _;
use store_postgres::testing::TestDatabase;
use store_postgres::{PgDealers, Resealed, SecretPlace, SecretsKeys};
use testkit::contract::Backstage as _;
use testkit::sample;

use crate::backstage::{PgBackstage, store};
use crate::contract::TEST_KEY;

/// The bytes 31 to 0.
const NEW_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

const KEY: &str = "kunci-yang-disegel";

fn keys(list: &str) -> Arc<SecretsKeys> {
    Arc::new(SecretsKeys::parse(list).unwrap())
}

fn dealers(database: &TestDatabase, list: &str) -> PgDealers {
    store(database).dealers_with(keys(list))
}

fn both() -> SettingsChange {
    SettingsChange {
        api_key: Change::Set(KEY.into()),
        webhook_secret: Change::Set("rahasia-webhook".into()),
        ..SettingsChange::default()
    }
}

async fn with_dealer() -> TestDatabase {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    backstage.add_dealer(&sample::dealer()).await;
    database
}

fn entry() -> AuditEntry {
    AuditEntry::settings_changed(&sample::author(), &sample::dealer_id(), &both())
}

/// Every value that could be a secret, as text.
async fn stored(database: &TestDatabase) -> Vec<String> {
    let client = database.connect().await;
    let rows = client
        .query(
            "SELECT unnest(ARRAY[fonnte_api_key, webhook_secret]) FROM customer.dealer_settings
            UNION ALL SELECT token FROM customer.dealer_webhook
            UNION ALL SELECT secret FROM customer.endpoint",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_only_ever_sealed_in_our_tables() {
    let database = with_dealer().await;
    let dealers = dealers(&database, TEST_KEY);
    let changed = dealers
        .change(&sample::dealer_id(), &both(), &entry())
        .await
        .unwrap();
    assert_eq!(changed, SettingsChanged::Made);
    let record = dealers.record(&sample::dealer_id()).await.unwrap().unwrap();
    let token = record.webhook_token.unwrap();
    assert_eq!(token.as_str().len(), 43);
    let values = stored(&database).await;
    assert_eq!(values.len(), 3);
    assert!(values.iter().all(|value| value.starts_with("sealed:v1:")));
    // The receiver looks tokens up by their digest.
    let client = database.connect().await;
    let statement = "SELECT count(*) FROM customer.dealer_webhook
        WHERE token_print = sha256(convert_to($1, 'UTF8'))";
    let row = client.query_one(statement, &[&token.as_str()]).await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_tokens_are_plain_and_secrets_are_refused() {
    let database = with_dealer().await;
    let dealers = store(&database).dealers();
    assert!(!dealers.keeps_secrets());
    let record = dealers.record(&sample::dealer_id()).await.unwrap().unwrap();
    let token = record.webhook_token.unwrap();
    assert_eq!(stored(&database).await, [token.as_str()]);
    assert!(
        dealers
            .change(&sample::dealer_id(), &both(), &entry())
            .await
            .is_err()
    );
    assert_eq!(stored(&database).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_harms_its_own_dealer_alone() {
    let database = with_dealer().await;
    let backstage = PgBackstage::connect(&database).await;
    backstage.add_dealer(&sample::dealer_numbered(1)).await;
    let id = sample::dealer_id();
    let writer = dealers(&database, TEST_KEY);
    let changed = writer.change(&id, &both(), &entry()).await.unwrap();
    assert_eq!(changed, SettingsChanged::Made);
    writer.page(1, 10).await.unwrap();

    let reader = dealers(&database, NEW_KEY);
    let dealer = reader.find(&id).await.unwrap().unwrap();
    let policy = sample::account_policy();
    // Not the plain key of the other table.
    assert!(dealer.api_key.is_none());
    assert_eq!(
        dealer.account(&policy).unwrap_err(),
        AccountError::SealedShut
    );
    // Reports that carry no secret must not pass.
    let secret = dealer.webhook_secret.expect("one that nobody has");
    assert_ne!(secret.expose_secret(), "rahasia-webhook");
    assert!(secret.expose_secret().len() > 20);
    let shut = [SecretPurpose::ApiKey, SecretPurpose::WebhookSecret];
    assert_eq!(dealer.sealed_shut, shut);
    let other = reader.find(&sample::dealer_id_numbered(1)).await.unwrap();
    assert!(other.unwrap().account(&policy).is_ok());
    let page = reader.page(1, 10).await.unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(
        page.items
            .iter()
            .all(|record| record.webhook_token.is_none())
    );
    let listed = reader.list().await.unwrap();
    assert!(
        listed
            .iter()
            .all(|dealer| dealer.sealed_shut.contains(&SecretPurpose::WebhookToken))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_key_may_stand_in_the_table_of_the_other_service() {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    let mut dealer = sample::dealer();
    let purpose = SecretPurpose::ApiKey;
    let sealed = keys(TEST_KEY).seal(dealer.id.as_str(), purpose, &KEY.into());
    dealer.api_key = Some(sealed.unwrap().into());
    backstage.add_dealer(&dealer).await;
    let found = dealers(&database, TEST_KEY).find(&dealer.id).await.unwrap();
    let key = found.unwrap().api_key.unwrap();
    assert_eq!(key.expose_secret(), KEY);
    let shut = store(&database).dealers().find(&dealer.id).await.unwrap();
    assert_eq!(shut.unwrap().sealed_shut, [purpose]);

    let rotating = dealers(&database, &format!("{NEW_KEY},{TEST_KEY}"));
    let place = SecretPlace::DealersKeys;
    let outcome = rotating
        .reseal(place, &sample::author(), |_| {})
        .await
        .unwrap();
    assert_eq!((outcome.sealed, outcome.current), (1, 0));
    let found = dealers(&database, NEW_KEY).find(&dealer.id).await.unwrap();
    assert_eq!(found.unwrap().api_key.unwrap().expose_secret(), KEY);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_sealed_anew_in_batches_and_only_once() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client
        .batch_execute(
            "INSERT INTO dealer_integration.dealers (dealer_id, dealer_name, fonnte_api_key)
            SELECT 'D' || lpad(n::text, 6, '0'), 'Dealer', 'plain' FROM generate_series(1, 450) n",
        )
        .await
        .unwrap();
    // Made without a key: plain ones are sealed as well.
    let plain = store(&database).dealers();
    for page in 1..=5 {
        plain.page(page, 100).await.unwrap();
    }
    let rotating = dealers(&database, &format!("{NEW_KEY},{TEST_KEY}"));
    let id = domain::values::DealerId::parse("D000001").unwrap();
    let old = dealers(&database, TEST_KEY);
    let changed = old.change(&id, &both(), &entry()).await.unwrap();
    assert_eq!(changed, SettingsChanged::Made);
    let mut seen = Vec::new();
    let place = SecretPlace::WebhookTokens;
    let outcome = rotating
        .reseal(place, &sample::author(), |n| seen.push(n))
        .await
        .unwrap();
    assert_eq!((outcome.sealed, outcome.current), (450, 0));
    assert_eq!(seen, [200, 400, 450]);
    for place in [SecretPlace::SettingsKeys, SecretPlace::WebhookSecrets] {
        assert_eq!(
            rotating
                .reseal(place, &sample::author(), |_| {})
                .await
                .unwrap()
                .sealed,
            1
        );
    }
    // Plain keys of the other table are its owner's.
    let place = SecretPlace::DealersKeys;
    let outcome = rotating
        .reseal(place, &sample::author(), |_| {})
        .await
        .unwrap();
    assert_eq!(outcome, Resealed::default());
    for place in SecretPlace::ALL {
        assert_eq!(
            rotating
                .reseal(place, &sample::author(), |_| {})
                .await
                .unwrap()
                .sealed,
            0
        );
    }
    let new = dealers(&database, NEW_KEY);
    let found = new.find(&id).await.unwrap().unwrap();
    assert_eq!(found.api_key.unwrap().expose_secret(), KEY);
    assert_eq!(
        new.record(&id).await.unwrap().unwrap().webhook_token,
        rotating.record(&id).await.unwrap().unwrap().webhook_token
    );
    let shut = old
        .reseal(SecretPlace::SettingsKeys, &sample::author(), |_| {})
        .await
        .unwrap();
    assert_eq!(shut.shut, [(id.to_string(), VaultError::UnknownKey)]);
}
