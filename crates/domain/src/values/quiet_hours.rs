use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};

/// Hours of the day, local time of Asia/Jakarta, in which a dealer's messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

/// The texts are not two different times of day in the form `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quiet hours are two different times of day in the form HH:MM")]
pub struct QuietHoursError;

impl QuietHours {
    /// Reads `HH:MM` twice; `from` is inclusive, `to` exclusive. A `to` before `from` is on the next day.
    ///
    /// # Errors
    /// [`QuietHoursError`]
    ///
    /// ```
    /// let night = domain::values::QuietHours::parse("21:00", "07:00")?;
    /// # Ok::<(), domain::values::QuietHoursError>(())
    /// ```
    pub fn parse(from: &str, to: &str) -> Result<Self, QuietHoursError> {
        Self::new(time(from)?, time(to)?)
    }

    /// Reads one time of day in the form `HH:MM`.
    ///
    /// # Errors
    /// [`QuietHoursError`]
    pub fn time(raw: &str) -> Result<NaiveTime, QuietHoursError> {
        time(raw)
    }

    /// From one time of day to another.
    ///
    /// # Errors
    /// [`QuietHoursError`] when they are the same.
    pub fn new(from: NaiveTime, to: NaiveTime) -> Result<Self, QuietHoursError> {
        if from == to {
            return Err(QuietHoursError);
        }
        Ok(Self { from, to })
    }

    /// When quiet hours begin.
    #[must_use]
    pub fn from(&self) -> NaiveTime {
        self.from
    }

    /// When quiet hours end.
    #[must_use]
    pub fn to(&self) -> NaiveTime {
        self.to
    }

    /// When the quiet hours at this local time end; `None` when it is not quiet.
    #[must_use]
    pub fn end(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let time = now.time();
        let (today, tomorrow) = (now.date(), now.date().checked_add_days(Days::new(1))?);
        if self.from < self.to {
            return (self.from <= time && time < self.to).then(|| today.and_time(self.to));
        }
        if time >= self.from {
            Some(tomorrow.and_time(self.to))
        } else {
            (time < self.to).then(|| today.and_time(self.to))
        }
    }

    /// The earliest moment since which this much time outside quiet hours has passed until `now`. `None`
    /// before chrono's first date.
    #[must_use]
    pub fn before(&self, open: TimeDelta, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = TimeDelta::days(1);
        let mut quiet = self.to - self.from;
        if quiet < TimeDelta::zero() {
            quiet += day;
        }
        // Time within quiet hours does not count: they may as well begin now.
        let now = self.end(now).map_or(now, |end| end - quiet);
        let today = now.date().and_time(self.to);
        let last_end = if today <= now { today } else { today - day };
        if open < now - last_end {
            return now.checked_sub_signed(open);
        }
        let left = (open - (now - last_end)).num_milliseconds();
        let open_of_day = (day - quiet).num_milliseconds();
        let days = TimeDelta::try_days(left / open_of_day)?;
        let part = TimeDelta::milliseconds(left % open_of_day);
        last_end.checked_sub_signed(quiet.checked_add(&days)?.checked_add(&part)?)
    }
}

fn time(raw: &str) -> Result<NaiveTime, QuietHoursError> {
    let shaped = raw.len() == 5 && raw.as_bytes()[2] == b':';
    shaped
        .then(|| NaiveTime::parse_from_str(raw, "%H:%M").ok())
        .flatten()
        .ok_or(QuietHoursError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn at(hour: u32, minute: u32) -> NaiveDateTime {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        day.and_hms_opt(hour, minute, 0).unwrap()
    }

    fn end(from: &str, to: &str, now: NaiveDateTime) -> Option<String> {
        let quiet = QuietHours::parse(from, to).unwrap();
        quiet.end(now).map(|end| end.format("%d %H:%M").to_string())
    }

    #[test]
    fn a_night_goes_over_midnight() {
        assert_eq!(end("21:00", "07:00", at(20, 59)), None);
        assert_eq!(
            end("21:00", "07:00", at(21, 0)).as_deref(),
            Some("23 07:00")
        );
        assert_eq!(
            end("21:00", "07:00", at(6, 59)).as_deref(),
            Some("22 07:00")
        );
        assert_eq!(end("21:00", "07:00", at(7, 0)), None);
    }

    #[test]
    fn a_rest_at_noon_stays_within_the_day() {
        assert_eq!(
            end("12:00", "13:30", at(12, 0)).as_deref(),
            Some("22 13:30")
        );
        assert_eq!(end("12:00", "13:30", at(13, 30)), None);
    }

    #[test]
    fn what_is_no_pair_of_times_is_refused() {
        for (from, to) in [
            ("21:00", "21:00"),
            ("24:00", "07:00"),
            ("9:00", "10:00"),
            ("21.00", "07:00"),
            ("", ""),
            ("+1:00", "07:00"),
            ("21:00:00", "07:00"),
        ] {
            assert_eq!(
                QuietHours::parse(from, to),
                Err(QuietHoursError),
                "{from} {to}"
            );
        }
    }

    /// Minutes outside quiet hours from one minute to a later one, counted one by one.
    fn open_minutes(quiet: &QuietHours, from: NaiveDateTime, to: NaiveDateTime) -> i64 {
        let minutes = (to - from).num_minutes();
        let each = (0..minutes).map(|n| from + TimeDelta::minutes(n));
        each.filter(|at| quiet.end(*at).is_none()).count() as i64
    }

    #[test]
    fn time_in_quiet_hours_is_left_out() {
        let night = QuietHours::parse("21:00", "07:00").unwrap();
        let before = |hours, now| {
            let at = night.before(TimeDelta::hours(hours), now).unwrap();
            at.format("%d %H:%M").to_string()
        };
        assert_eq!(before(2, at(12, 0)), "22 10:00");
        assert_eq!(before(6, at(12, 0)), "21 20:00");
        assert_eq!(before(24, at(12, 0)), "20 16:00");
        // At the end or in the middle of a night, none of it has passed.
        assert_eq!(before(1, at(7, 0)), "21 20:00");
        assert_eq!(before(1, at(3, 0)), "21 20:00");
        assert_eq!(before(1, at(23, 0)), "22 20:00");
        assert_eq!(night.before(TimeDelta::MAX, at(12, 0)), None);
    }

    proptest! {
        #[test]
        fn what_was_before_has_just_that_much_time(
            from in 0..1440_u32, to in 0..1440_u32, now in 0..1440_u32, open in 0..4_000_i64,
        ) {
            let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            if let Ok(quiet) = QuietHours::parse(&text(from), &text(to)) {
                // With one open minute a day, 60 minutes are 60 days.
                let open = open.min(60 * (1_440 - (1_440 + i64::from(to) - i64::from(from)) % 1_440));
                let now = at(now / 60, now % 60);
                let before = quiet.before(TimeDelta::minutes(open), now).unwrap();
                prop_assert_eq!(open_minutes(&quiet, before, now), open);
                let earlier = before - TimeDelta::minutes(1);
                prop_assert_eq!(open_minutes(&quiet, earlier, now), open + 1);
            }
        }

        #[test]
        fn the_end_is_ahead_and_not_quiet_itself(from in 0..1440_u32, to in 0..1440_u32, now in 0..1440_u32) {
            let text = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            if let Ok(quiet) = QuietHours::parse(&text(from), &text(to)) {
                let now = at(now / 60, now % 60);
                if let Some(end) = quiet.end(now) {
                    prop_assert!(end > now);
                    prop_assert!(end - now <= chrono::TimeDelta::days(1));
                    prop_assert_eq!(quiet.end(end), None);
                }
            }
        }
    }
}
