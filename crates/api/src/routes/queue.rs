//! What waits in a dealer's lane, and why messages wait.

use actix_web::web::Data;
use domain::{LookupError, Queue, Waiting};
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;

use super::rfc_3339;
use crate::access::DealerAt;
use crate::deadline::in_time;
use crate::http::Answered;
use crate::problem::Problem;
use crate::state::Api;

/// Why a message waits, or a dealer's messages as a whole.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct WaitingItem {
    /// What it waits for. `schedule`: its time. `turn`: others of its dealer are before it. `pace`: the
    /// pause between two calls. `retry`: the next try, after one that did not reach Fonnte or whose outcome
    /// is unknown. `account`: the dealer's account is blocked, `detail` says why. `quiet_hours`,
    /// `daily_limit`: as the dealer's settings want it. `evidence`: a report of Fonnte that tells an
    /// unknown outcome.
    #[serde(rename = "for")]
    reason: &'static str,
    /// Until when; null where nobody knows. For `turn` an estimate.
    until: Option<String>,
    /// More about it, for a person; phones are masked.
    detail: Option<String>,
}

/// A dealer's queue.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct QueueReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: QueueData,
}

/// What waits to be sent for a dealer, and until when that takes. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct QueueData {
    /// Messages that are due and wait.
    waiting: u64,
    /// Messages that are not due yet.
    scheduled: u64,
    /// Messages of which a call is in flight, or whose outcome is not decided yet.
    sending: u64,
    /// When the oldest of those that wait was due.
    oldest_due_at: Option<String>,
    /// Why nothing is sent for the dealer now; null when messages are sent, or would be.
    paused: Option<WaitingItem>,
    /// How many messages the pace allows in an hour, rounded up; null where there is no pause between
    /// calls. A call takes its time besides.
    per_hour: Option<u64>,
    /// An estimate: when the last message that is due by then will have been sent, from the pace, quiet
    /// hours, the daily limit and what waits. Calls take longer than that by themselves, and tries that
    /// fail are not foreseen. Null when nothing is to be sent, while the account is blocked, and for more
    /// than a year ahead.
    done_at: Option<String>,
}

/// Show what waits to be sent for a dealer
///
/// Counts, why nothing is sent now, and an estimate of when all of it will have been sent. A dealer
/// without messages has an empty queue.
#[api_v2_operation(operation_id = "get_dealer_queue", tags(dealer))]
pub(crate) async fn get_dealer_queue(
    dealer: DealerAt,
    api: Data<Api>,
) -> Result<Answered<QueueReply>, Problem> {
    let asking = api.messages.queue(dealer.id()?);
    let queue = in_time(asking, LookupError::Store).await?;
    Ok(Answered::ok(&QueueReply {
        success: true,
        message: "Dealer queue retrieved",
        data: queue.into(),
    }))
}

impl From<Waiting> for WaitingItem {
    fn from(waiting: Waiting) -> Self {
        Self {
            reason: waiting.reason.as_str(),
            until: waiting.until.map(rfc_3339),
            detail: waiting.detail,
        }
    }
}

impl From<Queue> for QueueData {
    fn from(queue: Queue) -> Self {
        Self {
            waiting: queue.waiting,
            scheduled: queue.scheduled,
            sending: queue.sending,
            oldest_due_at: queue.oldest_due_at.map(rfc_3339),
            paused: queue.paused.map(WaitingItem::from),
            per_hour: queue.per_hour,
            done_at: queue.done_at.map(rfc_3339),
        }
    }
}
