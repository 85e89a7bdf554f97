//! The queue of a dealer's lane, and why messages wait.

use actix_web::web::Data;
use api_types::{QueueData, QueueReply, WaitingItem, rfc_3339};
use domain::delivery::{Queue, Waiting};
use domain::usecases::LookupError;
use paperclip::actix::api_v2_operation;

use crate::access::DealerAt;
use crate::http::Answered;
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

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
    let reply = QueueReply::new("Dealer queue retrieved", queue_data(queue));
    Ok(Answered::ok(&reply))
}

/// A queue, as it is shown.
pub(crate) fn queue_data(queue: Queue) -> QueueData {
    QueueData {
        waiting: queue.waiting,
        scheduled: queue.scheduled,
        sending: queue.sending,
        oldest_due_at: queue.oldest_due_at.map(rfc_3339),
        paused: queue.paused.map(waiting_item),
        per_hour: queue.per_hour,
        done_at: queue.done_at.map(rfc_3339),
    }
}

/// The wire form of a wait.
pub(super) fn waiting_item(waiting: Waiting) -> WaitingItem {
    WaitingItem {
        reason: waiting.reason.as_str().into(),
        until: waiting.until.map(rfc_3339),
        detail: waiting.detail,
    }
}
