use std::time::Duration;

use super::EventError;

/// The limit of one attempt, from the connection to the end of the answer.
pub const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an endpoint is leased for one attempt: longer than [`EVENT_TIMEOUT`], by what looking up a name and
/// settling take (chosen).
pub const EVENT_LEASE: Duration = Duration::from_secs(30);

/// How long events and their deliveries are kept.
pub const EVENT_LIFETIME: Duration = Duration::from_secs(30 * DAY);

/// How long an endpoint may fail before a failed attempt disables it.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * DAY);

/// Attempts of one schedule.
pub const EVENT_ATTEMPTS: u32 = 1 + WAITS.len() as u32;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Waits in seconds after the first failed attempt, the second, and so on.
const WAITS: [u64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// Jitter of the waits, as a share, so that deliveries that failed together are spread.
const SPREAD: f64 = 0.2;

/// The longest `Retry-After` that is honoured.
const LONGEST_ASKED: Duration = Duration::from_secs(HOUR);

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventAnswer {
    /// An answer of HTTP.
    Status {
        /// Its status.
        status: u16,
        /// Its `Retry-After`, if any.
        retry_after: Option<Duration>,
    },
    /// None.
    Error(EventError),
}

impl EventAnswer {
    /// Whether the endpoint took the event.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 200..=299,
                ..
            }
        )
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Error(_) => None,
        }
    }

    /// Why there is none.
    #[must_use]
    pub const fn error(&self) -> Option<EventError> {
        match self {
            Self::Status { .. } => None,
            Self::Error(error) => Some(*error),
        }
    }
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryChange {
    /// It is delivered.
    Delivered,
    /// It is tried again after a wait.
    Again {
        /// The wait, from the store's clock at the settlement.
        wait: Duration,
    },
    /// No attempt is left.
    GivenUp,
}

/// The settlement of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSettlement {
    /// What came of the attempt.
    pub answer: EventAnswer,
    /// What becomes of the delivery.
    pub change: DeliveryChange,
    /// Whether the endpoint is disabled with it.
    pub disables: bool,
}

/// Decides what an attempt means.
///
/// `failed` are the failed attempts of the schedule before this one, `silent_for` is the time since the endpoint's
/// last success, its creation or its enabling, and `dice` a random number in 0..1.
#[must_use]
pub fn decide(
    failed: u32,
    silent_for: Duration,
    answer: EventAnswer,
    dice: f64,
) -> EventSettlement {
    if answer.is_success() {
        return EventSettlement {
            answer,
            change: DeliveryChange::Delivered,
            disables: false,
        };
    }
    let asked = match answer {
        EventAnswer::Status {
            status: 429 | 503,
            retry_after: Some(asked),
        } => asked.min(LONGEST_ASKED),
        _ => Duration::ZERO,
    };
    let wait = WAITS.get(failed as usize).map(|seconds| {
        let share = 1.0 - SPREAD + 2.0 * SPREAD * dice;
        Duration::from_secs(*seconds).mul_f64(share).max(asked)
    });
    EventSettlement {
        answer,
        change: wait.map_or(DeliveryChange::GivenUp, |wait| DeliveryChange::Again {
            wait,
        }),
        disables: answer.status() == Some(410) || silent_for >= DISABLED_AFTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRESH: Duration = Duration::ZERO;

    fn answered(status: u16) -> EventAnswer {
        EventAnswer::Status {
            status,
            retry_after: None,
        }
    }

    fn wait(failed: u32, answer: EventAnswer, dice: f64) -> Option<u64> {
        match decide(failed, FRESH, answer, dice).change {
            DeliveryChange::Again { wait } => Some(wait.as_secs()),
            _ => None,
        }
    }

    #[test]
    fn ten_attempts_are_made_within_some_three_days() {
        let waits: Vec<_> = (0..).map_while(|n| wait(n, answered(500), 0.5)).collect();
        assert_eq!(
            waits,
            [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
        );
        assert_eq!(EVENT_ATTEMPTS, 10);
        let last = decide(9, FRESH, answered(500), 0.5);
        assert_eq!(last.change, DeliveryChange::GivenUp);
    }

    #[test]
    fn only_2xx_ends_a_delivery_well() {
        for status in [200, 201, 204, 299] {
            let settled = decide(3, FRESH, answered(status), 0.5);
            assert_eq!(settled.change, DeliveryChange::Delivered, "{status}");
        }
        for status in [
            100, 199, 300, 301, 302, 304, 307, 400, 404, 410, 429, 500, 503,
        ] {
            assert_eq!(wait(0, answered(status), 0.5), Some(5), "{status}");
        }
        for error in EventError::ALL {
            assert_eq!(wait(0, EventAnswer::Error(error), 0.5), Some(5));
        }
    }

    #[test]
    fn retry_after_of_429_and_503_is_honoured_up_to_an_hour() {
        let asked = |status, seconds| EventAnswer::Status {
            status,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(wait(0, asked(429, 90), 0.5), Some(90));
        assert_eq!(wait(0, asked(503, 86_400), 0.5), Some(3_600));
        assert_eq!(wait(0, asked(503, 1), 0.5), Some(5));
        assert_eq!(wait(0, asked(500, 90), 0.5), Some(5));
        assert_eq!(wait(9, asked(429, 90), 0.5), None);
    }

    #[test]
    fn an_endpoint_that_is_gone_or_failed_for_five_days_is_disabled() {
        let disables = |silent, status| decide(0, silent, answered(status), 0.5).disables;
        assert!(disables(FRESH, 410));
        assert!(!disables(FRESH, 500));
        let (almost, long) = (DISABLED_AFTER - Duration::from_secs(1), DISABLED_AFTER);
        assert!(!disables(almost, 500));
        assert!(disables(long, 500));
        assert!(!disables(long, 200));
        let refused = EventAnswer::Error(EventError::AddressNotAllowed);
        assert!(decide(0, long, refused, 0.5).disables);
    }

    proptest! {
        #[test]
        fn waits_stay_within_a_fifth(failed in 0_u32..9, dice in 0.0..1.0) {
            let middle = wait(failed, answered(500), 0.5).unwrap() as f64;
            let wait = wait(failed, answered(500), dice).unwrap() as f64;
            prop_assert!(wait >= (middle * 0.799).floor() && wait <= middle * 1.201);
        }
    }
}
