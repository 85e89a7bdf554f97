use tests_e2e::torture::{Plan, STEPS, torture};

/// Every step once, and as many kills at any moment.
const KILLS: u32 = 2 * STEPS.len() as u32;

#[tokio::test(flavor = "multi_thread")]
async fn under_hold_kills_lose_nothing_and_double_nothing() {
    torture(Plan::new("hold", KILLS)).await.must_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn under_resend_kills_lose_nothing_and_double_only_what_was_unknown() {
    torture(Plan::new("resend", KILLS)).await.must_hold();
}
