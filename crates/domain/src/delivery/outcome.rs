use std::time::Duration;

/// What a call to the provider came to. Each variant is followed by different actions, see
/// [`decide`](super::decide()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took the message.
    Accepted(Receipt),
    /// The provider read the message and said no; repeating will not help.
    Refused {
        /// The provider's words.
        reason: String,
    },
    /// The dealer's account cannot send now, whatever the message: token, device or quota.
    Blocked {
        /// Why.
        cause: BlockCause,
        /// The provider's words.
        reason: String,
    },
    /// The message was turned away and nothing certain was said about why: the account cannot send
    /// now, or something in front of the provider does not like this message.
    Barred {
        /// Why, if it is the account.
        cause: BlockCause,
        /// The HTTP status, or the provider's words.
        reason: String,
    },
    /// Nothing reached the provider, or it asked for patience; try again.
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

/// What the provider says about a message it accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message, which its status events carry.
    pub message_id: Option<String>,
    /// The provider's number of the call.
    pub request_id: Option<i64>,
    /// The provider's words.
    pub detail: String,
    /// How many messages of the account's quota are left, where it says so.
    pub quota_left: Option<u64>,
}

/// Why an account cannot send, in one word: for counting and for telling an operator what to do.
/// Nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCause {
    /// Its token is missing, wrong or withdrawn.
    Token,
    /// Its device is not connected.
    Device,
    /// Its quota is used up.
    Quota,
    /// Anything else.
    Other,
}

impl BlockCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Token, Self::Device, Self::Quota, Self::Other];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Device => "device",
            Self::Quota => "quota",
            Self::Other => "other",
        }
    }
}

/// The class of an [`Outcome`], as attempts record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// [`Outcome::Accepted`]
    Accepted,
    /// [`Outcome::Refused`]
    Refused,
    /// [`Outcome::Blocked`] or [`Outcome::Barred`]
    Blocked,
    /// [`Outcome::NotSent`]
    NotSent,
    /// [`Outcome::Unknown`]
    Unknown,
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

impl OutcomeKind {
    /// The name in the database and at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Accepted,
            Self::Refused,
            Self::Blocked,
            Self::NotSent,
            Self::Unknown,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
    }
}
