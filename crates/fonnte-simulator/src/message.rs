//! The accepted messages.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One accepted message for one target.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// The token of the device that sends it.
    pub token: Arc<str>,
    /// The number of the device that sends it.
    pub device: Arc<str>,
    /// The target's number, as Fonnte rewrote it.
    pub target: String,
    /// The text as shown on the phone, with variables replaced.
    pub message: String,
    /// The id in the answer, one per target.
    pub id: i64,
    /// The id of the request, shared by its targets.
    pub requestid: i64,
    /// Its status in Fonnte's pipeline.
    pub status: MessageStatus,
    /// WhatsApp's receipt.
    pub state: Option<Receipt>,
    /// WhatsApp's id of it.
    pub stateid: String,
    /// The scheduled time, if any.
    pub schedule: Option<DateTime<Utc>>,
    /// The form of the body.
    pub body_form: BodyForm,
    /// Every field of the request as sent, in order.
    pub fields: Arc<Vec<(String, String)>>,
}

impl ReceivedMessage {
    /// A field of the request, as sent.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The form of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`
    Multipart,
    /// `application/json`
    Json,
}

/// The status in Fonnte's own pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Not sent yet.
    Pending,
    /// Scheduled for later.
    Waiting,
    /// Being sent.
    Processing,
    /// Sent; what follows is a [`Receipt`].
    Sent,
    /// The target is not on WhatsApp.
    Invalid,
    /// The content could not be sent.
    Failed,
    /// The device stayed offline for too long.
    Expired,
    /// The attachment's link is dead.
    #[serde(rename = "url unreachable")]
    UrlUnreachable,
    /// Deleted by `/delete-message`; never reported.
    Deleted,
}

impl MessageStatus {
    /// Whether the pipeline has finished it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Waiting | Self::Processing)
    }
}

/// WhatsApp's receipt for a sent message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Sent.
    Sent,
    /// Delivered.
    Delivered,
    /// Read.
    Read,
}

/// A stage of a message, as events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting for the device.
    Pending,
    /// Waiting for its time.
    Waiting,
    /// Being sent.
    Processing,
    /// Sent.
    Sent,
    /// Arrived on the phone.
    Delivered,
    /// Read.
    Read,
    /// The target is not on WhatsApp.
    Invalid,
    /// The content could not be sent.
    Failed,
    /// The device stayed offline for too long.
    Expired,
    /// The attachment's link is dead.
    #[serde(rename = "url unreachable", alias = "url_unreachable")]
    UrlUnreachable,
}

impl Stage {
    /// The word in events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Processing => "processing",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::UrlUnreachable => "url unreachable",
        }
    }

    /// Whether it is WhatsApp's receipt and not Fonnte's status.
    pub(crate) fn is_receipt(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }

    pub(crate) fn status(self) -> MessageStatus {
        match self {
            Self::Pending => MessageStatus::Pending,
            Self::Waiting => MessageStatus::Waiting,
            Self::Processing => MessageStatus::Processing,
            Self::Sent | Self::Delivered | Self::Read => MessageStatus::Sent,
            Self::Invalid => MessageStatus::Invalid,
            Self::Failed => MessageStatus::Failed,
            Self::Expired => MessageStatus::Expired,
            Self::UrlUnreachable => MessageStatus::UrlUnreachable,
        }
    }

    pub(crate) fn receipt(self) -> Option<Receipt> {
        match self {
            Self::Sent => Some(Receipt::Sent),
            Self::Delivered => Some(Receipt::Delivered),
            Self::Read => Some(Receipt::Read),
            _ => None,
        }
    }

    /// The stages from acceptance to this one.
    pub(crate) fn way(self) -> &'static [Stage] {
        use Stage::*;
        match self {
            Pending | Waiting => &[],
            Processing => &[Processing],
            Sent => &[Processing, Sent],
            Delivered => &[Processing, Sent, Delivered],
            Read => &[Processing, Sent, Delivered, Read],
            Invalid => &[Processing, Invalid],
            Failed => &[Processing, Failed],
            Expired => &[Expired],
            UrlUnreachable => &[Processing, UrlUnreachable],
        }
    }
}
