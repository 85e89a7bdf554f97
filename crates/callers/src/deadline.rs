//! How long a call may wait for the stores.

use std::cell::Cell;
use std::time::Duration;

use domain::ports::StoreError;
use tokio::time::Instant;

/// How long the stores may take altogether: callers are promised an answer within 5 seconds.
const STORE_TIMEOUT: Duration = Duration::from_millis(4_800);

tokio::task_local! {
    /// How long the stores have taken for the call at hand.
    static SPENT: Cell<Duration>;
}

/// Answers a call, whose questions to the stores have [`STORE_TIMEOUT`] between them.
pub fn in_one_call<T>(call: impl Future<Output = T>) -> impl Future<Output = T> {
    SPENT.scope(Cell::default(), call)
}

/// Asks the stores, and gives up in time.
///
/// # Errors
/// What the stores say, or `given_up`.
pub async fn in_time<T, E>(
    asking: impl Future<Output = Result<T, E>>,
    given_up: impl FnOnce(StoreError) -> E,
) -> Result<T, E> {
    let spent = SPENT.try_with(Cell::get).unwrap_or_default();
    let began = Instant::now();
    let answer = tokio::time::timeout(STORE_TIMEOUT.saturating_sub(spent), asking).await;
    // Outside of a call there is nothing to add to.
    let _ = SPENT.try_with(|all| all.set(spent + began.elapsed()));
    answer.unwrap_or_else(|elapsed| Err(given_up(StoreError::Unavailable(elapsed.into()))))
}
