use std::time::Duration;

/// How long an account's profile counts as known: it is asked for once a day.
const KNOWN: Duration = Duration::from_secs(24 * 3_600);

/// The share of that time by which it is asked for earlier at random, so that accounts do not move in step.
const EARLIER: f64 = 0.25;

/// Why a lane whose device is well is not tried.
pub const QUOTA_USED_UP: &str = "the quota is used up";

/// When a profile that was told just now is asked for again; `dice` is a random number in 0..1.
#[must_use]
pub fn profile_again(dice: f64) -> Duration {
    KNOWN.mul_f64(1.0 - EARLIER * dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_asked_for_at_least_once_a_day() {
        let hours = |dice| profile_again(dice).as_secs_f64() / 3_600.0;
        assert!((hours(0.0) - 24.0).abs() < 1e-9);
        assert!((hours(1.0) - 18.0).abs() < 1e-9);
    }
}
