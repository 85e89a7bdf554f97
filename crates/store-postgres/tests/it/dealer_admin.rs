//! What the command line writes about dealers.

use std::sync::Arc;

use domain::access::{Action, AuditEntry, Principal};
use domain::ports::{AuditLog as _, DealerAdmin as _, DealerDirectory as _};
use secrecy::ExposeSecret as _;
use store_postgres::testing::TestDatabase;
use store_postgres::{DealerAdminError, NewDealer, PgDealers, SecretPlace, SecretsKeys};
use testkit::sample;

use crate::backstage::store;
use crate::contract::TEST_KEY;

fn entry(action: Action) -> AuditEntry {
    AuditEntry {
        author: Principal::operator().author(None),
        action,
        dealer: Some(sample::dealer_id()),
        detail: "fonnte_api_key".to_owned(),
    }
}

fn new_dealer() -> NewDealer {
    NewDealer {
        id: sample::dealer_id(),
        name: "Dealer Demo".to_owned(),
        api_key: Some("kunci".into()),
        api_url: None,
    }
}

async fn set_key(dealers: &PgDealers) -> Result<(), DealerAdminError> {
    let (key, entry) = ("baru".into(), entry(Action::SetDealerKey));
    dealers
        .set_key(&sample::dealer_id(), &key, None, &entry)
        .await
}

async fn key_of(dealers: &PgDealers) -> String {
    let dealer = dealers.find(&sample::dealer_id()).await.unwrap().unwrap();
    dealer.api_key.unwrap().expose_secret().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_line_changes_is_noted_with_it() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let dealers = store.dealers();
    let add = entry(Action::AddDealer);
    let unknown = set_key(&dealers).await;
    assert!(
        matches!(unknown, Err(DealerAdminError::Unknown)),
        "{unknown:?}"
    );
    dealers.add(&new_dealer(), &add).await.unwrap();
    let again = dealers.add(&new_dealer(), &add).await;
    assert!(matches!(again, Err(DealerAdminError::Exists)), "{again:?}");
    set_key(&dealers).await.unwrap();
    // One line for a batch, and none where nothing is sealed anew.
    dealers.record(&sample::dealer_id()).await.unwrap();
    let sealing = store.dealers_with(Arc::new(SecretsKeys::parse(TEST_KEY).unwrap()));
    for _ in 0..2 {
        for place in SecretPlace::ALL {
            let author = Principal::operator().author(None);
            sealing.reseal(place, &author, |_| {}).await.unwrap();
        }
    }
    let lines = store.page(None, 10).await.unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&*line.action, line.dealer_id.as_deref(), &*line.detail))
        .collect();
    let dealer = Some("0009999");
    let expected = [
        ("secrets.reseal", None, "dealer_webhook.token"),
        ("dealer.set_key", dealer, "fonnte_api_key"),
        ("dealer.add", dealer, "fonnte_api_key"),
    ];
    assert_eq!(told, expected);
    assert!(lines.iter().all(|line| line.actor == "command line"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_noted_is_not_changed() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let store = store(&database);
    let dealers = store.dealers();
    let refuse = "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE 'not now'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON customer.audit FOR EACH ROW EXECUTE FUNCTION public.refuse()";
    client.batch_execute(refuse).await.unwrap();
    let add = entry(Action::AddDealer);
    assert!(dealers.add(&new_dealer(), &add).await.is_err());
    assert!(dealers.list().await.unwrap().is_empty());

    let allow = "ALTER TABLE customer.audit DISABLE TRIGGER refuse";
    client.batch_execute(allow).await.unwrap();
    dealers.add(&new_dealer(), &add).await.unwrap();
    dealers.record(&sample::dealer_id()).await.unwrap();
    client
        .batch_execute("ALTER TABLE customer.audit ENABLE TRIGGER refuse")
        .await
        .unwrap();
    assert!(set_key(&dealers).await.is_err());
    assert_eq!(key_of(&store.dealers()).await, "kunci");
    let sealing = store.dealers_with(Arc::new(SecretsKeys::parse(TEST_KEY).unwrap()));
    let author = Principal::operator().author(None);
    let place = SecretPlace::WebhookTokens;
    assert!(sealing.reseal(place, &author, |_| {}).await.is_err());
    let plain = "SELECT count(*) FROM customer.dealer_webhook WHERE token NOT LIKE 'sealed:%'";
    let row = client.query_one(plain, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

/// Whether both times of the sample dealer are local times of Asia/Jakarta, just now.
async fn are_local(database: &TestDatabase) -> (bool, bool) {
    let client = database.connect().await;
    let row = client
        .query_one(
            "SELECT created_at BETWEEN t.local - INTERVAL '2 minutes' AND t.local,
                updated_at BETWEEN t.local - INTERVAL '2 minutes' AND t.local
            FROM dealer_integration.dealers,
                (SELECT now() AT TIME ZONE 'Asia/Jakarta' AS local) t",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_a_dealer_are_local_times_of_jakarta() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client
        .batch_execute(
            "DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET timezone = ''America/New_York''',
                    current_database());
            END $$",
        )
        .await
        .unwrap();
    let dealers = store(&database).dealers();
    dealers
        .add(&new_dealer(), &entry(Action::AddDealer))
        .await
        .unwrap();
    assert_eq!(are_local(&database).await, (true, true));
    client
        .batch_execute("UPDATE dealer_integration.dealers SET updated_at = NULL, created_at = NULL")
        .await
        .unwrap();
    set_key(&dealers).await.unwrap();
    let client = database.connect().await;
    let row = client
        .query_one(
            "SELECT created_at IS NULL FROM dealer_integration.dealers",
            &[],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0), "only the change is of now");
    client
        .batch_execute("UPDATE dealer_integration.dealers SET created_at = updated_at")
        .await
        .unwrap();
    assert_eq!(are_local(&database).await, (true, true));
}
