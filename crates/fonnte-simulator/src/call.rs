//! The calls that came in, refused ones included.

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
    /// The `Authorization` header as it came.
    pub token: Option<Arc<str>>,
    /// When its head had been read.
    pub received_at: DateTime<Utc>,
    /// When it was answered or given up.
    pub answered_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallOutcome {
    /// It has not ended.
    Open,
    /// It was answered completely.
    Answered {
        /// The HTTP status.
        http_status: u16,
    },
    /// Its answer was broken off.
    Truncated,
    /// Its connection was closed without an answer.
    Dropped,
    /// The client left, or the simulator closed, before there was an answer.
    ClientLeft,
}
