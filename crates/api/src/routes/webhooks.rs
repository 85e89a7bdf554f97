use actix_web::web::Data;
use domain::{EventError, EventReceived, EventTopic};
use paperclip::actix::web::Path;
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;

use crate::deadline::in_time;
use crate::http::{Answered, JsonBody};
use crate::observe::EventResult;
use crate::problem::Problem;
use crate::state::Api;

/// A report about a message, as Fonnte makes it. It names the message by `id`, by `stateid`, or by
/// both. Anything else that is JSON is taken in as well.
#[derive(Apiv2Schema)]
#[expect(
    dead_code,
    reason = "describes the body, which the provider's adapter reads"
)]
pub(crate) struct StatusReportBody {
    /// The number of the dealer's device.
    device: Option<String>,
    /// An element of `id` in the answer to the call that sent the message; a number or a text.
    id: Option<String>,
    /// WhatsApp's id of the message.
    stateid: Option<String>,
    /// `sent`, `delivered`, `read`, `invalid`, `failed`, `expired`; others change nothing.
    status: Option<String>,
    /// The same, as WhatsApp says.
    state: Option<String>,
    /// The secret that the dealer agreed with Fonnte, if any; also as `secret_key`.
    secret: Option<String>,
}

/// A report about a device, as Fonnte makes it.
#[derive(Apiv2Schema)]
#[expect(
    dead_code,
    reason = "describes the body, which the provider's adapter reads"
)]
pub(crate) struct DeviceReportBody {
    /// The number of the dealer's device.
    device: Option<String>,
    /// `connect` or `disconnect`.
    status: Option<String>,
    /// The secret that the dealer agreed with Fonnte, if any; also as `secret_key`.
    secret: Option<String>,
}

/// A report was taken in.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct ReportReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    /// Always null.
    data: Option<bool>,
}

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
        // Whoever guesses at the secret learns nothing from the answer.
        EventReceived::Ignored(dealer) => tracing::warn!(
            dealer.id = dealer.as_str(),
            event.topic = ?topic,
            "report ignored: it does not carry the dealer's secret"
        ),
    }
    Ok(Answered::ok(&ReportReply {
        success: true,
        message: "Report received",
        data: None,
    }))
}
