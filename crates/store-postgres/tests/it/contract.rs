//! The promises of the store ports, kept by PostgreSQL.

use std::sync::Arc;

use store_postgres::testing::TestDatabase;
use testkit::contract::Stage;

use crate::backstage::{PgBackstage, store};

async fn make_stage() -> (Stage, TestDatabase) {
    let database = TestDatabase::migrated().await;
    let store = Arc::new(store(&database));
    let stage = Stage {
        requests: store.clone(),
        outbox: store.clone(),
        messages: store.clone(),
        api_keys: Arc::new(store.api_keys()),
        audit: store.clone(),
        reports: store.clone(),
        dealers: Arc::new(store.dealers()),
        backstage: Arc::new(PgBackstage::connect(&database).await),
    };
    (stage, database)
}

testkit::contract_tests!(make_stage);
