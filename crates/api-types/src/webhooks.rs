//! What Fonnte reports by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Text, discreet};

/// A report about a message, as Fonnte makes it. It names the message by `id`, by `stateid`, or by
/// both. Anything else that is JSON is taken in as well.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct StatusReportBody {
    /// The number of the dealer's device.
    pub device: Option<String>,
    /// An element of `id` in the answer to the call that sent the message; a number or a text.
    #[schemars(extend("oneOf" = [{ "type": "string" }, { "type": "integer" }]))]
    pub id: Option<Value>,
    /// WhatsApp's id of the message.
    pub stateid: Option<String>,
    /// `sent`, `delivered`, `read`, `invalid`, `failed`, `expired`; others change nothing.
    pub status: Option<String>,
    /// The same, as WhatsApp says.
    pub state: Option<String>,
    /// The secret that the dealer agreed with Fonnte, if any; also as `secret_key`.
    pub secret: Option<String>,
}

discreet!(StatusReportBody, status);

/// A report about a device, as Fonnte makes it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct DeviceReportBody {
    /// The number of the dealer's device.
    pub device: Option<String>,
    /// `connect` or `disconnect`.
    pub status: Option<String>,
    /// The secret that the dealer agreed with Fonnte, if any; also as `secret_key`.
    pub secret: Option<String>,
}

discreet!(DeviceReportBody, status);

/// A message that came in, as Fonnte reports it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct MessageReportBody {
    /// The number of the dealer's device.
    pub device: Option<String>,
    /// Who wrote it: a phone, or WhatsApp's id of a person, a group or a channel.
    pub sender: Option<String>,
    /// The text.
    pub message: Option<String>,
    /// The text of a button, where `message` is empty.
    pub text: Option<String>,
    /// In a group: who of it wrote.
    pub member: Option<String>,
    /// The name that the sender has in WhatsApp.
    pub name: Option<String>,
    /// When it was written, in seconds since 1970; a number or a text.
    #[schemars(extend("oneOf" = [{ "type": "string" }, { "type": "integer" }]))]
    pub timestamp: Option<Value>,
    /// Fonnte's id of it; a number or a text. Empty, null and 0 are none.
    #[schemars(extend("oneOf" = [{ "type": "string" }, { "type": "integer" }]))]
    pub inboxid: Option<Value>,
    /// The secret that the dealer agreed with Fonnte, if any; also as `secret_key`.
    pub secret: Option<String>,
}

discreet!(MessageReportBody);

/// A report was stored; also said to one that does not carry the dealer's secret, which is ignored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReportReply {
    /// Always true.
    #[schemars(extend("enum" = [true]))]
    pub success: bool,
    /// A sentence for a person.
    #[schemars(extend("enum" = ["Report received"]))]
    pub message: Text,
    /// Always null.
    pub data: (),
}
