use std::time::Duration;

/// The outcome of a call to the provider. Each variant has its own next step, see
/// [`decide`](super::decide()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider accepted the message.
    Accepted(Receipt),
    /// The provider refused the message; repeating will not help.
    Refused {
        /// The provider's words.
        reason: String,
    },
    /// The dealer's account cannot send any message now: token, device or quota.
    Blocked {
        /// Why.
        cause: BlockCause,
        /// The provider's words.
        reason: String,
    },
    /// The message was turned away for an uncertain reason: the account cannot send now, or something in
    /// front of the provider rejects this message.
    Barred {
        /// The cause, if it is the account.
        cause: BlockCause,
        /// The HTTP status, or the provider's words.
        reason: String,
    },
    /// Nothing reached the provider, or it asked to wait; try again.
    NotSent {
        /// What went wrong.
        reason: String,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
    },
    /// The request was written and no usable answer came; it may have been sent.
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

/// The provider's answer about an accepted message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message, which its status events carry.
    pub message_id: Option<String>,
    /// The provider's number of the call, `requestid`.
    pub request_id: Option<i64>,
    /// The provider's words.
    pub detail: String,
    /// Messages left in the account's quota, if the provider says so.
    pub quota_left: Option<u64>,
}

named! {
    /// Why an account cannot send, in one word: for metrics and operators. No decision depends on it.
    pub enum BlockCause {
        /// The token is missing, wrong or withdrawn.
        Token = "token",
        /// The device is not connected.
        Device = "device",
        /// The quota is used up.
        Quota = "quota",
        /// Anything else.
        Other = "other",
    }
}

named! {
    /// The class of an [`Outcome`], as attempts record it.
    pub enum OutcomeKind {
        /// [`Outcome::Accepted`]
        Accepted = "accepted",
        /// [`Outcome::Refused`]
        Refused = "refused",
        /// [`Outcome::Blocked`] or [`Outcome::Barred`]
        Blocked = "blocked",
        /// [`Outcome::NotSent`]
        NotSent = "not_sent",
        /// [`Outcome::Unknown`]
        Unknown = "unknown",
    }
}

impl Outcome {
    /// The class of this outcome.
    #[must_use]
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Accepted(_) => OutcomeKind::Accepted,
            Self::Refused { .. } => OutcomeKind::Refused,
            Self::Blocked { .. } | Self::Barred { .. } => OutcomeKind::Blocked,
            Self::NotSent { .. } => OutcomeKind::NotSent,
            Self::Unknown { .. } => OutcomeKind::Unknown,
        }
    }

    /// What the provider said, or what went wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Accepted(receipt) => &receipt.detail,
            Self::Refused { reason }
            | Self::Blocked { reason, .. }
            | Self::Barred { reason, .. }
            | Self::NotSent { reason, .. }
            | Self::Unknown { reason } => reason,
        }
    }
}
