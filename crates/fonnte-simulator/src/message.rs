//! The messages that were accepted.

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
    /// The number it goes to, as the service rewrote it.
    pub target: String,
    /// The text as the phone shows it, variables replaced.
    pub message: String,
    /// The id in the answer, one per target.
    pub id: i64,
    /// The id of the request, shared by its targets.
    pub requestid: i64,
    /// Where the service has it.
    pub status: MessageStatus,
    /// What WhatsApp said about it.
    pub state: Option<Receipt>,
    /// WhatsApp's id of it.
    pub stateid: String,
    /// When it should go out, if that was asked for.
    pub schedule: Option<DateTime<Utc>>,
    /// How the body was written.
    pub body_form: BodyForm,
    /// Every field of the request as it came, in its order.
    pub fields: Arc<Vec<(String, String)>>,
}

impl ReceivedMessage {
    /// A field of the request, as it came.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// How a request's body was written.
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

/// The service's own pipeline.
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
    /// Taken back by `/delete-message`; never reported.
    Deleted,
}

impl MessageStatus {
    /// Whether the pipeline is done with it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Waiting | Self::Processing)
    }
}

/// What WhatsApp says about a sent message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// It left.
    Sent,
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
}

/// A step in the life of a message, as events name it.
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
    /// The word that events use.
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

    /// Whether WhatsApp reports it rather than the service.
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

    /// The stages that lead from acceptance to this one.
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
