use std::collections::BTreeMap;

use chrono::TimeDelta;

/// Up to here seconds are told one by one, beyond in steps of [`STEP`].
const ONE_BY_ONE: u32 = 120;

/// How much longer each next step is.
const STEP: f64 = 1.02;

/// Nothing is longer: ten years.
const LONGEST: i64 = 315_360_000;

named! {
    /// Which time of a message is measured.
    #[derive(PartialOrd, Ord)]
    pub enum Measure {
        /// From when it was due until the provider accepted it.
        Send = "send",
        /// From there until it was confirmed on the phone.
        Delivery = "delivery",
        /// From there until it was read.
        Read = "read",
    }
}

/// A time in the resolution in which times are counted: the least step that it does not exceed. Steps are
/// whole seconds to 120, then 2 % longer each, cut to whole seconds. What ran backwards, because two reports
/// crossed, took no time.
///
/// ```
/// let seconds = |millis| domain::analytics::whole_seconds(chrono::TimeDelta::milliseconds(millis));
/// assert_eq!([seconds(-5), seconds(0), seconds(1), seconds(2_000)], [0, 0, 1, 2]);
/// assert_eq!([seconds(120_000), seconds(120_001), seconds(122_000)], [120, 122, 122]);
/// ```
#[must_use]
pub fn whole_seconds(took: TimeDelta) -> u32 {
    let begun = i64::from(took.subsec_nanos() > 0);
    let seconds = (took.num_seconds() + begun).clamp(0, LONGEST);
    let seconds = u32::try_from(seconds).unwrap_or_default();
    if seconds <= ONE_BY_ONE {
        return seconds;
    }
    let (first, seconds) = (f64::from(ONE_BY_ONE), f64::from(seconds));
    let steps = ((seconds / first).ln() / STEP.ln()).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 120 and ten years"
    )]
    let step = (first * STEP.powf(steps)).floor() as u32;
    step
}

/// The least seconds that so many of the messages do not exceed; none where there are no messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them.
    pub p50: Option<u32>,
    /// 95 %.
    pub p95: Option<u32>,
    /// 99 %.
    pub p99: Option<u32>,
}

impl Percentiles {
    /// The percentiles of so many messages by their [seconds](whole_seconds).
    #[must_use]
    pub fn of(counted: impl IntoIterator<Item = (u32, u64)>) -> Self {
        let mut messages = BTreeMap::<u32, u64>::new();
        for (seconds, more) in counted {
            *messages.entry(seconds).or_default() += more;
        }
        let all: u64 = messages.values().sum();
        let at = |percent: u64| {
            let wanted = (all * percent).div_ceil(100);
            let mut passed = 0;
            let found = messages.iter().find(|(_, here)| {
                passed += **here;
                passed >= wanted && wanted > 0
            });
            found.map(|(seconds, _)| *seconds)
        };
        Self {
            p50: at(50),
            p95: at(95),
            p99: at(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(millis: i64) -> u32 {
        whole_seconds(TimeDelta::milliseconds(millis))
    }

    #[test]
    fn percentiles_are_the_least_that_so_many_do_not_exceed() {
        let of = |all: &[u32]| {
            let found = Percentiles::of(all.iter().map(|seconds| (*seconds, 1)));
            (found.p50, found.p95, found.p99)
        };
        assert_eq!(of(&[]), (None, None, None));
        assert_eq!(of(&[7]), (Some(7), Some(7), Some(7)));
        assert_eq!(of(&[4, 1]), (Some(1), Some(4), Some(4)));
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(of(&hundred), (Some(50), Some(95), Some(99)));
        assert_eq!(Percentiles::of([(3, 0)]), Percentiles::default());
    }

    proptest! {
        #[test]
        fn a_step_is_the_time_or_at_most_two_percent_more(millis in 0..2_000_000_000_i64) {
            let whole = u32::try_from(millis.div_euclid(1_000) + i64::from(millis % 1_000 > 0)).unwrap();
            let step = seconds(millis);
            prop_assert!(step >= whole);
            if whole <= 120 {
                prop_assert_eq!(step, whole);
            } else {
                prop_assert!(f64::from(step) <= f64::from(whole) * 1.02);
            }
            prop_assert_eq!(seconds(i64::from(step) * 1_000), step, "a step is its own");
            prop_assert!(seconds(millis + 1) >= step);
        }

        #[test]
        fn whatever_the_time_is_it_has_a_step(seconds in any::<i64>()) {
            let took = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MIN);
            let _ = whole_seconds(took);
        }
    }
}
