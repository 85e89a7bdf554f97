//! The recorded calls, refused ones included.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One HTTP call to the simulated API; calls to the page and its controls are not recorded.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number since the start; never reset.
    pub seq: u64,
    /// The path without a trailing slash.
    pub endpoint: Cow<'static, str>,
    /// The `Authorization` header as sent.
    pub token: Option<Arc<str>>,
    /// When its head was read.
    pub received_at: DateTime<Utc>,
    /// When it was answered or aborted.
    pub answered_at: Option<DateTime<Utc>>,
    /// Its result.
    pub outcome: CallOutcome,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallOutcome {
    /// Still in progress.
    Open,
    /// It was answered completely.
    Answered {
        /// The HTTP status.
        http_status: u16,
    },
    /// Its answer was cut off.
    Truncated,
    /// Its connection was closed without an answer.
    Dropped,
    /// The client or the simulator closed the connection before the answer.
    ClientLeft,
}
