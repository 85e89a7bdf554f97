use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{LaneChange, MessageChange, Receipt, TOO_OLD};
use crate::replies::opted_out;
use crate::requests::MessageState;

/// A change of a lane as column values. A store writes them under the lease, and decides nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneValues<'a> {
    /// The wait before the next call.
    pub pause: Duration,
    /// Whether a longer pause of the lane stays, because the call says nothing about it.
    pub keeps_pause: bool,
    /// Whether strikes, blocks and what is known about them are reset.
    pub forgets_trouble: bool,
    /// Strikes to add.
    pub strikes: u32,
    /// Blocks to add.
    pub blocks: u32,
    /// The reason of an added block.
    pub block_reason: Option<&'a str>,
    /// Whether a probe succeeded since the block; `None` leaves it.
    pub probed: Option<bool>,
    /// The end of a rest that begins now, by the store's clock.
    pub rest_until: Option<DateTime<Utc>>,
    /// Whether messages age from the end of that rest.
    pub ages_after_rest: bool,
}

impl LaneChange {
    /// The change as column values.
    #[must_use]
    pub fn values(&self) -> LaneValues<'_> {
        let nothing = LaneValues::default();
        let unlearned = LaneValues {
            keeps_pause: true,
            ..nothing
        };
        match self {
            Self::Ready { pause } => LaneValues {
                pause: *pause,
                forgets_trouble: true,
                probed: Some(false),
                ..nothing
            },
            Self::Unchanged { pause } => LaneValues {
                pause: *pause,
                ..unlearned
            },
            Self::Waiting { pause } => LaneValues {
                pause: *pause,
                strikes: 1,
                ..unlearned
            },
            Self::Probed => LaneValues {
                probed: Some(true),
                ..nothing
            },
            Self::Resting { until } => LaneValues {
                rest_until: Some(*until),
                ..unlearned
            },
            Self::Spent { until } => LaneValues {
                rest_until: Some(*until),
                ages_after_rest: true,
                ..unlearned
            },
            Self::Blocked { pause, reason, .. } => LaneValues {
                pause: *pause,
                blocks: 1,
                block_reason: Some(reason),
                probed: Some(false),
                ..nothing
            },
        }
    }
}

/// A change of a message as column values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageValues<'a> {
    /// The next state.
    pub state: MessageState,
    /// The reason, where the state needs one.
    pub reason: Option<&'a str>,
    /// The wait before the next try.
    pub wait: Duration,
    /// Unknown outcomes to add.
    pub unknowns: u32,
    /// The provider's answer that accepted the message.
    pub receipt: Option<&'a Receipt>,
}

impl MessageChange {
    /// The change as column values.
    #[must_use]
    pub fn values(&self) -> MessageValues<'_> {
        let becomes = |state, reason| MessageValues {
            state,
            reason,
            wait: Duration::ZERO,
            unknowns: 0,
            receipt: None,
        };
        match self {
            Self::Sent(receipt) => MessageValues {
                receipt: Some(receipt),
                ..becomes(MessageState::Sent, None)
            },
            Self::Failed { reason } => becomes(MessageState::Failed, Some(reason)),
            Self::Requeued | Self::Suspected => becomes(MessageState::Queued, None),
            Self::Resend { wait } => MessageValues {
                wait: *wait,
                unknowns: 1,
                ..becomes(MessageState::Queued, None)
            },
            Self::Await => becomes(MessageState::Sending, None),
            Self::Unknown { reason } => MessageValues {
                unknowns: 1,
                ..becomes(MessageState::Unknown, Some(reason))
            },
            Self::Expired => becomes(MessageState::Expired, Some(TOO_OLD)),
            Self::OptedOut { unknowns } => {
                becomes(MessageState::Cancelled, Some(opted_out(*unknowns)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::BlockCause;

    #[test]
    fn only_a_call_that_reached_the_account_forgets_its_trouble() {
        let pause = Duration::from_secs(1);
        let ready = LaneChange::Ready { pause };
        assert!(ready.values().forgets_trouble);
        let until = DateTime::UNIX_EPOCH;
        let blocked = LaneChange::Blocked {
            cause: BlockCause::Quota,
            pause,
            reason: "no quota".to_owned(),
        };
        for (change, added) in [
            (LaneChange::Unchanged { pause }, (0, 0)),
            (LaneChange::Waiting { pause }, (1, 0)),
            (LaneChange::Probed, (0, 0)),
            (LaneChange::Resting { until }, (0, 0)),
            (LaneChange::Spent { until }, (0, 0)),
            (blocked, (0, 1)),
        ] {
            let values = change.values();
            assert!(!values.forgets_trouble, "{change:?}");
            assert_eq!((values.strikes, values.blocks), added, "{change:?}");
        }
    }
}
