use async_trait::async_trait;

use crate::usecases::{CheckError, CheckPassed};
use crate::values::{DealerId, Phone};

/// Where test messages are asked for.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TestLine: Send + Sync {
    /// Sends one real test message in the dealer's lane, waiting at most
    /// [`TEST_WAIT`](crate::usecases::TEST_WAIT) for its turn. Whoever asks may vanish meanwhile: a call that was
    /// begun goes on, and is accounted for.
    async fn send_test(&self, dealer: &DealerId, target: Phone) -> Result<CheckPassed, CheckError>;
}
