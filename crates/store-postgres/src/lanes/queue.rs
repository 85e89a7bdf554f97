//! The state of dealers' lanes, and the messages that wait in them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz};
use diesel_async::AsyncPgConnection;
use domain::delivery::{LaneState, Place, QueueState};
use domain::ports::StoreError;
use domain::requests::MessageId;
use domain::values::DealerId;

use super::rows::{dealer, history};
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::sql::{self, Statement, sql_row};

/// How many minutes with scheduled messages an estimate reads (chosen).
const MINUTES: i64 = 10_000;

/// The messages that wait in a dealer's lane.
pub(crate) async fn queue(
    connection: &mut AsyncPgConnection,
    dealer: &DealerId,
) -> Result<QueueState, StoreError> {
    let row: QueueRow = Statement::new(sql::Queue)
        .bind("dealer_id", dealer.as_str())
        .bind("most", MINUTES)
        .one_row(connection)
        .await
        .map_err(failed)?;
    row.try_into()
}

sql_row! {
    pub(crate) struct LaneStateRow {
        lane_dealer_id: String,
        seen_at: DateTime<Utc>,
        leased: bool,
        lane_message_id: Option<uuid::Uuid>,
        ready_at: Option<DateTime<Utc>>,
        strikes: i32,
        blocks: i32,
        block_reason: Option<String>,
        calls_today: i32,
    }
}

#[derive(QueryableByName)]
pub(crate) struct PlaceRow {
    #[diesel(embed)]
    lane: LaneStateRow,
    #[diesel(sql_type = Timestamptz)]
    next_try_at: DateTime<Utc>,
    /// NULL for a finished message.
    #[diesel(sql_type = Nullable<BigInt>)]
    before: Option<i64>,
}

#[derive(QueryableByName)]
struct QueueRow {
    #[diesel(embed)]
    lane: LaneStateRow,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    scheduled: i64,
    #[diesel(sql_type = BigInt)]
    sending: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest_due_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Array<Timestamptz>)]
    due_later: Vec<DateTime<Utc>>,
    #[diesel(sql_type = Array<BigInt>)]
    due_later_messages: Vec<i64>,
}

impl TryFrom<LaneStateRow> for LaneState {
    type Error = StoreError;

    fn try_from(row: LaneStateRow) -> Result<Self, StoreError> {
        Ok(Self {
            dealer_id: dealer(&row.lane_dealer_id)?,
            now: row.seen_at,
            leased: row.leased,
            message: row.lane_message_id.map(MessageId),
            ready_at: row.ready_at,
            history: history(row.strikes, row.blocks),
            block_reason: row.block_reason,
            calls_today: u32::try_from(row.calls_today).unwrap_or(0),
        })
    }
}

impl PlaceRow {
    /// The message's place in the queue, unless it is finished.
    pub(crate) fn place(self) -> Result<Option<Place>, StoreError> {
        let Some(before) = self.before else {
            return Ok(None);
        };
        Ok(Some(Place {
            lane: self.lane.try_into()?,
            next_try_at: self.next_try_at,
            before: count(before),
        }))
    }
}

impl TryFrom<QueueRow> for QueueState {
    type Error = StoreError;

    fn try_from(row: QueueRow) -> Result<Self, StoreError> {
        let messages = row.due_later_messages.into_iter().map(count);
        Ok(Self {
            lane: row.lane.try_into()?,
            waiting: count(row.waiting),
            scheduled: count(row.scheduled),
            sending: count(row.sending),
            oldest_due_at: row.oldest_due_at,
            due_later: row.due_later.into_iter().zip(messages).collect(),
        })
    }
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
