use chrono::NaiveTime;

use crate::requests::Fault;
use crate::settings::{SettingFaults, SettingField};
use crate::values::QuietHours;

/// A change of quiet hours: a time that is absent stays as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietTimes {
    from: Option<NaiveTime>,
    to: Option<NaiveTime>,
}

impl QuietTimes {
    /// The given times.
    #[must_use]
    pub const fn new(from: Option<NaiveTime>, to: Option<NaiveTime>) -> Self {
        Self { from, to }
    }

    /// Whether both times are given, so that the stored ones do not matter.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }

    /// The stored quiet hours after the change.
    ///
    /// # Errors
    /// When a time is neither given nor stored, or both are the same.
    pub fn over(&self, stored: Option<QuietHours>) -> Result<QuietHours, SettingFaults> {
        let from = self.from.or(stored.map(|stored| stored.from()));
        let to = self.to.or(stored.map(|stored| stored.to()));
        let (Some(from), Some(to)) = (from, to) else {
            let missing = [(SettingField::QuietFrom, from), (SettingField::QuietTo, to)];
            return Err(missing
                .into_iter()
                .filter(|(_, time)| time.is_none())
                .map(|(field, _)| (field, Fault::Missing))
                .collect());
        };
        QuietHours::new(from, to).map_err(|_| vec![(SettingField::QuietHours, Fault::SameTimes)])
    }
}

impl From<QuietHours> for QuietTimes {
    fn from(quiet: QuietHours) -> Self {
        Self::new(Some(quiet.from()), Some(quiet.to()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: u32) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(hour, 0, 0)
    }

    fn night() -> Option<QuietHours> {
        QuietHours::parse("21:00", "07:00").ok()
    }

    fn over(
        from: Option<u32>,
        to: Option<u32>,
        stored: Option<QuietHours>,
    ) -> Result<(NaiveTime, NaiveTime), SettingFaults> {
        let times = QuietTimes::new(from.and_then(time), to.and_then(time));
        let quiet = times.over(stored)?;
        Ok((quiet.from(), quiet.to()))
    }

    #[test]
    fn a_time_that_is_not_given_is_the_stored_one() {
        let hours = |from, to| Ok((time(from).unwrap(), time(to).unwrap()));
        assert_eq!(over(None, Some(8), night()), hours(21, 8));
        assert_eq!(over(Some(22), None, night()), hours(22, 7));
        assert_eq!(over(None, None, night()), hours(21, 7));
        assert_eq!(over(Some(1), Some(2), night()), hours(1, 2));
        assert_eq!(over(Some(1), Some(2), None), hours(1, 2));
    }

    #[test]
    fn a_time_that_is_nowhere_is_missing() {
        let from = (SettingField::QuietFrom, Fault::Missing);
        let to = (SettingField::QuietTo, Fault::Missing);
        assert_eq!(over(None, Some(8), None), Err(vec![from]));
        assert_eq!(over(Some(8), None, None), Err(vec![to]));
        assert_eq!(over(None, None, None), Err(vec![from, to]));
    }

    #[test]
    fn a_time_may_not_become_the_other() {
        let same = vec![(SettingField::QuietHours, Fault::SameTimes)];
        assert_eq!(over(None, Some(21), night()), Err(same.clone()));
        assert_eq!(over(Some(7), None, night()), Err(same.clone()));
        assert_eq!(over(Some(3), Some(3), None), Err(same));
    }
}
