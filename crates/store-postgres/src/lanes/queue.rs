//! How dealers' lanes stand, and what waits in them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::AsyncPgConnection;
use domain::{DealerId, LaneState, MessageId, Place, QueueState, StoreError};

use super::rows::{dealer, history};
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::statement::Statement;

/// How the lane `l` of a row's dealer stands, where it has one.
macro_rules! lane_state {
    ($row:literal) => {
        concat!(
            $row,
            ".dealer_id::text AS lane_dealer_id, now() AS seen_at,
    coalesce(l.lease_until > now(), false) AS leased, l.message_id AS lane_message_id,
    CASE WHEN l.ready_at > now() THEN l.ready_at END AS ready_at,
    coalesce(l.strikes, 0) AS strikes, coalesce(l.blocks, 0) AS blocks, l.block_reason,
    CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls ELSE 0 END AS calls_today"
        )
    };
}
pub(crate) use lane_state;

/// Where a message `m` stands whose lane is `l`. Those before it are counted in the index alone: a
/// dealer may have a hundred thousand.
macro_rules! place {
    () => {
        concat!(
            $crate::lanes::queue::lane_state!("m"),
            ",
    m.next_try_at,
    CASE WHEN m.sent_at IS NOT NULL OR m.failed_at IS NOT NULL THEN NULL
    WHEN m.state = 'QUEUED' AND m.due_at <= now() AND EXISTS (
        SELECT FROM message o
        WHERE o.sent_at IS NULL AND o.failed_at IS NULL AND o.dealer_id = m.dealer_id
            AND (o.priority, o.due_at, o.id) < (m.priority, m.due_at, m.id)
            AND o.state = 'QUEUED' AND o.next_try_at <= now())
    THEN (
        SELECT count(*) FROM message o
        WHERE o.sent_at IS NULL AND o.failed_at IS NULL AND o.dealer_id = m.dealer_id
            AND (o.priority, o.due_at, o.id) < (m.priority, m.due_at, m.id)
            AND o.due_at <= now() AND o.id IS DISTINCT FROM l.message_id)
    ELSE 0 END AS before"
        )
    };
}
pub(crate) use place;

/// Reads the dealer's open messages in the index alone, where the one that is being sent looks like those
/// that wait: its lane names it. Those that are scheduled are counted by the minute, so that estimates
/// need not know each of them.
const QUEUE: &str = concat!(
    "
SELECT ",
    lane_state!("i"),
    ", count_of.*, later.*, (k.id IS NOT NULL)::int::bigint AS sending
FROM input i
LEFT JOIN lane l ON l.dealer_id = i.dealer_id
LEFT JOIN message k ON k.id = l.message_id AND k.state = 'SENDING'
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.due_at <= now()) AS waiting,
        count(*) FILTER (WHERE m.due_at > now()) AS scheduled,
        min(m.due_at) FILTER (WHERE m.due_at <= now()) AS oldest_due_at
    FROM message m
    WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = i.dealer_id
        AND m.id IS DISTINCT FROM k.id
) count_of
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(a.due_at ORDER BY a.due_at), '{}') AS due_later,
        coalesce(array_agg(a.messages ORDER BY a.due_at), '{}') AS due_later_messages
    FROM (
        SELECT max(m.due_at) AS due_at, count(*) AS messages
        FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = i.dealer_id
            AND m.due_at > now()
        GROUP BY date_trunc('minute', m.due_at)
        ORDER BY 1 LIMIT (SELECT most FROM input)
    ) a
) later"
);

/// How many minutes with scheduled messages an estimate looks at.
const MINUTES: i64 = 10_000;

/// What waits in a dealer's lane.
pub(crate) async fn queue(
    connection: &mut AsyncPgConnection,
    dealer: &DealerId,
) -> Result<QueueState, StoreError> {
    let row: QueueRow = statement(dealer.as_str())
        .one_row(connection)
        .await
        .map_err(failed)?;
    row.try_into()
}

pub(crate) fn statement(dealer: &str) -> Statement<'_> {
    Statement::new(QUEUE)
        .with::<Text, _>("varchar AS dealer_id", dealer)
        .with::<BigInt, _>("bigint AS most", MINUTES)
}

#[derive(QueryableByName)]
pub(crate) struct LaneStateRow {
    #[diesel(sql_type = Text)]
    lane_dealer_id: String,
    #[diesel(sql_type = Timestamptz)]
    seen_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    leased: bool,
    #[diesel(sql_type = Nullable<Uuid>)]
    lane_message_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ready_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    strikes: i32,
    #[diesel(sql_type = Integer)]
    blocks: i32,
    #[diesel(sql_type = Nullable<Text>)]
    block_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    calls_today: i32,
}

#[derive(QueryableByName)]
pub(crate) struct PlaceRow {
    #[diesel(embed)]
    lane: LaneStateRow,
    #[diesel(sql_type = Timestamptz)]
    next_try_at: DateTime<Utc>,
    /// NULL of a message that is finished.
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
    /// Where the message stands, unless it is finished.
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
