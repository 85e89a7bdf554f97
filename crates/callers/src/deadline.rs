//! The time limit of a call's questions to the stores.

use std::cell::Cell;
use std::time::Duration;

use domain::ports::StoreError;
use tokio::time::Instant;

/// Time for all questions of one call: callers are promised an answer within 5 seconds.
const STORE_TIMEOUT: Duration = Duration::from_millis(4_800);

/// How long a report may take: longer than the store gives it.
const REPORT_TIMEOUT: Duration = Duration::from_secs(15);

tokio::task_local! {
    /// Time that the stores have taken for the current call.
    static SPENT: Cell<Duration>;
}

/// Runs a call, whose questions to the stores share `STORE_TIMEOUT`.
pub fn in_one_call<T>(call: impl Future<Output = T>) -> impl Future<Output = T> {
    SPENT.scope(Cell::default(), call)
}

/// Asks the stores within the remaining time.
///
/// # Errors
/// The stores' error, or `given_up`.
pub async fn in_time<T, E>(
    asking: impl Future<Output = Result<T, E>>,
    given_up: impl FnOnce(StoreError) -> E,
) -> Result<T, E> {
    let spent = SPENT.try_with(Cell::get).unwrap_or_default();
    let began = Instant::now();
    let answer = tokio::time::timeout(STORE_TIMEOUT.saturating_sub(spent), asking).await;
    // Outside of a call there is no sum to add to.
    let _ = SPENT.try_with(|all| all.set(spent + began.elapsed()));
    answer.unwrap_or_else(|elapsed| Err(given_up(StoreError::Unavailable(elapsed.into()))))
}

/// Asks for a report, within a longer time limit.
///
/// # Errors
/// The stores' error, or [`StoreError::Unavailable`].
pub async fn in_report_time<T, E: From<StoreError>>(
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let answer = tokio::time::timeout(REPORT_TIMEOUT, asking).await;
    answer.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into()).into()))
}
