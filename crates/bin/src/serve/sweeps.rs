//! What is too old goes, a few rows at a time.

use std::time::Duration;

use domain::ports::StoreError;
use tokio::time::MissedTickBehavior;

use super::failures::Failures;

/// How often to look. What somebody has locked at that moment is left for the next time, so that nothing
/// outlives its time by more than twice this and what the sweep itself takes.
const AGAIN: Duration = Duration::from_secs(5);

/// How long to wait between two statements: however much there is, others are hardly held up.
const BREATH: Duration = Duration::from_millis(20);

/// Sweeps again and again, each time until nothing is left; `failing` is what is said when it fails. A step sweeps some and says how many; one
/// that is interrupted sweeps nothing or all it would.
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
