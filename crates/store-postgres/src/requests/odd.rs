//! Values of other writers that cannot be shown: dates and times outside Rust's or the answer's range, such
//! as `infinity` or `24:00:00`. Such a value reads as absent, and the rest of its row is shown.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::data_types::{PgDate, PgTime};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Date, Text, Time, Timestamp};

/// The years that an answer can show: four digits.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9_999;

/// PostgreSQL's day 0.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a real date");

/// A date as PostgreSQL counts it.
pub(crate) fn pg_date(date: NaiveDate) -> PgDate {
    PgDate(date.num_days_from_ce() - EPOCH.num_days_from_ce())
}

/// A value, or `None` where it cannot be shown.
#[derive(Debug, Clone, Copy, FromSqlRow)]
pub(crate) struct Shown<T>(pub(crate) Option<T>);

impl FromSql<Timestamp, Pg> for Shown<NaiveDateTime> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let at: Result<NaiveDateTime, _> = FromSql::<Timestamp, Pg>::from_sql(value);
        Ok(Self(at.ok().filter(|at| YEARS.contains(&at.year()))))
    }
}

/// A text of a NOT NULL column whose constraint another team may have dropped.
impl FromSql<Text, Pg> for Shown<String> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Some(FromSql::<Text, Pg>::from_sql(value)?)))
    }

    fn from_nullable_sql(value: Option<PgValue<'_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Self(None)), Self::from_sql)
    }
}

/// Any date of PostgreSQL.
#[derive(Debug, Clone, Copy, FromSqlRow)]
pub(crate) struct AnyDate {
    /// Days since 1 January 2000; the ends stand for `-infinity` and `infinity`.
    pub(crate) days: i32,
}

impl AnyDate {
    pub(crate) fn shown(self) -> Option<NaiveDate> {
        let date = EPOCH.checked_add_signed(chrono::TimeDelta::days(self.days.into()))?;
        Some(date).filter(|date| YEARS.contains(&date.year()))
    }
}

impl FromSql<Date, Pg> for AnyDate {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgDate(days) = FromSql::<Date, Pg>::from_sql(value)?;
        Ok(Self { days })
    }
}

/// Any time of day of PostgreSQL, `24:00:00` included.
#[derive(Debug, Clone, Copy, FromSqlRow)]
pub(crate) struct AnyTime {
    /// Microseconds since midnight.
    pub(crate) micros: i64,
}

impl AnyTime {
    pub(crate) fn shown(self) -> Option<NaiveTime> {
        let micros = u64::try_from(self.micros).ok()?;
        let seconds = u32::try_from(micros / 1_000_000).ok()?;
        let nanos = u32::try_from(micros % 1_000_000).ok()? * 1_000;
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
    }
}

impl FromSql<Time, Pg> for AnyTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTime(micros) = FromSql::<Time, Pg>::from_sql(value)?;
        Ok(Self { micros })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_shown_where_they_can_be() {
        for (days, shown) in [
            (0, Some("2000-01-01")),
            (9_862, Some("2027-01-01")),
            (-730_119, Some("0001-01-01")),
            (-730_120, None),
            (2_921_939, Some("9999-12-31")),
            (2_921_940, None),
            (i32::MAX, None),
            (i32::MIN, None),
        ] {
            let found = AnyDate { days }.shown().map(|date| date.to_string());
            assert_eq!(found.as_deref(), shown, "{days}");
            let back = AnyDate { days }.shown().map(pg_date);
            assert_eq!(back.map(|PgDate(days)| days), shown.map(|_| days));
        }
    }

    #[test]
    fn times_are_shown_where_they_can_be() {
        for (micros, shown) in [
            (0, Some("00:00:00")),
            (86_399_999_999, Some("23:59:59.999999")),
            (86_400_000_000, None),
            (-1, None),
            (i64::MAX, None),
        ] {
            let found = AnyTime { micros }.shown().map(|time| time.to_string());
            assert_eq!(found.as_deref(), shown, "{micros}");
        }
    }
}
