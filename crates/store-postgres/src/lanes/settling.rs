//! Group commit of settlements.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use domain::delivery::{LaneValues, MessageChange, MessageValues, REST_DOUBT, REST_LOOK};
use domain::events::provider_number;
use domain::persons::{ERASED, erased};
use domain::ports::{Claim, Lease, Settled, Settlement, StoreError, WorkerId};
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
        .bind::<Array<Text>, _>("dealer_ids", dealers)
        .bind::<Array<BigInt>, _>("epochs", epochs);
    if let Err(error) = statement.execute(connection).await {
        // The settlement itself is committed.
        let error = failed(error);
        tracing::warn!("lanes without a message stay leased until their lease is over: {error}");
    }
}

fn statement<'a>(works: &[&'a Settling], lock_timeout: &'static str) -> Statement<'a, sql::Settle> {
    macro_rules! column {
        (|$work:ident| $value:expr) => {
            works.iter().map(|$work| $value).collect::<Vec<_>>()
        };
    }
    let lanes: Vec<LaneValues<'a>> = column!(|work| work.settlement.lane.values());
    let messages: Vec<Option<MessageValues<'a>>> = column!(|work| {
        let message = work.settlement.message.as_ref();
        message.map(|(_, change)| change.values())
    });
    macro_rules! lane {
        (|$lane:ident| $value:expr) => {
            lanes.iter().map(|$lane| $value).collect::<Vec<_>>()
        };
    }
    /// NULL for a settlement without a message, or for a part that the message lacks.
    macro_rules! parts {
        (|$message:ident| $value:expr) => {
            messages
                .iter()
                .map(|message| message.and_then(|$message| $value))
                .collect::<Vec<_>>()
        };
    }
    macro_rules! message {
        (|$message:ident| $value:expr) => {
            parts!(|$message| Some($value))
        };
    }
    let cancelled = MessageState::Cancelled.version_1();
    Statement::new(sql::Settle)
        .bind::<Text, _>("lock_timeout", lock_timeout)
        .bind::<Array<Text>, _>("dealer_id", column!(|work| work.lease.dealer_id.as_str()))
        .bind::<Array<BigInt>, _>("epoch", column!(|work| work.lease.epoch))
        .bind::<Array<Double>, _>("pause_seconds", lane!(|lane| lane.pause.as_secs_f64()))
        .bind::<Array<Bool>, _>("keeps_pause", lane!(|lane| lane.keeps_pause))
        .bind::<Array<Bool>, _>("forgets_trouble", lane!(|lane| lane.forgets_trouble))
        .bind::<Array<Integer>, _>("strikes", lane!(|lane| lane.strikes.cast_signed()))
        .bind::<Array<Integer>, _>("blocks", lane!(|lane| lane.blocks.cast_signed()))
        .bind::<Array<Nullable<Bool>>, _>("probed", lane!(|lane| lane.probed))
        .bind::<Array<Nullable<Timestamptz>>, _>("rest_until", lane!(|lane| lane.rest_until))
        .bind::<Array<Bool>, _>("ages_after_rest", lane!(|lane| lane.ages_after_rest))
        .bind::<Array<Bool>, _>("called", column!(|work| work.settlement.called))
        .bind::<Array<Nullable<Text>>, _>(
            "block_reason",
            lane!(|lane| lane.block_reason.map(impersonal)),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "account_print",
            column!(|work| work.settlement.account_fingerprint.as_deref()),
        )
        .bind::<Array<Nullable<Uuid>>, _>(
            "message_id",
            column!(|work| work.settlement.message.as_ref().map(|(id, _)| id.0)),
        )
        .bind::<Array<Nullable<Uuid>>, _>(
            "suspect_id",
            column!(|work| match &work.settlement.message {
                Some((id, MessageChange::Suspected)) => Some(id.0),
                _ => None,
            }),
        )
        .bind::<Array<Nullable<Text>>, _>("state", message!(|message| message.state.as_str()))
        .bind::<Array<Nullable<Text>>, _>(
            "request_status",
            message!(|message| message.state.version_1().0.as_str()),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "whatsapp_status",
            message!(|message| message.state.version_1().1.as_str()),
        )
        .bind::<Array<Nullable<Double>>, _>(
            "wait_seconds",
            message!(|message| message.wait.as_secs_f64()),
        )
        .bind::<Array<Nullable<Integer>>, _>(
            "unknowns",
            message!(|message| message.unknowns.cast_signed()),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "reason",
            parts!(|message| message.reason.map(impersonal)),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "provider_id",
            parts!(|message| message.receipt?.message_id.as_deref()),
        )
        .bind::<Array<Nullable<BigInt>>, _>(
            "provider_request_id",
            parts!(|message| message.receipt?.request_id),
        )
        .bind::<Array<Nullable<Text>>, _>(
            "answer",
            column!(|work| {
                let attempt = work.settlement.attempt.as_ref();
                attempt.and_then(|attempt| attempt.answer.as_deref())
            }),
        )
        .bind::<Array<Nullable<Text>>, _>("attempt", column!(|work| work.attempt()))
        .bind::<Array<Nullable<Text>>, _>("accepted_id", column!(|work| work.settlement.accepted()))
        .bind::<Array<Nullable<BigInt>>, _>(
            "accepted_number",
            column!(|work| work.settlement.accepted().and_then(provider_number)),
        )
        .bind::<Array<Nullable<BigInt>>, _>(
            "quota_left",
            column!(|work| {
                let receipt = work.settlement.receipt();
                quota(receipt.and_then(|receipt| receipt.quota_left))
            }),
        )
        .bind::<Array<Nullable<Integer>>, _>(
            "unaccounted",
            column!(|work| work.settlement.unaccounted()),
        )
        .bind::<Array<Nullable<Uuid>>, _>(
            "worker",
            column!(|work| work.next.map(|(worker, _)| worker.0)),
        )
        .bind::<Array<Nullable<Double>>, _>(
            "lease_seconds",
            column!(|work| work.next.map(|(_, lease)| lease.as_secs_f64())),
        )
        .bind::<Double, _>("doubt_seconds", REST_DOUBT.as_secs_f64())
        .bind::<Double, _>("look_seconds", REST_LOOK.as_secs_f64())
        .bind::<Text, _>("erased", ERASED)
        .bind::<Text, _>("undecided_reason", erased(1))
        .bind::<Text, _>("cancelled_reason", erased(0))
        .bind::<Text, _>("cancelled_request_status", cancelled.0.as_str())
        .bind::<Text, _>("cancelled_whatsapp_status", cancelled.1.as_str())
        .bind::<Text, _>("author", CHANGED_BY)
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
