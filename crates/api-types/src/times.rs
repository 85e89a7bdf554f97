//! How times are written.

use chrono::{DateTime, NaiveDateTime, NaiveTime, SecondsFormat, Timelike as _, Utc};

/// The wire form of a time.
#[must_use]
pub fn rfc_3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// `2019-12-31T15:40:50`, with six more digits when there is a fraction, as Python writes it.
#[must_use]
pub fn iso_date_time(at: NaiveDateTime) -> String {
    format!("{}T{}", at.format("%Y-%m-%d"), iso_time(at.time()))
}

pub(crate) fn iso_time(at: NaiveTime) -> String {
    let whole = at.format("%H:%M:%S");
    match at.nanosecond() / 1_000 {
        0 => whole.to_string(),
        micros => format!("{whole}.{micros:06}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn times_are_written_as_the_service_of_before_wrote_them() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let at = |micros| iso_date_time(day.and_hms_micro_opt(16, 20, 13, micros).unwrap());
        assert_eq!(at(0), "2026-11-22T16:20:13");
        assert_eq!(at(344_527), "2026-11-22T16:20:13.344527");
        assert_eq!(at(500_000), "2026-11-22T16:20:13.500000");
        let early = NaiveDate::from_ymd_opt(1, 2, 3)
            .unwrap()
            .and_hms_opt(4, 5, 6)
            .unwrap();
        assert_eq!(iso_date_time(early), "0001-02-03T04:05:06");
    }
}
