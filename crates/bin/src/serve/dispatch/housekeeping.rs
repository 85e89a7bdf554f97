//! What is done every few seconds, each in a task of its own, so that no message waits for it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Bell as _, Dispatcher, Intake};
use tokio::time::MissedTickBehavior;

use super::{LaneBell, source};
use crate::metrics::Metrics;

/// How often messages that became too old are ended.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// How often changed accounts are noticed. Operators are promised that a new key ends a pause within
/// 5 seconds, of which the store may remember the old one for 3.
const BREAKER_LOOK: Duration = Duration::from_millis(500);

/// Ends messages that became too old and sweeps old keys, again and again.
pub(super) async fn keep_house(
    dispatcher: Arc<Dispatcher>,
    intake: Arc<Intake>,
    metrics: Arc<Metrics>,
) {
    let mut again = tokio::time::interval(HOUSEKEEPING);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match dispatcher.expire().await {
            Ok(0) => {}
            Ok(expired) => {
                metrics.expired(expired);
                tracing::warn!(messages.expired = expired, "messages became too old");
            }
            Err(error) => {
                tracing::warn!(
                    error.source = source(&error),
                    "cannot end old messages: {error}"
                );
            }
        }
        if let Err(error) = intake.forget_old_keys().await {
            tracing::warn!(
                error.source = source(&error),
                "cannot sweep old keys: {error}"
            );
        }
    }
}

/// Notices changed accounts, again and again.
pub(super) async fn look_at_breakers(dispatcher: Arc<Dispatcher>, bell: Arc<LaneBell>) {
    let mut again = tokio::time::interval(BREAKER_LOOK);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        match dispatcher.close_healed_breakers().await {
            Ok(0) => {}
            Ok(closed) => {
                bell.ring();
                tracing::info!(lanes.unblocked = closed, "changed accounts are tried again");
            }
            Err(error) => {
                tracing::warn!(
                    error.source = source(&error),
                    "cannot look at blocked lanes: {error}"
                );
            }
        }
    }
}
