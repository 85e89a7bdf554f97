//! Group commit of settlements.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::result::{Error, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use domain::delivery::{LaneValues, MessageChange, MessageValues, REST_DOUBT, REST_LOOK};
use domain::events::provider_number;
use domain::persons::{ERASED, erased};
use domain::ports::{Claim, Lease, Settled, Settlement, StoreError, WorkerId};
use domain::replies::CONFIRMATION_TURN;
use domain::requests::{CHANGED_BY, MessageState};
use domain::values::DealerId;
use serde::Serialize;

use super::rows::{SettledRow, impersonal, quota, readable};
use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, Statement};

/// Lock wait of a batch, and of a settlement alone: a message or request that another program has locked
/// delays only its own dealer's settlement.
const BRIEFLY: &str = "50ms";
const PATIENTLY: &str = "1s";

/// A settlement with a waiting caller.
pub(crate) struct Settling {
    pub(crate) lease: Lease,
    pub(crate) settlement: Settlement,
    /// For which worker and for how long the lane is leased again, if it may go on.
    pub(crate) next: Option<(WorkerId, Duration)>,
}

/// The result of a settlement, and the next claim of its lane.
pub(crate) type SettledAndNext = (Settled, Option<Claim>);

impl Work for Settling {
    type Answer = SettledAndNext;
    /// One statement changes a lane once. Two leases of a lane may also hold the same message.
    type Key = DealerId;
    const SECOND_TRY: bool = true;
    /// Bounds the connections that wait for requests locked by another program.
    const ALONE: usize = 2;

    fn key(&self) -> Option<DealerId> {
        Some(self.lease.dealer_id.clone())
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        works: &[&Self],
    ) -> QueryResult<Vec<Option<SettledAndNext>>> {
        write(connection, works, BRIEFLY).await
    }

    async fn write_alone(&self, database: &Database) -> StoreResult<SettledAndNext> {
        // A locked next message must not block the settlement.
        let alone = Self {
            lease: self.lease.clone(),
            settlement: self.settlement.clone(),
            next: None,
        };
        let alone = &alone;
        let answers = database
            .ask_again(|mut connection| async move {
                let answers = write(&mut connection, &[alone], PATIENTLY).await;
                answers.map_err(failed)
            })
            .await?;
        let answer = answers.into_iter().flatten().next();
        answer.ok_or_else(|| StoreError::Unavailable(Error::NotFound.into()))
    }
}

async fn write(
    connection: &mut AsyncPgConnection,
    works: &[&Settling],
    lock_timeout: &'static str,
) -> QueryResult<Vec<Option<SettledAndNext>>> {
    let rows: Vec<SettledRow> = statement(works, lock_timeout).load(connection).await?;
    let mut lost = HashSet::new();
    let mut leased = HashMap::new();
    let mut next = HashMap::new();
    for row in rows {
        let dealer = row.claim.dealer_id.clone();
        match row.applied {
            None => {
                next.insert(dealer, row.claim);
            }
            Some(true) => {
                leased.insert(dealer, row.claim.epoch + 1);
            }
            Some(false) => {
                lost.insert(dealer);
            }
        }
    }
    if !leased.is_empty() {
        give_back(connection, leased).await;
    }
    let mut answer = |work: &&Settling| {
        let dealer = work.lease.dealer_id.as_str();
        let settled = if lost.contains(dealer) {
            Settled::LeaseLost
        } else {
            Settled::Applied
        };
        let next = next.remove(dealer).map(Claim::try_from);
        Some((settled, next.and_then(readable)))
    };
    Ok(works.iter().map(&mut answer).collect())
}

/// Releases lanes whose next message was cancelled or put off at the same moment.
async fn give_back(connection: &mut AsyncPgConnection, leased: HashMap<String, i64>) {
    let (dealers, epochs): (Vec<String>, Vec<i64>) = leased.into_iter().unzip();
    let statement = Statement::new(sql::GiveBack)
        .bind("dealer_ids", dealers)
        .bind("epochs", epochs);
    if let Err(error) = statement.execute(connection).await {
        // The settlement itself is committed.
        let error = failed(error);
        tracing::warn!("lanes without a message stay leased until their lease is over: {error}");
    }
}

fn statement<'a>(works: &[&'a Settling], lock_timeout: &'static str) -> Statement<'a, sql::Settle> {
    let lanes: Vec<LaneValues<'a>> = works
        .iter()
        .map(|work| work.settlement.lane.values())
        .collect();
    // None without a message.
    let messages: Vec<Option<MessageValues<'a>>> = works
        .iter()
        .map(|work| Some(work.settlement.message.as_ref()?.1.values()))
        .collect();
    let cancelled = MessageState::Cancelled.version_1();
    Statement::new(sql::Settle)
        .bind("lock_timeout", lock_timeout)
        .bind("turn_seconds", CONFIRMATION_TURN.as_secs_f64())
        .bind_each("dealer_id", works, |it| it.lease.dealer_id.as_str())
        .bind_each("epoch", works, |it| it.lease.epoch)
        .bind_each("pause_seconds", &lanes, |it| it.pause.as_secs_f64())
        .bind_each("keeps_pause", &lanes, |it| it.keeps_pause)
        .bind_each("forgets_trouble", &lanes, |it| it.forgets_trouble)
        .bind_each("strikes", &lanes, |it| it.strikes.cast_signed())
        .bind_each("blocks", &lanes, |it| it.blocks.cast_signed())
        .bind_each("probed", &lanes, |it| it.probed)
        .bind_each("rest_until", &lanes, |it| it.rest_until)
        .bind_each("ages_after_rest", &lanes, |it| it.ages_after_rest)
        .bind_each("called", works, |it| it.settlement.called)
        .bind_each("block_reason", &lanes, |it| it.block_reason.map(impersonal))
        .bind_each("account_print", works, |it| {
            it.settlement.account_fingerprint.as_deref()
        })
        .bind_each("message_id", works, |it| {
            it.settlement.message.as_ref().map(|(id, _)| id.0)
        })
        .bind_each("suspect_id", works, |it| match &it.settlement.message {
            Some((id, MessageChange::Suspected)) => Some(id.0),
            _ => None,
        })
        .bind_each("state", &messages, |it| it.map(|it| it.state.as_str()))
        .bind_each("request_status", &messages, |it| {
            it.map(|it| it.state.version_1().0.as_str())
        })
        .bind_each("whatsapp_status", &messages, |it| {
            it.map(|it| it.state.version_1().1.as_str())
        })
        .bind_each("wait_seconds", &messages, |it| {
            it.map(|it| it.wait.as_secs_f64())
        })
        .bind_each("unknowns", &messages, |it| {
            it.map(|it| it.unknowns.cast_signed())
        })
        .bind_each("reason", &messages, |it| {
            it.and_then(|it| it.reason.map(impersonal))
        })
        .bind_each("provider_id", &messages, |it| {
            it.and_then(|it| it.receipt?.message_id.as_deref())
        })
        .bind_each("provider_request_id", &messages, |it| {
            it.and_then(|it| it.receipt?.request_id)
        })
        .bind_each("answer", works, |it| {
            let attempt = it.settlement.attempt.as_ref();
            attempt.and_then(|attempt| attempt.answer.as_deref())
        })
        .bind_each("attempt", works, |it| it.attempt())
        .bind_each("accepted_id", works, |it| it.settlement.accepted())
        .bind_each("accepted_number", works, |it| {
            it.settlement.accepted().and_then(provider_number)
        })
        .bind_each("quota_left", works, |it| {
            let receipt = it.settlement.receipt();
            quota(receipt.and_then(|receipt| receipt.quota_left))
        })
        .bind_each("unaccounted", works, |it| it.settlement.unaccounted())
        .bind_each("worker", works, |it| it.next.map(|(worker, _)| worker.0))
        .bind_each("lease_seconds", works, |it| {
            it.next.map(|(_, lease)| lease.as_secs_f64())
        })
        .bind("doubt_seconds", REST_DOUBT.as_secs_f64())
        .bind("look_seconds", REST_LOOK.as_secs_f64())
        .bind("erased", ERASED)
        .bind("undecided_reason", erased(1))
        .bind("cancelled_reason", erased(0))
        .bind("cancelled_request_status", cancelled.0.as_str())
        .bind("cancelled_whatsapp_status", cancelled.1.as_str())
        .bind("author", CHANGED_BY)
}

impl Settling {
    /// The attempt as it is stored, without its time.
    fn attempt(&self) -> Option<String> {
        let attempt = self.settlement.attempt.as_ref()?;
        let kept = KeptAttempt {
            epoch: self.lease.epoch,
            outcome: attempt.outcome.as_str(),
            detail: impersonal(&attempt.detail),
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
        };
        serde_json::to_string(&kept).ok()
    }
}

/// An attempt in the column `attempts`.
#[derive(Serialize)]
struct KeptAttempt<'a> {
    epoch: i64,
    outcome: &'static str,
    detail: Cow<'a, str>,
    duration_ms: u64,
}
