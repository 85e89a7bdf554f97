use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{LaneChange, MessageChange, MessageId, MessageState, Receipt, Settlement, TOO_OLD};

/// A change of a message as columns.
pub(crate) struct MessageUpdate<'a> {
    pub(crate) id: Option<uuid::Uuid>,
    pub(crate) state: Option<MessageState>,
    /// `request_status` and `whatsapp_status` of the new state.
    pub(crate) version_1: (&'static str, &'static str),
    /// How long until the next try.
    pub(crate) wait: Duration,
    /// Whether one more outcome is unknown.
    pub(crate) unknown: bool,
    pub(crate) reason: Option<&'a str>,
    pub(crate) receipt: Option<&'a Receipt>,
}

impl<'a> From<&'a Settlement> for MessageUpdate<'a> {
    fn from(settlement: &'a Settlement) -> Self {
        match &settlement.message {
            Some((id, change)) => Self::of(Some(*id), change),
            None => Self {
                id: None,
                state: None,
                version_1: ("", ""),
                wait: Duration::ZERO,
                unknown: false,
                reason: None,
                receipt: None,
            },
        }
    }
}

impl<'a> MessageUpdate<'a> {
    pub(crate) fn of(id: Option<MessageId>, change: &'a MessageChange) -> Self {
        let (state, reason) = match change {
            MessageChange::Sent(_) => (MessageState::Sent, None),
            MessageChange::Failed { reason } => (MessageState::Failed, Some(reason.as_str())),
            MessageChange::Requeued | MessageChange::Suspected | MessageChange::Resend { .. } => {
                (MessageState::Queued, None)
            }
            MessageChange::Await => (MessageState::Sending, None),
            MessageChange::Unknown { reason } => (MessageState::Unknown, Some(reason.as_str())),
            MessageChange::Expired => (MessageState::Expired, Some(TOO_OLD)),
        };
        let (request_status, whatsapp_status) = state.version_1();
        Self {
            id: id.map(|id| id.0),
            state: Some(state),
            version_1: (request_status.as_str(), whatsapp_status.as_str()),
            wait: match change {
                MessageChange::Resend { wait } => *wait,
                _ => Duration::ZERO,
            },
            unknown: matches!(
                change,
                MessageChange::Resend { .. } | MessageChange::Unknown { .. }
            ),
            reason,
            receipt: match change {
                MessageChange::Sent(receipt) => Some(receipt),
                _ => None,
            },
        }
    }
}

/// A change of a lane as columns.
pub(crate) struct LaneUpdate<'a> {
    pub(crate) kind: &'static str,
    pub(crate) pause: Duration,
    pub(crate) rest_until: Option<DateTime<Utc>>,
    pub(crate) block_reason: Option<&'a str>,
}

impl<'a> From<&'a LaneChange> for LaneUpdate<'a> {
    fn from(change: &'a LaneChange) -> Self {
        let (kind, pause, block_reason) = match change {
            LaneChange::Ready { pause } => ("ready", pause, None),
            LaneChange::Unchanged { pause } => ("unchanged", pause, None),
            LaneChange::Waiting { pause } => ("waiting", pause, None),
            LaneChange::Probed => ("probed", &Duration::ZERO, None),
            LaneChange::Resting { .. } => ("resting", &Duration::ZERO, None),
            LaneChange::Spent { .. } => ("spent", &Duration::ZERO, None),
            LaneChange::Blocked { pause, reason, .. } => ("blocked", pause, Some(reason.as_str())),
        };
        Self {
            kind,
            pause: *pause,
            rest_until: match change {
                LaneChange::Resting { until } | LaneChange::Spent { until } => Some(*until),
                _ => None,
            },
            block_reason,
        }
    }
}
