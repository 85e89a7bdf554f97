use actix_web::web::Data;
use api_types::{DeviceReportBody, MessageReportBody, ReportReply, StatusReportBody};
use domain::events::EventTopic;
use domain::usecases::{EventError, EventReceived};
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;

use crate::http::{Answered, JsonBody};
use crate::observe::EventResult;
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// Take in a report about a message
///
/// For Fonnte, as the device's `webhookstatus`. The report is stored before it is answered and applied
/// afterwards, and it only moves a message forward. It may come before the message is known, late, or
/// repeatedly.
#[api_v2_operation(operation_id = "report_message_status", tags(webhook))]
pub(crate) async fn report_message_status(
    api: Data<Api>,
    token: Path<String>,
    body: JsonBody<StatusReportBody>,
) -> Result<Answered<ReportReply>, Problem> {
    receive(&api, &token, EventTopic::Status, body.bytes()).await
}

/// Take in a report about a device
///
/// For Fonnte, as the device's `webhookconnect`. When a device is connected again, messages that
/// waited for it go on at once.
#[api_v2_operation(operation_id = "report_device_status", tags(webhook))]
pub(crate) async fn report_device_status(
    api: Data<Api>,
    token: Path<String>,
    body: JsonBody<DeviceReportBody>,
) -> Result<Answered<ReportReply>, Problem> {
    receive(&api, &token, EventTopic::Device, body.bytes()).await
}

/// Take in what a customer writes back
///
/// For Fonnte, as the device's `webhook`. A private message of a person is stored once, by its `inboxid`, else
/// by sender, time and text. One that is `STOP`, `BERHENTI`, `UNSUBSCRIBE` or `STOP PESAN` in whole opts its
/// sender out of this dealer's messages before it is answered, `MULAI` or `START` in again. What comes from a
/// group, a channel, a foreign number or an id that is no phone is answered alike and not stored.
#[api_v2_operation(operation_id = "report_message", tags(webhook))]
pub(crate) async fn report_message(
    api: Data<Api>,
    token: Path<String>,
    body: JsonBody<MessageReportBody>,
) -> Result<Answered<ReportReply>, Problem> {
    receive(&api, &token, EventTopic::Message, body.bytes()).await
}

async fn receive(
    api: &Api,
    token: &str,
    topic: EventTopic,
    body: &[u8],
) -> Result<Answered<ReportReply>, Problem> {
    let receiving = api.events.receive(token, topic, body);
    let received = in_time(receiving, EventError::Store).await;
    api.observer
        .event_received(topic, EventResult::of(&received));
    match received? {
        EventReceived::Kept(dealer) => {
            tracing::info!(dealer.id = dealer.as_str(), event.topic = ?topic, "report stored");
        }
        EventReceived::Foreign(dealer) => tracing::info!(
            dealer.id = dealer.as_str(),
            event.topic = ?topic,
            "report ignored: it is no private message of a person"
        ),
        // A guess at the secret learns nothing from the answer.
        EventReceived::Ignored(dealer) => tracing::warn!(
            dealer.id = dealer.as_str(),
            event.topic = ?topic,
            "report ignored: it does not carry the dealer's secret"
        ),
    }
    Ok(Answered::ok(&ReportReply {
        success: true,
        message: "Report received".into(),
        data: (),
    }))
}
