use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{BlockCause, DeliveryPolicy, LaneHistory, OnUnknown, Outcome, Receipt};

/// The next step of a message and its lane after a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The change of the message.
    pub message: MessageChange,
    /// The change of the lane.
    pub lane: LaneChange,
}

/// The change of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageChange {
    /// The provider accepted it.
    Sent(Receipt),
    /// It will not be sent.
    Failed {
        /// Why.
        reason: String,
    },
    /// It certainly did not reach the provider: back to the queue, to be sent when the lane is ready.
    Requeued,
    /// Like `Requeued`, but the message itself may be the cause of the block: it is, if it is barred again
    /// after a successful probe.
    Suspected,
    /// The outcome is unknown and it is sent once more.
    Resend {
        /// The wait before.
        wait: Duration,
    },
    /// The outcome is unknown; a status event may still tell it. The message stays until the lane is ready
    /// again.
    Await,
    /// The outcome is unknown, and a person must decide.
    Unknown {
        /// Why.
        reason: String,
    },
    /// It became too old to be sent.
    Expired,
    /// Its recipient opted out before it was sent.
    OptedOut {
        /// Its unknown outcomes so far: with some it may have been sent.
        unknowns: u32,
    },
}

/// The change of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneChange {
    /// The provider works: strikes and blocks are reset.
    Ready {
        /// The wait before the next call.
        pause: Duration,
    },
    /// The call says nothing about the account: strikes and blocks stay.
    Unchanged {
        /// The wait before the next call.
        pause: Duration,
    },
    /// One more call did not reach the provider.
    Waiting {
        /// The wait before the next call.
        pause: Duration,
    },
    /// A probe succeeded: the breaker stays open, and one message is tried. Only a message that is accepted,
    /// or refused for its own sake, closes the breaker: the quota may be used up on a healthy device.
    Probed,
    /// Quiet hours: no call until their end.
    Resting {
        /// When the rest ends, by the store's clock.
        until: DateTime<Utc>,
    },
    /// The daily limit is reached: no call until the next day, and messages age from then.
    Spent {
        /// When the rest ends, by the store's clock.
        until: DateTime<Utc>,
    },
    /// The account was found blocked.
    Blocked {
        /// Why.
        cause: BlockCause,
        /// The wait before the next probe.
        pause: Duration,
        /// The provider's words.
        reason: String,
    },
}

/// The history of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Its unknown outcomes so far.
    pub unknowns: u32,
    /// Whether a status event can tell its outcome and was not waited for yet.
    pub may_await: bool,
    /// Whether it was barred before, and a probe succeeded since: the account is not the cause.
    pub suspected: bool,
}

/// Decides the next step from an outcome; `dice` is a random number in 0..1.
#[must_use]
pub fn decide(
    outcome: Outcome,
    tries: Tries,
    lane: LaneHistory,
    policy: &DeliveryPolicy,
    dice: f64,
) -> Decision {
    let pace = policy.pace(dice);
    let ready = |message| Decision {
        message,
        lane: LaneChange::Ready { pause: pace },
    };
    let blocked = |message, cause, reason| Decision {
        message,
        lane: LaneChange::Blocked {
            cause,
            pause: policy.breaker_pause(lane.blocks, dice),
            reason,
        },
    };
    match outcome {
        Outcome::Accepted(receipt) => ready(MessageChange::Sent(receipt)),
        Outcome::Refused { reason } => ready(MessageChange::Failed { reason }),
        Outcome::Blocked { cause, reason } => blocked(MessageChange::Requeued, cause, reason),
        // The account works, so the next message may be tried at once.
        Outcome::Barred { reason, .. } if tries.suspected => {
            ready(MessageChange::Failed { reason })
        }
        Outcome::Barred { cause, reason } => blocked(MessageChange::Suspected, cause, reason),
        Outcome::NotSent { retry_after, .. } => Decision {
            message: MessageChange::Requeued,
            lane: LaneChange::Waiting {
                pause: policy.retry_wait(lane.strikes, retry_after, dice),
            },
        },
        Outcome::Unknown { .. } if tries.may_await => Decision {
            message: MessageChange::Await,
            lane: LaneChange::Unchanged {
                pause: policy.unknown_wait,
            },
        },
        Outcome::Unknown { reason } => Decision {
            message: if policy.on_unknown == OnUnknown::Resend && tries.unknowns == 0 {
                MessageChange::Resend {
                    wait: policy.retry_wait(0, None, dice),
                }
            } else {
                MessageChange::Unknown { reason }
            },
            lane: LaneChange::Unchanged { pause: pace },
        },
    }
}

/// The reason of a message that was not sent in time.
pub const TOO_OLD: &str = "the message became too old to be sent";

/// The change of a message that is too old: expired, or unknown where an earlier try may have reached the
/// provider.
#[must_use]
pub fn expired(unknowns: u32) -> MessageChange {
    if unknowns == 0 {
        MessageChange::Expired
    } else {
        MessageChange::Unknown {
            reason: "an earlier try had no known outcome, and the message became too old to repeat"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(outcome: Outcome, unknowns: u32, on_unknown: OnUnknown) -> Decision {
        let policy = DeliveryPolicy {
            on_unknown,
            ..Default::default()
        };
        decide(
            outcome,
            Tries {
                unknowns,
                ..Tries::default()
            },
            LaneHistory {
                strikes: 1,
                blocks: 2,
            },
            &policy,
            0.5,
        )
    }

    fn unknown() -> Outcome {
        Outcome::Unknown {
            reason: "timeout".into(),
        }
    }

    #[test]
    fn an_accepted_message_is_sent_and_its_lane_is_paced() {
        let receipt = Receipt {
            message_id: Some("1".into()),
            ..Default::default()
        };
        let decision = after(Outcome::Accepted(receipt.clone()), 0, OnUnknown::Resend);
        assert_eq!(decision.message, MessageChange::Sent(receipt));
        assert_eq!(
            decision.lane,
            LaneChange::Ready {
                pause: Duration::from_millis(1_250)
            }
        );
    }

    #[test]
    fn a_refused_message_fails_and_the_lane_goes_on() {
        let decision = after(
            Outcome::Refused {
                reason: "target invalid".into(),
            },
            0,
            OnUnknown::Resend,
        );
        assert_eq!(
            decision.message,
            MessageChange::Failed {
                reason: "target invalid".into()
            }
        );
        assert!(matches!(decision.lane, LaneChange::Ready { .. }));
    }

    #[test]
    fn a_blocked_account_keeps_the_message_and_opens_the_breaker() {
        let decision = after(
            Outcome::Blocked {
                cause: BlockCause::Token,
                reason: "invalid token".into(),
            },
            0,
            OnUnknown::Resend,
        );
        assert_eq!(decision.message, MessageChange::Requeued);
        assert_eq!(
            decision.lane,
            LaneChange::Blocked {
                cause: BlockCause::Token,
                pause: Duration::from_secs(240),
                reason: "invalid token".into()
            }
        );
    }

    #[test]
    fn a_message_that_is_barred_again_after_a_probe_fails_and_the_lane_goes_on() {
        let policy = DeliveryPolicy::default();
        let meets = |suspected| {
            let tries = Tries {
                suspected,
                ..Tries::default()
            };
            let barred = Outcome::Barred {
                cause: BlockCause::Other,
                reason: "HTTP 403".into(),
            };
            decide(barred, tries, LaneHistory::default(), &policy, 0.5)
        };
        let first = meets(false);
        assert_eq!(first.message, MessageChange::Suspected);
        assert!(matches!(first.lane, LaneChange::Blocked { .. }));
        let second = meets(true);
        let reason = "HTTP 403".into();
        assert_eq!(second.message, MessageChange::Failed { reason });
        assert!(matches!(second.lane, LaneChange::Ready { .. }));
    }

    /// A fault that is certainly the account's is never the message's.
    #[test]
    fn a_message_of_a_blocked_account_waits_even_if_it_is_suspected() {
        let tries = Tries {
            suspected: true,
            ..Tries::default()
        };
        let blocked = Outcome::Blocked {
            cause: BlockCause::Quota,
            reason: "insufficient quota".into(),
        };
        let policy = DeliveryPolicy::default();
        let decision = decide(blocked, tries, LaneHistory::default(), &policy, 0.5);
        assert_eq!(decision.message, MessageChange::Requeued);
        assert!(matches!(decision.lane, LaneChange::Blocked { .. }));
    }

    #[test]
    fn a_message_that_was_not_sent_waits_with_its_whole_lane() {
        let decision = after(
            Outcome::NotSent {
                reason: "dns".into(),
                retry_after: None,
            },
            0,
            OnUnknown::Resend,
        );
        assert_eq!(decision.message, MessageChange::Requeued);
        assert_eq!(
            decision.lane,
            LaneChange::Waiting {
                pause: Duration::from_secs(30)
            }
        );
    }

    #[test]
    fn an_unknown_outcome_is_repeated_once() {
        let first = after(unknown(), 0, OnUnknown::Resend);
        assert_eq!(
            first.message,
            MessageChange::Resend {
                wait: Duration::from_secs(5)
            }
        );
        let second = after(unknown(), 1, OnUnknown::Resend);
        assert_eq!(
            second.message,
            MessageChange::Unknown {
                reason: "timeout".into()
            }
        );
    }

    #[test]
    fn an_unknown_outcome_is_held_where_the_policy_says_so() {
        let decision = after(unknown(), 0, OnUnknown::Hold);
        assert_eq!(
            decision.message,
            MessageChange::Unknown {
                reason: "timeout".into()
            }
        );
    }

    #[test]
    fn an_unknown_outcome_waits_for_evidence_where_there_can_be_some() {
        let policy = DeliveryPolicy::default();
        let tries = Tries {
            may_await: true,
            ..Tries::default()
        };
        let decision = decide(unknown(), tries, LaneHistory::default(), &policy, 0.5);
        assert_eq!(decision.message, MessageChange::Await);
        assert_eq!(
            decision.lane,
            LaneChange::Unchanged {
                pause: Duration::from_secs(120)
            }
        );
    }

    #[test]
    fn a_message_that_may_have_been_sent_does_not_expire_silently() {
        assert_eq!(expired(0), MessageChange::Expired);
        assert!(matches!(expired(1), MessageChange::Unknown { .. }));
    }
}
