use std::sync::Arc;

use testkit::contract::Stage;
use testkit::{ManualClock, MemoryStore};

async fn make_stage() -> (Stage, ()) {
    let store = MemoryStore::new(Arc::new(ManualClock::new()));
    (Stage::of_one(Arc::new(store)), ())
}

testkit::contract_tests!(make_stage);
