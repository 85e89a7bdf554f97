use std::time::Duration;

/// How long an account's profile is valid: it is read once a day (chosen).
const KNOWN: Duration = Duration::from_secs(24 * 3_600);

/// The share of that time by which a profile is read earlier at random (jitter), so that accounts are spread.
const EARLIER: f64 = 0.25;

/// The reason of a lane with a healthy device and no quota.
pub const QUOTA_USED_UP: &str = "the quota is used up";

/// When to read a profile again after now; `dice` is a random number in 0..1.
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
