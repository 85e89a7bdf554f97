use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// The offset of Asia/Jakarta (WIB) from UTC, in seconds. Indonesia has no daylight saving time.
pub const JAKARTA_OFFSET_SECONDS: i32 = 7 * 3600;

/// The text is not a time in the form `DD/MM/YYYY HH:mm:ss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time in the form DD/MM/YYYY HH:mm:ss")]
pub struct LocalTimeError;

/// Parses `DD/MM/YYYY HH:mm:ss`, a local time of Asia/Jakarta.
///
/// ASCII digits and exactly one space; day, month, hour, minute and second may be unpadded; the
/// year has four digits, 0001 to 9999; seconds are 0 to 59.
///
/// # Errors
/// [`LocalTimeError`] for any other form and for dates that do not exist.
///
/// ```
/// let time = domain::values::parse_local_time("1/2/2019 5:4:5")?;
/// assert_eq!(time.to_string(), "2019-02-01 05:04:05");
/// # Ok::<(), domain::values::LocalTimeError>(())
/// ```
pub fn parse_local_time(raw: &str) -> Result<NaiveDateTime, LocalTimeError> {
    let (date, time) = raw.split_once(' ').ok_or(LocalTimeError)?;
    let [day, month, year] = parts(date, '/')?;
    let [hour, minute, second] = parts(time, ':')?;
    if year.len() != 4 {
        return Err(LocalTimeError);
    }
    let year = number(year)?;
    if year == 0 {
        return Err(LocalTimeError);
    }
    let year = i32::try_from(year).map_err(|_| LocalTimeError)?;
    NaiveDate::from_ymd_opt(year, short(month)?, short(day)?)
        .and_then(|date| {
            date.and_hms_opt(short(hour).ok()?, short(minute).ok()?, short(second).ok()?)
        })
        .ok_or(LocalTimeError)
}

/// Parses a day, strictly `YYYY-MM-DD`, from the year 1 on; nothing for another form and for days that do
/// not exist.
#[must_use]
pub fn parse_day(raw: &str) -> Option<NaiveDate> {
    let is_shaped = raw.len() == 10
        && raw.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_shaped || raw.starts_with("0000") {
        return None;
    }
    NaiveDate::parse_from_str(raw, "%Y-%m-%d").ok()
}

/// The local time of Asia/Jakarta at an instant.
#[must_use]
pub fn jakarta_time(at: DateTime<Utc>) -> NaiveDateTime {
    let offset = FixedOffset::east_opt(JAKARTA_OFFSET_SECONDS).expect("seven hours are an offset");
    at.with_timezone(&offset).naive_local()
}

/// The instant of a local time of Asia/Jakarta.
#[must_use]
pub fn from_jakarta_time(local: NaiveDateTime) -> DateTime<Utc> {
    (local - TimeDelta::seconds(JAKARTA_OFFSET_SECONDS.into())).and_utc()
}

fn parts(text: &str, separator: char) -> Result<[&str; 3], LocalTimeError> {
    let mut parts = text.split(separator);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(second), Some(third), None) => Ok([first, second, third]),
        _ => Err(LocalTimeError),
    }
}

/// A number of one or two digits.
fn short(text: &str) -> Result<u32, LocalTimeError> {
    if (1..=2).contains(&text.len()) {
        number(text)
    } else {
        Err(LocalTimeError)
    }
}

fn number(text: &str) -> Result<u32, LocalTimeError> {
    // `u32::from_str` alone would accept a sign.
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(LocalTimeError);
    }
    text.parse().map_err(|_| LocalTimeError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padded_and_unpadded_times_are_read() {
        for (raw, expected) in [
            ("31/12/2019 15:40:50", "2019-12-31 15:40:50"),
            ("1/2/2019 5:4:5", "2019-02-01 05:04:05"),
            ("29/02/2020 00:00:00", "2020-02-29 00:00:00"),
            ("01/01/0001 00:00:00", "0001-01-01 00:00:00"),
            ("31/12/9999 23:59:59", "9999-12-31 23:59:59"),
        ] {
            assert_eq!(parse_local_time(raw).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for raw in [
            "",
            "31/12/2019",
            "2019-12-31 15:40:50",
            "31/12/2019T15:40:50",
            "31/12/2019  15:40:50",
            " 31/12/2019 15:40:50",
            "31/12/2019 15:40:50 ",
            "31/02/2019 15:40:50",
            "29/02/2019 15:40:50",
            "00/12/2019 15:40:50",
            "31/12/0000 15:40:50",
            "31/12/19 15:40:50",
            "31/12/02019 15:40:50",
            "31/12/2019 24:00:00",
            "31/12/2019 15:60:50",
            "31/12/2019 15:40:60",
            "31/12/2019 15:40",
            "31/12/2019 15:40:50:1",
            "+1/12/2019 15:40:50",
            "٣١/12/2019 15:40:50",
            "031/12/2019 15:40:50",
            "31/12/2019 15:40:50.5",
        ] {
            assert_eq!(parse_local_time(raw), Err(LocalTimeError), "{raw}");
        }
    }

    #[test]
    fn days_have_one_form() {
        assert!(parse_day("2019-12-31").is_some());
        for raw in [
            "2019-12-32",
            "2019-1-1",
            "31/12/2019",
            "2019-12-31T00:00:00",
            "0000-01-01",
            "+2019-12-3",
            "-001-12-31",
            "2019-02-29",
        ] {
            assert_eq!(parse_day(raw), None, "{raw}");
        }
    }

    #[test]
    fn jakarta_is_seven_hours_ahead() {
        let at = DateTime::from_timestamp(1_577_781_650, 0).unwrap();
        assert_eq!(jakarta_time(at).to_string(), "2019-12-31 15:40:50");
        assert_eq!(from_jakarta_time(jakarta_time(at)), at);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(raw in "\\PC{0,30}|[0-9/: ]{0,24}") {
            let _ = parse_local_time(&raw);
        }

        #[test]
        fn a_day_is_printed_as_it_was_read(raw in "(?s:.){0,11}|[0-9]{4}-[01][0-9]-[0-3][0-9]", days in 1..3_652_059_i32) {
            if let Some(day) = parse_day(&raw) {
                prop_assert_eq!(day.to_string(), raw);
            }
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            prop_assert_eq!(parse_day(&day.to_string()), Some(day));
        }

        #[test]
        fn every_time_between_the_years_1_and_9999_is_read_back(seconds in -62_135_596_800_i64..=253_402_300_799) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            // chrono does not pad years below 1000 to four digits with `%Y`.
            let text = format!("{}{:04}{}", time.format("%d/%m/"), chrono::Datelike::year(&time), time.format(" %H:%M:%S"));
            prop_assert_eq!(parse_local_time(&text), Ok(time));
        }
    }
}
