use std::time::Duration;

use async_trait::async_trait;

use crate::requests::MessageState;

/// Whether one part of the service works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, such as `database`.
    pub name: &'static str,
    /// What was found, for people: `healthy`, `unhealthy`, or a plain word that says more. Never a
    /// driver's text, a host name or a secret.
    pub finding: String,
    /// Whether that is good enough to serve.
    pub passed: bool,
}

/// How many messages are in a state that is not their last, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// The state: QUEUED, SENDING or UNKNOWN.
    pub state: MessageState,
    /// How many messages are in it.
    pub messages: u64,
    /// How long the oldest of them has been due; `None` when none is.
    pub oldest_past_due: Option<Duration>,
}

/// The health of what the service stands on.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// What is well, found at most a second ago. Costs the store the same however often it is asked.
    async fn checks(&self) -> Vec<Check>;

    /// What is not finished, by state, as it was counted last; `None` when it could not be counted. Costs the
    /// store nothing.
    async fn backlog(&self) -> Option<Vec<Backlog>>;
}
