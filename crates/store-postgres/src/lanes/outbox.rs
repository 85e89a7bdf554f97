//! The outbox: each statement is one transaction in one round trip.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use domain::delivery::{expired, too_old_before};
use domain::ports::{BlockedLane, Claim, Lease, Outbox, Settled, Settlement, StoreError, WorkerId};
use domain::replies::{CONFIRMATION_TURN, opted_out};
use domain::requests::{CHANGED_BY, MessageState};
use domain::values::{DealerId, QuietHours};

use super::rows::{ClaimRow, CountRow, EpochRow, NextDueRow, dealer, readable, seconds};
use super::settling::Settling;
use crate::connection::failed;
use crate::connection::read_to_end::ReadToEnd as _;
use crate::schema::{dealer_settings, lane};
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// The most messages that one statement expires, so that none holds many locks for long (chosen).
const EXPIRE_AT_ONCE: i64 = 500;

#[async_trait]
impl Outbox for PgStore {
    async fn claim(
        &self,
        worker: WorkerId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let rows: Vec<ClaimRow> = self
            .database
            .ask_again(|mut connection| async move {
                let statement = claim(worker, limit, lease);
                statement.load(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(rows
            .into_iter()
            // A lane whose message was settled by evidence after its holder died: it is free now.
            .filter(|row| !row.is_empty())
            .filter_map(|row| readable(Claim::try_from(row)))
            .collect())
    }

    async fn begin_call(
        &self,
        dealer: &DealerId,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let statement = Statement::new(sql::BeginCall)
            .bind("dealer_id", dealer.as_str())
            .bind("worker", worker.0)
            .bind("lease_seconds", lease.as_secs_f64());
        let row: Option<EpochRow> = self
            .database
            .ask(|mut connection| async move {
                // The lane of a dealer without messages does not exist yet.
                diesel::insert_into(lane::table)
                    .values(lane::dealer_id.eq(dealer.as_str()))
                    .on_conflict_do_nothing()
                    .execute(&mut connection)
                    .await
                    .map_err(failed)?;
                statement
                    .optional_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(row.map(|row| Lease {
            dealer_id: dealer.clone(),
            epoch: row.epoch,
        }))
    }

    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<Settled, StoreError> {
        let settling = Settling {
            lease: lease.clone(),
            settlement: settlement.clone(),
            next: None,
        };
        Ok(self.settlements.write(settling).await?.0)
    }

    async fn settle_and_claim(
        &self,
        lease: &Lease,
        settlement: &Settlement,
        worker: WorkerId,
        next_lease: Duration,
    ) -> Result<(Settled, Option<Claim>), StoreError> {
        let settling = Settling {
            lease: lease.clone(),
            settlement: settlement.clone(),
            next: settlement.frees_lane().then_some((worker, next_lease)),
        };
        self.settlements.write(settling).await
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let row: NextDueRow = self
            .database
            .ask_again(|mut connection| async move {
                Statement::new(sql::NextDue)
                    .one_row(&mut connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(row.seconds.map(seconds))
    }

    async fn expire(&self, ttl: Duration) -> Result<u64, StoreError> {
        let print_keys = self.print_keys().await?;
        let row: CountRow = self
            .database
            .ask_again(|mut connection| async move {
                let quiet = quiet_hours().load(&mut connection).await.map_err(failed)?;
                let expiry = expiry(ttl, &quiet).bind("print_keys", print_keys);
                expiry.one_row(&mut connection).await.map_err(failed)
            })
            .await?;
        Ok(u64::try_from(row.rows).unwrap_or(0))
    }

    async fn blocked_lanes(&self) -> Result<Vec<BlockedLane>, StoreError> {
        let rows: Vec<(String, Option<String>)> = self
            .database
            .ask_again(|mut connection| async move {
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
            .filter_map(|(dealer_id, account_fingerprint)| {
                Some(BlockedLane {
                    dealer_id: readable(dealer(&dealer_id))?,
                    account_fingerprint,
                })
            })
            .collect())
    }

    async fn unblock(&self, lane: &BlockedLane) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::Unblock)
            .bind("dealer_id", lane.dealer_id.as_str())
            .bind("account_print", lane.account_fingerprint.as_deref());
        let closed = self.database.run(statement).await?;
        Ok(closed > 0)
    }

    async fn end_rest(&self, dealer: &DealerId) -> Result<(), StoreError> {
        let statement = Statement::new(sql::EndRest).bind("dealer_id", dealer.as_str());
        self.database.run(statement).await?;
        Ok(())
    }
}

fn claim(worker: WorkerId, limit: usize, lease: Duration) -> Statement<'static, sql::Claim> {
    Statement::new(sql::Claim)
        .bind("worker", worker.0)
        .bind("most", i64::try_from(limit).unwrap_or(i64::MAX))
        .bind("lease_seconds", lease.as_secs_f64())
        .bind("turn_seconds", CONFIRMATION_TURN.as_secs_f64())
}

/// A pair of quiet hours, and the time.
type QuietRow = (NaiveTime, NaiveTime, DateTime<Utc>);

/// All pairs of quiet hours, with the database's time.
#[diesel::dsl::auto_type]
fn quiet_hours() -> _ {
    dealer_settings::table
        .select((
            dealer_settings::quiet_from.assume_not_null(),
            dealer_settings::quiet_to.assume_not_null(),
            diesel::dsl::now.into_sql::<Timestamptz>(),
        ))
        .filter(dealer_settings::quiet_from.is_not_null())
        .distinct()
}

fn expiry(ttl: Duration, quiet: &[QuietRow]) -> Statement<'static, sql::Expire> {
    let too_old = |(from, to, now): &QuietRow| {
        let quiet = QuietHours::new(*from, *to).ok();
        too_old_before(quiet, ttl, *now)
    };
    let [expired_now, undecided] = [expired(0), expired(1)];
    let [expired_now, undecided] = [expired_now.values(), undecided.values()];
    let shown = expired_now.state.version_1();
    let undecided_shown = undecided.state.version_1();
    let out_shown = MessageState::Cancelled.version_1();
    Statement::new(sql::Expire)
        .bind_each("quiet_from", quiet, |row| row.0)
        .bind_each("quiet_to", quiet, |row| row.1)
        .bind_each("too_old_before", quiet, too_old)
        .bind("ttl_seconds", ttl.as_secs_f64())
        .bind("most", EXPIRE_AT_ONCE)
        .bind("reason", expired_now.reason.map(str::to_owned))
        .bind("request_status", shown.0.as_str())
        .bind("whatsapp_status", shown.1.as_str())
        .bind("undecided_reason", undecided.reason.map(str::to_owned))
        .bind("out_reason", opted_out(0))
        .bind("undecided_out_reason", opted_out(1))
        .bind("out_request_status", out_shown.0.as_str())
        .bind("out_whatsapp_status", out_shown.1.as_str())
        .bind("undecided_request_status", undecided_shown.0.as_str())
        .bind("undecided_whatsapp_status", undecided_shown.1.as_str())
        .bind("author", CHANGED_BY)
}
