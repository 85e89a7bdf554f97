use std::time::Duration;

use crate::dealers::DealerSettings;

/// Waits in seconds after *not sent*, for a base of five; the last one repeats (chosen).
const RETRY_SECONDS: [f64; 6] = [5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0];

/// The longest retry wait, and the longest `Retry-After` that is honoured (chosen).
const HOUR: Duration = Duration::from_secs(3_600);

/// The longest pause of a breaker (chosen).
const LONGEST_BREAKER_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Jitter of retry waits and breaker pauses, as a share, so that lanes are spread (chosen).
const SPREAD: f64 = 0.2;

named! {
    /// The handling of a message whose outcome is unknown.
    #[derive(Default)]
    pub enum OnUnknown {
        /// Send it once more; a second unknown outcome is left to a person.
        #[default]
        Resend = "resend",
        /// Leave it to a person at once.
        Hold = "hold",
    }
}

/// The delivery policy of the service.
#[derive(Debug, Clone)]
pub struct DeliveryPolicy {
    /// The least time between two calls of one lane.
    pub min_interval: Duration,
    /// The longest random addition to [`min_interval`](Self::min_interval).
    pub jitter: Duration,
    /// The first pause of a blocked lane; it doubles up to 30 minutes.
    pub breaker_open: Duration,
    /// The first wait after *not sent*; later waits scale with it.
    pub retry_base: Duration,
    /// The handling of a message whose outcome is unknown.
    pub on_unknown: OnUnknown,
    /// How long after its due time a message may still be sent.
    pub message_ttl: Duration,
    /// How long a lane is leased; longer than [`send_timeout`](Self::send_timeout).
    pub lease: Duration,
    /// The time limit of a call to the provider.
    pub send_timeout: Duration,
    /// How long to wait for a status event that tells an unknown outcome, where only this service sends
    /// through the device.
    pub unknown_wait: Duration,
}

impl Default for DeliveryPolicy {
    /// The defaults of the service's environment.
    fn default() -> Self {
        Self {
            min_interval: Duration::from_millis(1_000),
            jitter: Duration::from_millis(500),
            breaker_open: Duration::from_secs(60),
            retry_base: Duration::from_secs(5),
            on_unknown: OnUnknown::Resend,
            message_ttl: Duration::from_secs(24 * 3_600),
            lease: Duration::from_secs(45),
            send_timeout: Duration::from_secs(30),
            unknown_wait: Duration::from_secs(120),
        }
    }
}

/// A lane's history since its last call that reached the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneHistory {
    /// Consecutive calls that were *not sent*.
    pub strikes: u32,
    /// Consecutive calls or probes that found the account blocked. Above 0 the breaker is open, and a probe
    /// comes before the next message.
    pub blocks: u32,
}

impl DeliveryPolicy {
    /// The policy with a dealer's settings applied.
    #[must_use]
    pub fn with(&self, settings: &DealerSettings) -> Self {
        Self {
            min_interval: settings.min_interval.unwrap_or(self.min_interval),
            jitter: settings.jitter.unwrap_or(self.jitter),
            on_unknown: settings.on_unknown.unwrap_or(self.on_unknown),
            ..self.clone()
        }
    }

    /// The pause after an ordinary call; `dice` is a random number in 0..1.
    #[must_use]
    pub fn pace(&self, dice: f64) -> Duration {
        self.min_interval + self.jitter.mul_f64(dice)
    }

    /// The wait after `strikes + 1` consecutive *not sent*; at least what the provider asked for, up to an
    /// hour.
    #[must_use]
    pub fn retry_wait(&self, strikes: u32, retry_after: Option<Duration>, dice: f64) -> Duration {
        let step = (strikes as usize).min(RETRY_SECONDS.len() - 1);
        let wait = self
            .retry_base
            .mul_f64(RETRY_SECONDS[step] / RETRY_SECONDS[0]);
        let asked = retry_after.map_or(Duration::ZERO, |asked| asked.min(HOUR));
        spread(wait, dice).max(asked)
    }

    /// The pause after `strikes + 1` consecutive blocks.
    #[must_use]
    pub fn breaker_pause(&self, blocks: u32, dice: f64) -> Duration {
        let longest = LONGEST_BREAKER_PAUSE.max(self.breaker_open);
        let doubled = self.breaker_open.saturating_mul(1 << blocks.min(20));
        spread(doubled.min(longest), dice)
    }
}

/// Varies a wait by ± [`SPREAD`].
fn spread(wait: Duration, dice: f64) -> Duration {
    wait.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * dice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(waits: impl IntoIterator<Item = Duration>) -> Vec<f64> {
        waits.into_iter().map(|wait| wait.as_secs_f64()).collect()
    }

    #[test]
    fn retries_wait_5_s_30_s_2_min_10_min_30_min_then_hourly() {
        let policy = DeliveryPolicy::default();
        let waits = (0..8).map(|strikes| policy.retry_wait(strikes, None, 0.5));
        assert_eq!(
            seconds(waits),
            [5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 3600.0, 3600.0]
        );
    }

    #[test]
    fn a_shorter_base_keeps_the_proportion() {
        let policy = DeliveryPolicy {
            retry_base: Duration::from_millis(50),
            ..Default::default()
        };
        let waits = (0..3).map(|strikes| policy.retry_wait(strikes, None, 0.5));
        assert_eq!(seconds(waits), [0.05, 0.3, 1.2]);
    }

    #[test]
    fn retry_after_is_honoured_up_to_an_hour() {
        let policy = DeliveryPolicy::default();
        let wait = |asked| {
            policy
                .retry_wait(0, Some(Duration::from_secs(asked)), 0.5)
                .as_secs()
        };
        assert_eq!([wait(1), wait(90), wait(86_400)], [5, 90, 3_600]);
    }

    #[test]
    fn breaker_pauses_double_from_a_minute_to_thirty() {
        let policy = DeliveryPolicy::default();
        let pauses =
            [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|blocks| policy.breaker_pause(blocks, 0.5));
        assert_eq!(
            seconds(pauses),
            [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0, 1800.0]
        );
    }

    proptest! {
        #[test]
        fn waits_stay_within_a_fifth_and_pace_within_the_jitter(n in any::<u32>(), dice in 0.0..1.0) {
            let policy = DeliveryPolicy::default();
            let wait = policy.retry_wait(n, None, dice).as_secs_f64();
            let middle = policy.retry_wait(n, None, 0.5).as_secs_f64();
            prop_assert!(wait >= middle * 0.799 && wait <= middle * 1.201);
            prop_assert!(policy.pace(dice) >= policy.min_interval);
            prop_assert!(policy.pace(dice) <= policy.min_interval + policy.jitter);
        }
    }
}
