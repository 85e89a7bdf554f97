use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{LaneChange, MessageChange, Receipt, TOO_OLD};
use crate::persons::{ERASED, erased};
use crate::requests::MessageState;

/// A change of a lane as values. A store writes them under the lease, and decides nothing by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneValues<'a> {
    /// How long to wait before the next call.
    pub pause: Duration,
    /// Whether a longer pause that the lane has already stays: what a call did not teach cannot shorten it.
    pub keeps_pause: bool,
    /// Whether strikes, blocks and all that is known about them are forgotten.
    pub forgets_trouble: bool,
    /// How many strikes are added.
    pub strikes: u32,
    /// How many blocks are added.
    pub blocks: u32,
    /// Why, where blocks are added.
    pub block_reason: Option<&'a str>,
    /// Whether a probe has gone well since the block; `None`: as before.
    pub probed: Option<bool>,
    /// When a rest ends that begins now, by the store's clock.
    pub rest_until: Option<DateTime<Utc>>,
    /// Whether messages age from the end of that rest.
    pub ages_after_rest: bool,
}

impl LaneChange {
    /// The change as values.
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

/// A change of a message as values, which a store writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageValues<'a> {
    /// The next state.
    pub state: MessageState,
    /// Why, where it needs a reason.
    pub reason: Option<&'a str>,
    /// How long until the next try, where there is one.
    pub wait: Duration,
    /// How many unknown outcomes are added.
    pub unknowns: u32,
    /// What the provider said when it accepted the message.
    pub receipt: Option<&'a Receipt>,
}

impl MessageChange {
    /// The change as values.
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
        }
    }
}

impl MessageValues<'_> {
    /// The same of a message whose recipient was erased meanwhile, with so many unknown outcomes: it is
    /// not tried again, and nothing that the provider says about it is kept.
    #[must_use]
    pub fn of_erased(self, unknowns: u32) -> Self {
        match self.state {
            MessageState::Queued => Self {
                state: MessageState::Cancelled,
                reason: Some(erased(unknowns)),
                ..self
            },
            MessageState::Failed => Self {
                reason: Some(ERASED),
                ..self
            },
            _ => self,
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

    #[test]
    fn a_message_of_an_erased_recipient_is_not_tried_again() {
        let wait = Duration::from_secs(5);
        let resend = MessageChange::Resend { wait };
        let values = resend.values().of_erased(1);
        assert_eq!(values.state, MessageState::Cancelled);
        assert_eq!(values.reason, Some(erased(1)));
        let reason = "Adit refuses".to_owned();
        let failed = MessageChange::Failed { reason };
        assert_eq!(failed.values().of_erased(0).reason, Some(ERASED));
    }
}
