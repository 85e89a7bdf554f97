//! Periodic tasks beside the dispatcher's loop, so that no message waits for them.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Bell as _;
use domain::usecases::{Dispatcher, Intake};
use tokio::time::MissedTickBehavior;

use super::bell::LaneBell;
use crate::metrics::Metrics;
use crate::serve::failures::Failures;
use crate::serve::sweeps::sweep;

/// The interval of the check for changed accounts. A new key is promised to end a pause within 5 seconds, of
/// which the store may cache the old one for 3.
const BREAKER_LOOK: Duration = Duration::from_millis(500);

/// Expires messages that are too old, in a loop.
pub(super) async fn end_old_messages(dispatcher: Arc<Dispatcher>, metrics: Arc<Metrics>) {
    sweep("cannot end old messages", || async {
        let expired = dispatcher.expire().await?;
        if expired > 0 {
            metrics.expired(expired);
            tracing::warn!(messages.expired = expired, "messages became too old");
        }
        Ok(expired)
    })
    .await;
}

/// Deletes expired idempotency keys, in a loop.
pub(super) async fn forget_old_keys(intake: Arc<Intake>) {
    sweep("cannot forget old keys", || intake.forget_old_keys()).await;
}

/// Closes the breakers of changed accounts, in a loop.
pub(super) async fn look_at_breakers(dispatcher: Arc<Dispatcher>, bell: Arc<LaneBell>) {
    let failures = Failures::of("cannot look at blocked lanes");
    let mut again = tokio::time::interval(BREAKER_LOOK);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match dispatcher.close_healed_breakers().await {
            Ok(closed) => {
                failures.over();
                if closed > 0 {
                    bell.ring();
                    tracing::info!(lanes.unblocked = closed, "changed accounts are tried again");
                }
            }
            Err(error) => failures.of_store(&error),
        }
    }
}
