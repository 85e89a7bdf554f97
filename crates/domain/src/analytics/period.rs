use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::ports::DateRange;

/// The most buckets of a period.
pub const MOST_BUCKETS: usize = 1_000;

/// The most days that are told by the hour.
pub const MOST_DAYS_OF_HOURS: i64 = 31;

/// How many days are told where nobody says which.
const DEFAULT_DAYS: u64 = 30;

named! {
    /// What is counted together.
    #[derive(Default)]
    pub enum Bucket {
        /// An hour.
        Hour = "hour",
        /// A day.
        #[default]
        Day = "day",
        /// A week, from Monday on.
        Week = "week",
        /// A month.
        Month = "month",
    }
}

impl Bucket {
    /// When the bucket begins in which this is.
    #[must_use]
    pub fn start(self, at: NaiveDateTime) -> NaiveDateTime {
        let day = at.date();
        match self {
            Self::Hour => {
                let past = i64::from(chrono::Timelike::num_seconds_from_midnight(&at.time()));
                midnight(day) + TimeDelta::seconds(past - past % 3_600)
            }
            Self::Day => midnight(day),
            Self::Week => {
                let past = Days::new(day.weekday().num_days_from_monday().into());
                midnight(day.checked_sub_days(past).unwrap_or(day))
            }
            Self::Month => midnight(day.with_day(1).unwrap_or(day)),
        }
    }

    /// When the next one begins; none where the calendar ends.
    fn next(self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
        }
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// Days of `request_date`, both ends included, and what of them is counted together. Of days whose end comes
/// before their beginning there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    from: NaiveDate,
    to: NaiveDate,
    bucket: Bucket,
}

/// There would be too many buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more buckets than are told at once")]
pub struct PeriodError;

impl Period {
    /// The days of a range: an open end is today, an open beginning 30 days with the end.
    ///
    /// # Errors
    /// [`PeriodError`] for more than [`MOST_BUCKETS`], or [`MOST_DAYS_OF_HOURS`] by the hour.
    pub fn new(range: DateRange, bucket: Bucket, today: NaiveDate) -> Result<Self, PeriodError> {
        let to = range.to.unwrap_or(today);
        let before = Days::new(DEFAULT_DAYS - 1);
        let from = range.from.or_else(|| to.checked_sub_days(before));
        let period = Self {
            from: from.unwrap_or(to),
            to,
            bucket,
        };
        let days = (period.to - period.from).num_days() + 1;
        let is_too_long = bucket == Bucket::Hour && days > MOST_DAYS_OF_HOURS
            || period.starts().count() > MOST_BUCKETS;
        if is_too_long {
            Err(PeriodError)
        } else {
            Ok(period)
        }
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> NaiveDate {
        self.from
    }

    /// The last day.
    #[must_use]
    pub const fn to(&self) -> NaiveDate {
        self.to
    }

    /// What is counted together.
    #[must_use]
    pub const fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// The days.
    #[must_use]
    pub const fn range(&self) -> DateRange {
        DateRange {
            from: Some(self.from),
            to: Some(self.to),
        }
    }

    /// When each bucket begins, at most one more than [`MOST_BUCKETS`].
    pub fn starts(&self) -> impl Iterator<Item = NaiveDateTime> {
        let (bucket, last) = (self.bucket, self.to);
        let first = (self.from <= last).then(|| bucket.start(midnight(self.from)));
        std::iter::successors(first, move |start| bucket.next(*start))
            .take_while(move |start| start.date() <= last)
            .take(MOST_BUCKETS + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(from: &str, to: &str, bucket: Bucket) -> Result<Period, PeriodError> {
        let range = DateRange {
            from: Some(day(from)),
            to: Some(day(to)),
        };
        Period::new(range, bucket, day("2026-11-30"))
    }

    fn starts(from: &str, to: &str, bucket: Bucket) -> Vec<String> {
        let period = period(from, to, bucket).unwrap();
        period.starts().map(|start| start.to_string()).collect()
    }

    #[test]
    fn a_period_is_the_last_thirty_days_unless_said_otherwise() {
        let today = day("2026-11-30");
        let of = |from: Option<&str>, to: Option<&str>| {
            let (from, to) = (from.map(day), to.map(day));
            let period = Period::new(DateRange { from, to }, Bucket::Day, today).unwrap();
            (period.from().to_string(), period.to().to_string())
        };
        let expect = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(of(None, None), expect("2026-11-01", "2026-11-30"));
        assert_eq!(
            of(None, Some("2026-03-30")),
            expect("2026-03-01", "2026-03-30")
        );
        assert_eq!(
            of(Some("2026-09-01"), None),
            expect("2026-09-01", "2026-11-30")
        );
        assert_eq!(
            of(Some("2027-09-01"), None),
            expect("2027-09-01", "2026-11-30")
        );
    }

    #[test]
    fn a_bucket_begins_where_the_calendar_says() {
        assert_eq!(
            starts("2026-11-22", "2026-11-24", Bucket::Day),
            [
                "2026-11-22 00:00:00",
                "2026-11-23 00:00:00",
                "2026-11-24 00:00:00"
            ]
        );
        // The 22nd is a Sunday.
        assert_eq!(
            starts("2026-11-22", "2026-11-23", Bucket::Week),
            ["2026-11-16 00:00:00", "2026-11-23 00:00:00"]
        );
        assert_eq!(
            starts("2025-12-31", "2026-02-01", Bucket::Month),
            [
                "2025-12-01 00:00:00",
                "2026-01-01 00:00:00",
                "2026-02-01 00:00:00"
            ]
        );
        let hours = starts("2026-11-22", "2026-11-23", Bucket::Hour);
        assert_eq!(
            (hours.len(), hours[47].as_str()),
            (48, "2026-11-23 23:00:00")
        );
        assert!(starts("2026-11-23", "2026-11-22", Bucket::Hour).is_empty());
    }

    #[test]
    fn there_are_not_too_many_buckets() {
        for (from, to, bucket, fits) in [
            ("2026-11-01", "2026-12-01", Bucket::Hour, true),
            ("2026-10-31", "2026-12-01", Bucket::Hour, false),
            ("2024-01-01", "2026-09-26", Bucket::Day, true),
            ("2024-01-01", "2026-09-27", Bucket::Day, false),
            ("0001-01-01", "9999-12-31", Bucket::Month, false),
            ("0001-01-01", "9999-12-31", Bucket::Hour, false),
            ("9999-12-01", "9999-12-31", Bucket::Hour, true),
            ("9999-12-01", "9999-12-31", Bucket::Month, true),
            ("9999-12-31", "0001-01-01", Bucket::Hour, true),
        ] {
            let found = period(from, to, bucket).is_ok();
            assert_eq!(found, fits, "{from} to {to} by {}", bucket.as_str());
        }
    }
}
