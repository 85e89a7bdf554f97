//! Loops that delete expired rows, a few at a time.

use std::time::Duration;

use domain::ports::StoreError;
use tokio::time::MissedTickBehavior;

use super::failures::Failures;

/// The interval of a sweep. Locked rows are left for the next one, so that no row outlives its time by more
/// than twice this and the sweep's own time.
const AGAIN: Duration = Duration::from_secs(5);

/// The pause between two statements, so that a long sweep adds little load (chosen).
const BREATH: Duration = Duration::from_millis(20);

/// Sweeps in a loop, each time until nothing is left; `failing` is the log text of a failure. A step deletes
/// a batch and returns its size; an interrupted one deletes nothing or all of it.
pub(super) async fn sweep<F, Step>(failing: &'static str, mut step: F)
where
    F: FnMut() -> Step,
    Step: Future<Output = Result<u64, StoreError>>,
{
    let failures = Failures::of(failing);
    let mut again = tokio::time::interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match step().await {
            Ok(0) => {
                failures.over();
                again.tick().await;
            }
            Ok(_) => tokio::time::sleep(BREATH).await,
            Err(error) => {
                failures.of_store(&error);
                again.tick().await;
            }
        }
    }
}
