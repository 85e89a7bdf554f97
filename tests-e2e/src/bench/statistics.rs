//! What many measurements come to.

use std::fmt;
use std::time::Duration;

/// The rounds of one measurement in short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    /// Of at least one value.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Some(Self {
            median,
            least,
            greatest,
        })
    }

    /// Of the quotients of what belongs together, so that a slow minute of the machine, which
    /// slows both of a pair, does not count.
    #[must_use]
    pub fn of_quotients(dividends: &[f64], divisors: &[f64]) -> Option<Self> {
        let quotients: Vec<f64> = dividends
            .iter()
            .zip(divisors)
            .map(|(dividend, divisor)| dividend / divisor)
            .collect();
        Self::of(&quotients)
    }
}

impl fmt::Display for Spread {
    /// `median (least..greatest)`, or one number when they are all the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.greatest {
            return f.write_str(&number(self.median));
        }
        write!(
            f,
            "{} ({}..{})",
            number(self.median),
            number(self.least),
            number(self.greatest)
        )
    }
}

/// A number with as many digits as a reader can use.
#[must_use]
pub(super) fn number(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() >= 100.0 {
        grouped(value)
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else if value.abs() < 0.1 {
        format!("{value:.4}")
    } else {
        format!("{value:.2}")
    }
}

/// A whole number with commas.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", &*digits), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How long each of many calls took: every one is kept, so that percentiles are exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies {
    sorted_micros: Vec<u32>,
}

impl Latencies {
    /// Of microseconds in any order.
    #[must_use]
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self {
            sorted_micros: micros,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted_micros.len()
    }

    /// The least time, in milliseconds, within which this share of the calls ended (the nearest
    /// rank); 0 when there were none.
    #[must_use]
    pub fn percentile_ms(&self, percent: u32) -> f64 {
        let rank = (self.count() * percent as usize).div_ceil(100).max(1);
        let micros = self.sorted_micros.get(rank - 1).copied().unwrap_or(0);
        f64::from(micros) / 1_000.0
    }
}

/// In whole microseconds; what is longer than an hour is an hour.
#[must_use]
pub(super) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(3_600_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_median_least_and_greatest() {
        let spread = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (spread.median, spread.least, spread.greatest),
            (2.0, 1.0, 3.0)
        );
        assert_eq!(Spread::of(&[1.0, 2.0, 4.0, 8.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_ratio_is_taken_of_each_pair() {
        let spread = Spread::of_quotients(&[10.0, 40.0, 90.0], &[10.0, 20.0, 30.0]).unwrap();
        assert_eq!(spread.to_string(), "2.00 (1.00..3.00)");
        assert_eq!(Spread::of(&[0.0]).unwrap().to_string(), "0");
    }

    #[test]
    fn numbers_have_as_many_digits_as_are_useful() {
        assert_eq!(number(0.123_4), "0.12");
        assert_eq!(number(0.001_64), "0.0016");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(123.4), "123");
        assert_eq!(number(-1_234.0), "-1,234");
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred = Latencies::of((1..=100).rev().map(|ms| ms * 1_000).collect());
        assert_eq!(hundred.percentile_ms(50), 50.0);
        assert_eq!(hundred.percentile_ms(99), 99.0);
        assert_eq!(hundred.percentile_ms(100), 100.0);
        let three = Latencies::of(vec![3_000, 1_000, 2_000]);
        assert_eq!(three.percentile_ms(50), 2.0);
        assert_eq!(three.percentile_ms(99), 3.0);
        assert_eq!(Latencies::default().percentile_ms(99), 0.0);
    }

    #[test]
    fn a_very_long_time_is_an_hour() {
        assert_eq!(micros(Duration::from_millis(5)), 5_000);
        assert_eq!(micros(Duration::from_secs(90_000)), 3_600_000_000);
    }
}
