use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use domain::delivery::LaneHistory;
use domain::persons::without_numbers;
use domain::ports::{Claim, Lease, OutboxMessage, StoreError, Task};
use domain::requests::{MessageId, RequestId};
use domain::values::DealerId;

use crate::requests::origin;
use crate::sql::sql_row;

sql_row! {
    /// A leased lane, with its message if any.
    pub(crate) struct ClaimRow {
        pub(crate) dealer_id: String,
        /// The epoch of the lease, or of the settled lease.
        pub(crate) epoch: i64,
        strikes: i32,
        blocks: i32,
        /// The holder of the previous lease vanished.
        lost: bool,
        message_id: Option<uuid::Uuid>,
        request_id: Option<uuid::Uuid>,
        target: Option<String>,
        body: Option<String>,
        unknowns: Option<i32>,
        awaited: Option<bool>,
        suspected: Option<bool>,
        http_request_id: Option<String>,
        traceparent: Option<String>,
        overdue_seconds: Option<f64>,
        calls_today: i32,
        now: DateTime<Utc>,
    }
}

impl ClaimRow {
    /// The holder vanished, but evidence has decided its message since: the lane is free, with nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.lost && self.message_id.is_none()
    }
}

impl TryFrom<ClaimRow> for Claim {
    type Error = StoreError;

    fn try_from(row: ClaimRow) -> Result<Self, StoreError> {
        let message = match (row.message_id, row.request_id, row.target, row.body) {
            (Some(id), Some(request_id), Some(target), Some(body)) => Some(OutboxMessage {
                id: MessageId(id),
                request_id: RequestId(request_id),
                target,
                body,
                unknowns: count(row.unknowns.unwrap_or(0)),
                overdue: seconds(row.overdue_seconds.unwrap_or(0.0)),
                awaited: row.awaited.unwrap_or(false),
                suspected: row.suspected.unwrap_or(false),
                origin: origin::read(row.http_request_id, row.traceparent),
            }),
            _ => None,
        };
        Ok(Self {
            lease: Lease {
                dealer_id: dealer(&row.dealer_id)?,
                epoch: row.epoch,
            },
            history: history(row.strikes, row.blocks),
            calls_today: count(row.calls_today),
            now: row.now,
            task: match message {
                Some(message) if row.lost => Task::Recover(message),
                Some(message) => Task::Send(message),
                None => Task::Probe,
            },
        })
    }
}

sql_row! {
    pub(crate) struct EpochRow {
        pub(crate) epoch: i64,
    }
}

/// The next claim of a settled lane, or a settlement that did not end as usual.
#[derive(QueryableByName)]
pub(crate) struct SettledRow {
    /// For a settlement, whether it took place: then its lane is leased for a message that could not be
    /// begun. `None` for a claim.
    #[diesel(sql_type = Nullable<Bool>)]
    pub(crate) applied: Option<bool>,
    #[diesel(embed)]
    pub(crate) claim: ClaimRow,
}

sql_row! {
    pub(crate) struct NextDueRow {
        pub(crate) seconds: Option<f64>,
    }
}

sql_row! {
    pub(crate) struct CountRow {
        pub(crate) rows: i64,
    }
}

/// Reads the dealer's number of a row.
pub(crate) fn dealer(raw: &str) -> Result<DealerId, StoreError> {
    DealerId::parse(raw).map_err(|fault| StoreError::Corrupt(fault.into()))
}

pub(crate) fn history(strikes: i32, blocks: i32) -> LaneHistory {
    LaneHistory {
        strikes: count(strikes),
        blocks: count(blocks),
    }
}

/// A duration; a negative one is zero, because its time has passed.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

fn count(stored: i32) -> u32 {
    u32::try_from(stored).unwrap_or(0)
}

/// A quota as it is stored, cut to the column's range.
pub(crate) fn quota(left: Option<u64>) -> Option<i64> {
    left.map(|left| i64::try_from(left).unwrap_or(i64::MAX))
}

/// Skips an unreadable row, which must not hold up the others of its batch.
pub(crate) fn readable<T>(row: Result<T, StoreError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!("a row of the outbox was passed over: {error}"))
        .ok()
}

/// The provider's text as it is stored: without numbers.
pub(crate) fn impersonal(words: &str) -> Cow<'_, str> {
    match storable(words) {
        Cow::Borrowed(words) => without_numbers(words),
        Cow::Owned(words) => without_numbers(&words).into_owned().into(),
    }
}

/// A text without NUL, which PostgreSQL cannot store.
pub(crate) fn storable(words: &str) -> Cow<'_, str> {
    if words.contains('\0') {
        words.replace('\0', "\u{fffd}").into()
    } else {
        words.into()
    }
}
