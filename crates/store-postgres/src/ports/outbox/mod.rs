//! The outbox: each statement is one transaction in one round trip.

pub(super) mod rows;
mod sql;
mod update;

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use domain::{
    BlockedLane, CHANGED_BY, Claim, DealerId, ERASED, LaneHistory, Lease, MessageState, Outbox,
    REST_DOUBT, REST_LOOK, Settled, Settlement, StoreError, WorkerId, erased, expired,
    provider_number,
};
use serde_json::json;

use self::rows::{ClaimRow, CountRow, LaneRow, NextDueRow, SettledRow, dealer, history, seconds};
use self::update::{LaneUpdate, MessageUpdate};
use super::PgStore;
use crate::connect::failed;
use crate::schema::lane;
use crate::statement::Statement;

/// How many messages one statement ends at most, so that none holds many locks for long.
const EXPIRE_AT_ONCE: i64 = 500;

#[async_trait]
impl Outbox for PgStore {
    async fn claim(
        &self,
        worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let statement = claim(worker, limit, lease);
        let rows: Vec<ClaimRow> =
            self.database
                .ask(|mut connection| async move {
                    statement.load(&mut connection).await.map_err(failed)
                })
                .await?;
        Ok(rows
            .into_iter()
            // A lane whose holder died after its message had got evidence: now free, nothing to do.
            .filter(|row| !row.is_empty())
            .filter_map(|row| readable(Claim::try_from(row)))
            .collect())
    }

    async fn lease_lane(
        &self,
        dealer: &DealerId,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<(Lease, LaneHistory)>, StoreError> {
        let statement = Statement::new(sql::LEASE_LANE)
            .with::<Text, _>("varchar AS dealer_id", dealer.as_str())
            .with::<Uuid, _>("uuid AS worker", worker.0)
            .with::<Double, _>("float8 AS lease_seconds", lease.as_secs_f64());
        let row: Option<LaneRow> = self
            .database
            .ask(|mut connection| async move {
                // The lane of a dealer who never had a message does not exist yet.
                diesel::insert_into(lane::table)
                    .values(lane::dealer_id.eq(dealer.as_str()))
                    .on_conflict_do_nothing()
                    .execute(&mut connection)
                    .await
                    .map_err(failed)?;
                statement
                    .get_result(&mut connection)
                    .await
                    .optional()
                    .map_err(failed)
            })
            .await?;
        Ok(row.map(|row| {
            let lease = Lease {
                dealer_id: dealer.clone(),
                epoch: row.epoch,
            };
            (lease, history(row.strikes, row.blocks))
        }))
    }

    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError> {
        let message = MessageUpdate::from(settlement);
        let lane = LaneUpdate::from(&settlement.lane);
        let attempt = settlement.attempt.as_ref().map(|attempt| {
            json!({
                "epoch": lease.epoch,
                "outcome": attempt.outcome.as_str(),
                "detail": storable(&attempt.detail),
                "duration_ms": u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            })
            .to_string()
        });
        let answer = settlement
            .attempt
            .as_ref()
            .and_then(|attempt| attempt.answer.as_deref());
        let cancelled = MessageState::Cancelled.version_1();
        let statement = Statement::new(sql::SETTLE)
            .with::<Text, _>("varchar AS dealer_id", lease.dealer_id.as_str())
            .with::<BigInt, _>("bigint AS epoch", lease.epoch)
            .with::<Text, _>("text AS lane", lane.kind)
            .with::<Double, _>("float8 AS pause_seconds", lane.pause.as_secs_f64())
            .with::<Nullable<Timestamptz>, _>("timestamptz AS rest_until", lane.rest_until)
            .with::<Double, _>("float8 AS doubt_seconds", REST_DOUBT.as_secs_f64())
            .with::<Double, _>("float8 AS look_seconds", REST_LOOK.as_secs_f64())
            .with::<Bool, _>("bool AS called", settlement.called)
            .with::<Nullable<Text>, _>("text AS block_reason", lane.block_reason.map(storable))
            .with::<Nullable<Text>, _>("text AS account_print", settlement.account_print.as_deref())
            .with::<Nullable<Uuid>, _>("uuid AS message_id", message.id)
            .with::<Nullable<Text>, _>("text AS state", message.state.map(MessageState::as_str))
            .with::<Text, _>("varchar AS request_status", message.version_1.0)
            .with::<Text, _>("varchar AS whatsapp_status", message.version_1.1)
            .with::<Double, _>("float8 AS wait_seconds", message.wait.as_secs_f64())
            .with::<Integer, _>("int AS unknowns", i32::from(message.unknown))
            .with::<Nullable<Text>, _>("text AS reason", message.reason.map(storable))
            .with::<Nullable<Text>, _>(
                "text AS provider_id",
                message
                    .receipt
                    .and_then(|receipt| receipt.message_id.as_deref()),
            )
            .with::<Nullable<BigInt>, _>(
                "bigint AS provider_request_id",
                message.receipt.and_then(|receipt| receipt.request_id),
            )
            .with::<Nullable<Text>, _>("json AS answer", answer)
            .with::<Nullable<Text>, _>("jsonb AS attempt", attempt)
            .with::<Nullable<Text>, _>("text AS accepted_id", settlement.accepted())
            .with::<Nullable<BigInt>, _>(
                "bigint AS accepted_number",
                settlement.accepted().and_then(provider_number),
            )
            .with::<Text, _>("varchar AS author", CHANGED_BY)
            .with::<Text, _>("text AS erased", ERASED)
            .with::<Text, _>("text AS cancelled_reason", erased(0))
            .with::<Text, _>("text AS undecided_reason", erased(1))
            .with::<Text, _>("varchar AS cancelled_request_status", cancelled.0.as_str())
            .with::<Text, _>("varchar AS cancelled_whatsapp_status", cancelled.1.as_str());
        let row: SettledRow = self
            .database
            .ask(|mut connection| async move {
                statement.get_result(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(if row.applied {
            Settled::Applied
        } else {
            Settled::LeaseLost
        })
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let row: NextDueRow = self
            .database
            .ask(|mut connection| async move {
                next_due().get_result(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(row.seconds.map(seconds))
    }

    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError> {
        let too_old = expired(0);
        let too_old = MessageUpdate::of(None, &too_old);
        let undecided = expired(1);
        let undecided = MessageUpdate::of(None, &undecided);
        let statement = Statement::new(sql::EXPIRE)
            .with::<Double, _>("float8 AS ttl_seconds", ttl.as_secs_f64())
            .with::<BigInt, _>("bigint AS most", EXPIRE_AT_ONCE)
            .with::<Nullable<Text>, _>("text AS reason", too_old.reason)
            .with::<Text, _>("varchar AS request_status", too_old.version_1.0)
            .with::<Text, _>("varchar AS whatsapp_status", too_old.version_1.1)
            .with::<Nullable<Text>, _>("text AS undecided_reason", undecided.reason)
            .with::<Text, _>("varchar AS undecided_request_status", undecided.version_1.0)
            .with::<Text, _>(
                "varchar AS undecided_whatsapp_status",
                undecided.version_1.1,
            )
            .with::<Text, _>("varchar AS author", CHANGED_BY);
        let row: CountRow = self
            .database
            .ask(|mut connection| async move {
                statement.get_result(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(u64::try_from(row.rows).unwrap_or(0))
    }

    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError> {
        let rows: Vec<(String, Option<String>)> = self
            .database
            .ask(|mut connection| async move {
                lane::table
                    .filter(lane::blocks.gt(0))
                    .select((lane::dealer_id, lane::account_print))
                    .load(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(dealer_id, account_print)| {
                Some(BlockedLane {
                    dealer_id: readable(dealer(&dealer_id))?,
                    account_print,
                })
            })
            .collect())
    }

    async fn unblock(&self, dealer: &DealerId) -> Result<bool, StoreError> {
        let statement =
            Statement::new(sql::UNBLOCK).with::<Text, _>("varchar AS dealer_id", dealer.as_str());
        let closed = self
            .database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(closed > 0)
    }

    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError> {
        let statement =
            Statement::new(sql::END_REST).with::<Text, _>("varchar AS dealer_id", dealer.as_str());
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(())
    }
}

pub(super) fn claim(worker: WorkerId, limit: usize, lease: Duration) -> Statement<'static> {
    Statement::new(sql::CLAIM)
        .with::<Uuid, _>("uuid AS worker", worker.0)
        .with::<BigInt, _>("bigint AS most", i64::try_from(limit).unwrap_or(i64::MAX))
        .with::<Double, _>("float8 AS lease_seconds", lease.as_secs_f64())
}

pub(super) fn next_due() -> Statement<'static> {
    Statement::new(sql::NEXT_DUE).with::<Bool, _>("bool AS always", true)
}

/// A row that cannot be read must not hold up the others of its batch.
fn readable<T>(row: Result<T, StoreError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!("a row of the outbox was passed over: {error}"))
        .ok()
}

/// The provider's words without NUL, which PostgreSQL has no place for.
pub(super) fn storable(words: &str) -> Cow<'_, str> {
    if words.contains('\0') {
        words.replace('\0', "\u{fffd}").into()
    } else {
        words.into()
    }
}
