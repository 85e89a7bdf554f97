//! What the command line writes about dealers.

use secrecy::SecretString;
use store_postgres::NewDealer;
use store_postgres::testing::TestDatabase;
use testkit::sample;

use crate::backstage::store;

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
    let dealer = NewDealer {
        id: sample::dealer_id(),
        name: "Dealer Demo".to_owned(),
        api_key: None,
        api_url: None,
    };
    dealers.add(&dealer).await.unwrap();
    assert_eq!(are_local(&database).await, (true, true));
    client
        .batch_execute("UPDATE dealer_integration.dealers SET updated_at = NULL, created_at = NULL")
        .await
        .unwrap();
    let key = SecretString::from("kunci");
    dealers
        .set_key(&sample::dealer_id(), &key, None)
        .await
        .unwrap();
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
