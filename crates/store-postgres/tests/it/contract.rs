//! The promises of the store ports, kept by PostgreSQL for a role with the rights that serving needs.

use std::sync::Arc;

use store_postgres::SecretsKeys;
use store_postgres::testing::TestDatabase;
use testkit::contract::Stage;

use crate::backstage::{PgBackstage, patient_store_at};

/// The bytes 0 to 31.
pub(crate) const TEST_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The ports of a database, as a role has them that only serves.
pub(crate) async fn stage_over(database: &TestDatabase, backstage: PgBackstage) -> Stage {
    let vault = SecretsKeys::parse(TEST_KEY).expect("a key");
    let store = patient_store_at(&database.url_serving().await).with_keys(&vault);
    let store = Arc::new(store);
    let dealers = Arc::new(store.dealers_with(Arc::new(vault)));
    Stage {
        requests: store.clone(),
        outbox: store.clone(),
        accounts: store.clone(),
        messages: store.clone(),
        events: store.clone(),
        replies: store.clone(),
        opt_outs: store.clone(),
        confirmations: store.clone(),
        persons: store.clone(),
        api_keys: Arc::new(store.api_keys()),
        arrivals: store.clone(),
        troubles: store.clone(),
        sessions: Arc::new(store.sessions()),
        audit: store.clone(),
        reports: store,
        dealers: dealers.clone(),
        admin: dealers.clone(),
        templates: dealers.clone(),
        endpoints: dealers.clone(),
        event_outbox: dealers,
        backstage: Arc::new(backstage),
    }
}

async fn make_stage() -> (Stage, TestDatabase) {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    (stage_over(&database, backstage).await, database)
}

testkit::contract_tests!(make_stage);
