//! The states of a message and their names in version 1 of the API.

/// The state of a message. It only moves to a state of a higher [rank](Self::rank), except that a message
/// which certainly did not reach the provider goes back to `Queued`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// Waiting for its turn, its time or its next try.
    Queued,
    /// A call is in flight, or was in flight when a copy of the service died.
    Sending,
    /// It may have reached the provider; a person must decide.
    Unknown,
    /// Cancelled before it was sent.
    Cancelled,
    /// Too old to be sent.
    Expired,
    /// The provider accepted it.
    Sent,
    /// Refused for good.
    Failed,
    /// Confirmed on the phone.
    Delivered,
    /// Read on the phone.
    Read,
}

/// `request_status` of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestStatus {
    /// The message is waiting.
    Pending,
    /// The provider accepted the message.
    Processed,
    /// The message will not be sent, or its outcome is unknown.
    Failed,
}

/// `whatsapp_status` of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhatsappStatus {
    /// Waiting or in flight.
    NotSent,
    /// Accepted by the provider.
    Sent,
    /// Confirmed on the phone.
    Delivered,
    /// Read on the phone.
    Read,
    /// Refused for good, expired or cancelled.
    Failed,
    /// The outcome is unknown.
    Error,
}

impl MessageState {
    /// All states, by rank.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Sending,
        Self::Unknown,
        Self::Cancelled,
        Self::Expired,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
        Self::Read,
    ];

    /// The name in the database and at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Sending => "SENDING",
            Self::Unknown => "UNKNOWN",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Sent => "SENT",
            Self::Failed => "FAILED",
            Self::Delivered => "DELIVERED",
            Self::Read => "READ",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether such a message is still to be sent, or being sent.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }

    /// The rank: evidence only lifts a message to a state of a higher rank.
    ///
    /// Evidence of sending lifts `Cancelled` and `Expired` as it lifts `Unknown`.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Unknown | Self::Cancelled | Self::Expired => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Delivered => 5,
            Self::Read => 6,
        }
    }

    /// The state after evidence of `seen`, never of a lower rank.
    #[must_use]
    pub const fn lifted_by(self, seen: Self) -> Self {
        if seen.rank() > self.rank() {
            seen
        } else {
            self
        }
    }

    /// The statuses of this state in version 1.
    #[must_use]
    pub const fn version_1(self) -> (RequestStatus, WhatsappStatus) {
        match self {
            Self::Queued | Self::Sending => (RequestStatus::Pending, WhatsappStatus::NotSent),
            Self::Sent => (RequestStatus::Processed, WhatsappStatus::Sent),
            Self::Delivered => (RequestStatus::Processed, WhatsappStatus::Delivered),
            Self::Read => (RequestStatus::Processed, WhatsappStatus::Read),
            Self::Failed | Self::Cancelled | Self::Expired => {
                (RequestStatus::Failed, WhatsappStatus::Failed)
            }
            Self::Unknown => (RequestStatus::Failed, WhatsappStatus::Error),
        }
    }
}

impl RequestStatus {
    /// All statuses.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Processed, Self::Failed];

    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The name in the database and at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processed => "PROCESSED",
            Self::Failed => "FAILED",
        }
    }
}

impl WhatsappStatus {
    /// All statuses.
    pub const ALL: [Self; 6] = [
        Self::NotSent,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Error,
    ];

    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The name in the database and at the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "NOT_SENT",
            Self::Sent => "SENT",
            Self::Delivered => "DELIVERED",
            Self::Read => "READ",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state() -> impl Strategy<Value = MessageState> {
        prop::sample::select(MessageState::ALL.to_vec())
    }

    #[test]
    fn names_are_read_back() {
        for state in MessageState::ALL {
            assert_eq!(MessageState::parse(state.as_str()), Some(state));
        }
        assert_eq!(MessageState::parse("sent"), None);
    }

    #[test]
    fn version_1_shows_the_documented_pairs() {
        let shown = |state: MessageState| {
            let (request, whatsapp) = state.version_1();
            (request.as_str(), whatsapp.as_str())
        };
        assert_eq!(shown(MessageState::Queued), ("PENDING", "NOT_SENT"));
        assert_eq!(shown(MessageState::Sending), ("PENDING", "NOT_SENT"));
        assert_eq!(shown(MessageState::Sent), ("PROCESSED", "SENT"));
        assert_eq!(shown(MessageState::Delivered), ("PROCESSED", "DELIVERED"));
        assert_eq!(shown(MessageState::Read), ("PROCESSED", "READ"));
        assert_eq!(shown(MessageState::Failed), ("FAILED", "FAILED"));
        assert_eq!(shown(MessageState::Expired), ("FAILED", "FAILED"));
        assert_eq!(shown(MessageState::Cancelled), ("FAILED", "FAILED"));
        assert_eq!(shown(MessageState::Unknown), ("FAILED", "ERROR"));
    }

    proptest! {
        #[test]
        fn a_status_never_runs_backwards(start in state(), seen in prop::collection::vec(state(), 0..12)) {
            let mut current = start;
            for evidence in seen {
                let next = current.lifted_by(evidence);
                prop_assert!(next.rank() >= current.rank());
                current = next;
            }
        }
    }
}
