use std::time::Duration;

use async_trait::async_trait;

use crate::requests::MessageState;

/// The health of one part of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The checked part, such as `database`.
    pub name: &'static str,
    /// The finding, for people: `healthy`, `unhealthy`, or a plain word that says more. Never a driver's
    /// text, a host name or a secret.
    pub finding: String,
    /// Whether the service can work with that.
    pub passed: bool,
}

/// Messages in an unfinished state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// The state: QUEUED, SENDING or UNKNOWN.
    pub state: MessageState,
    /// The number of messages.
    pub messages: u64,
    /// How long the oldest of them has been due; `None` when none is due.
    pub oldest_past_due: Option<Duration>,
}

/// The health of the adapters.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// The checks, at most a second old: the store's load does not depend on how often they are read.
    async fn checks(&self) -> Vec<Check>;

    /// Unfinished messages by state, as counted last; `None` when counting failed. Costs the store nothing.
    async fn backlog(&self) -> Option<Vec<Backlog>>;
}
