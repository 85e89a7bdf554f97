use async_trait::async_trait;

use crate::usecases::{CheckError, CheckPassed};
use crate::values::{DealerId, Phone};

/// Sends test messages.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TestLine: Send + Sync {
    /// Sends one real test message in the dealer's lane, after waiting at most
    /// [`TEST_WAIT`](crate::usecases::TEST_WAIT) for its turn. When the caller gives up, a call that has
    /// begun still ends and is accounted for.
    async fn send_test(&self, dealer: &DealerId, target: Phone) -> Result<CheckPassed, CheckError>;
}
