//! What is set on every session.

use store_postgres::testing::TestDatabase;

use crate::backstage::store;

#[tokio::test(flavor = "multi_thread")]
async fn every_session_has_time_limits() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    // The settings of another session are not visible; a database default shows whether ours
    // overrule it.
    client
        .batch_execute(
            "CREATE TABLE customer.seen (name text, value text);
            CREATE FUNCTION customer.look() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO customer.seen SELECT name, setting FROM pg_settings WHERE name IN
                    ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout');
                RETURN NULL;
            END $$;
            CREATE TRIGGER look AFTER INSERT ON customer.message
                FOR EACH STATEMENT EXECUTE FUNCTION customer.look();",
        )
        .await
        .unwrap();
    let store = store(&database);
    domain::RequestStore::accept(&store, &testkit::sample::new_request())
        .await
        .unwrap();
    let rows = client
        .query(
            "SELECT name, value::bigint FROM customer.seen ORDER BY name",
            &[],
        )
        .await
        .unwrap();
    let seen: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(seen.len(), 3);
    for (name, milliseconds) in seen {
        assert!(
            (1..=10_000).contains(&milliseconds),
            "{name} is {milliseconds} ms"
        );
    }
}
