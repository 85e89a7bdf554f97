//! The states of a message and their names in version 1 of the API.

named! {
    /// The state of a message. It only moves to a state of a higher [rank](Self::rank), except that a message
    /// which certainly did not reach the provider goes back to `Queued`. The variants stand by rank.
    pub enum MessageState {
        /// Waiting for its turn, its time or its next try.
        Queued = "QUEUED",
        /// A call is in flight, or was in flight when a copy of the service died.
        Sending = "SENDING",
        /// It may have reached the provider; a person must decide.
        Unknown = "UNKNOWN",
        /// Cancelled before it was sent.
        Cancelled = "CANCELLED",
        /// Too old to be sent.
        Expired = "EXPIRED",
        /// The provider accepted it.
        Sent = "SENT",
        /// Refused for good.
        Failed = "FAILED",
        /// Confirmed on the phone.
        Delivered = "DELIVERED",
        /// Read on the phone.
        Read = "READ",
    }
}

named! {
    /// `request_status` of version 1.
    pub enum RequestStatus {
        /// The message is waiting.
        Pending = "PENDING",
        /// The provider accepted the message.
        Processed = "PROCESSED",
        /// The message will not be sent, or its outcome is unknown.
        Failed = "FAILED",
    }
}

named! {
    /// `whatsapp_status` of version 1.
    pub enum WhatsappStatus {
        /// Waiting or in flight.
        NotSent = "NOT_SENT",
        /// Accepted by the provider.
        Sent = "SENT",
        /// Confirmed on the phone.
        Delivered = "DELIVERED",
        /// Read on the phone.
        Read = "READ",
        /// Refused for good, expired or cancelled.
        Failed = "FAILED",
        /// The outcome is unknown.
        Error = "ERROR",
    }
}

impl MessageState {
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
