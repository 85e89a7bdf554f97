//! Numbers and times as people read them.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use domain::values::jakarta_time;

use crate::look::Language;
use crate::text::Text;

impl Text {
    /// `1.234` in Indonesian, `1,234` in English.
    pub(crate) fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = match self.0 {
            Language::Indonesian => '.',
            Language::English => ',',
        };
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// `30 Nov 2026`.
    pub(crate) fn day(self, day: NaiveDate) -> String {
        format!("{} {} {}", day.day(), self.month(day.month()), day.year())
    }

    /// `30 Nov`, where the year stands elsewhere.
    pub(crate) fn day_of_year(self, day: NaiveDate) -> String {
        format!("{} {}", day.day(), self.month(day.month()))
    }

    /// `Nov 2026`.
    pub(crate) fn month_of_year(self, day: NaiveDate) -> String {
        format!("{} {}", self.month(day.month()), day.year())
    }

    /// `15.40` in Indonesian, `15:40` in English.
    pub(crate) fn clock(self, time: impl chrono::Timelike) -> String {
        let dot = self.clock_separator();
        format!("{:02}{dot}{:02}", time.hour(), time.minute())
    }

    /// The same to the second.
    pub(crate) fn clock_to_the_second(self, time: impl chrono::Timelike) -> String {
        let dot = self.clock_separator();
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        format!("{hour:02}{dot}{minute:02}{dot}{second:02}")
    }

    /// A local time: the clock alone on the day of `now`, else with its day.
    pub(crate) fn local(self, at: NaiveDateTime, now: DateTime<Utc>) -> String {
        let today = jakarta_time(now).date();
        if at.date() == today {
            self.clock(at)
        } else {
            format!("{}, {}", self.day(at.date()), self.clock(at))
        }
    }

    /// A moment; within an hour how long ago, else its local time.
    pub(crate) fn moment(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let ago = now - at;
        if ago >= TimeDelta::zero() && ago < TimeDelta::hours(1) {
            self.minutes_ago(ago.num_minutes())
        } else {
            self.local(jakarta_time(at), now)
        }
    }

    /// Since when something is so; within an hour for how long.
    pub(crate) fn since(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let moment = self.moment(at, now);
        let minutes = (now - at).num_minutes();
        match (self.0, minutes) {
            (_, 0) => moment,
            (Language::Indonesian, _) => format!("sejak {moment}"),
            (Language::English, 1) => "for 1 minute".to_owned(),
            (Language::English, 2..60) => format!("for {minutes} minutes"),
            (Language::English, _) => format!("since {moment}"),
        }
    }

    /// A local time to the second, with its day on other days than that of `now`.
    pub(crate) fn to_the_second(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let local = jakarta_time(at);
        let clock = self.clock_to_the_second(local);
        match local.date() == jakarta_time(now).date() {
            true => clock,
            false => format!("{}, {clock}", self.day(local.date())),
        }
    }

    /// A moment in full, for those who hover or listen.
    pub(crate) fn exactly(self, at: DateTime<Utc>) -> String {
        let local = jakarta_time(at);
        let clock = self.clock_to_the_second(local);
        format!("{}, {clock} WIB", self.day(local.date()))
    }

    /// A pause or a wait: `212 ms`, `1,5 s`.
    pub(crate) fn duration(self, duration: std::time::Duration) -> String {
        let milliseconds = duration.as_millis();
        if milliseconds < 1_000 {
            return format!("{milliseconds} ms");
        }
        let comma = match self.0 {
            Language::Indonesian => ',',
            Language::English => '.',
        };
        let tenths = milliseconds / 100;
        format!("{}{comma}{} s", tenths / 10, tenths % 10)
    }

    /// A wait in its two largest parts: `2 jam 5 menit`.
    pub(crate) fn long(self, wait: std::time::Duration) -> String {
        let seconds = wait.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let [day, hour, minute, second] = match self.0 {
            Language::Indonesian => ["hari", "jam", "menit", "detik"],
            Language::English => ["d", "h", "min", "s"],
        };
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} {second}"),
            (0, 0, _) => format!("{minutes} {minute}"),
            (0, _, 0) => format!("{hours} {hour}"),
            (0, _, _) => format!("{hours} {hour} {minutes} {minute}"),
            (_, 0, _) => format!("{days} {day}"),
            _ => format!("{days} {day} {hours} {hour}"),
        }
    }

    fn clock_separator(self) -> char {
        match self.0 {
            Language::Indonesian => '.',
            Language::English => ':',
        }
    }
}

/// A moment for machines.
pub(crate) fn machine(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ID: Text = Text(Language::Indonesian);
    const EN: Text = Text(Language::English);

    #[test]
    fn numbers_have_the_form_of_their_language() {
        for (number, indonesian) in [
            (0, "0"),
            (999, "999"),
            (1_234, "1.234"),
            (100_000, "100.000"),
            (2_000_000, "2.000.000"),
        ] {
            assert_eq!(ID.number(number), indonesian);
            assert_eq!(EN.number(number), indonesian.replace('.', ","));
        }
    }

    #[test]
    fn times_are_those_of_jakarta() {
        let at: DateTime<Utc> = "2026-11-30T02:05:07Z".parse().unwrap();
        let after = |minutes| at + TimeDelta::minutes(minutes);
        assert_eq!(ID.moment(at, after(90)), "09.05");
        assert_eq!(EN.moment(at, after(90)), "09:05");
        assert_eq!(ID.moment(at, after(1_440)), "30 Nov 2026, 09.05");
        assert_eq!(ID.moment(at, after(0)), "baru saja");
        assert_eq!(EN.moment(at, after(1)), "1 minute ago");
        assert_eq!(ID.moment(at, after(59)), "59 menit lalu");
        assert_eq!(ID.since(at, after(0)), "baru saja");
        assert_eq!(ID.since(at, after(59)), "sejak 59 menit lalu");
        assert_eq!(EN.since(at, after(1)), "for 1 minute");
        assert_eq!(EN.since(at, after(59)), "for 59 minutes");
        assert_eq!(EN.since(at, after(60)), "since 09:05");
        assert_eq!(ID.exactly(at), "30 Nov 2026, 09.05.07 WIB");
        assert_eq!(machine(at), "2026-11-30T02:05:07Z");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(ID.duration(Duration::from_millis(212)), "212 ms");
        assert_eq!(ID.duration(Duration::from_millis(1_560)), "1,5 s");
        assert_eq!(EN.duration(Duration::from_secs(30)), "30.0 s");
        assert_eq!(ID.long(Duration::from_secs(59)), "59 detik");
        assert_eq!(ID.long(Duration::from_secs(7_500)), "2 jam 5 menit");
        assert_eq!(EN.long(Duration::from_secs(90_000)), "1 d 1 h");
    }
}
