use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use crate::dealers::DealerSettings;
use crate::values::{QuietHours, from_jakarta_time, jakarta_time};

/// How long after a change of settings a copy may act on the old ones: dealers are cached for a few seconds;
/// the rest is margin.
pub const REST_DOUBT: Duration = Duration::from_secs(10);

/// How long a rest that begins within that time lasts, before the lane is checked again.
pub const REST_LOOK: Duration = Duration::from_secs(1);

/// Until when a dealer's lane rests, because of quiet hours or the daily limit; `None` when it may send. Days
/// and hours are those of Asia/Jakarta.
#[must_use]
pub fn rest_until(
    settings: &DealerSettings,
    calls_today: u32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let local = jakarta_time(now);
    let quiet = settings.quiet_hours.and_then(|quiet| quiet.end(local));
    let tomorrow = local
        .date()
        .checked_add_days(Days::new(1))
        .filter(|_| is_spent(settings, calls_today));
    let midnight = tomorrow.map(|day| day.and_time(NaiveTime::MIN));
    // When the limit ends in quiet hours, the lane is checked again at midnight.
    quiet.max(midnight).map(from_jakarta_time)
}

/// Whether the daily limit is reached.
#[must_use]
pub fn is_spent(settings: &DealerSettings, calls_today: u32) -> bool {
    settings
        .daily_limit
        .is_some_and(|limit| calls_today >= limit)
}

/// Messages that were due before this moment are too old: `ttl` has passed since, not counting quiet hours.
/// No other delay of the lane extends it.
#[must_use]
pub fn too_old_before(
    quiet: Option<QuietHours>,
    ttl: Duration,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    let before = match quiet {
        None => now.checked_sub_signed(ttl),
        Some(quiet) => quiet.before(ttl, jakarta_time(now)).map(from_jakarta_time),
    };
    // No message was due before 1970.
    before.map_or(DateTime::UNIX_EPOCH, |at| at.max(DateTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::parse_local_time;

    fn rest(settings: &DealerSettings, calls: u32, now: &str) -> Option<String> {
        let now = from_jakarta_time(parse_local_time(now).unwrap());
        rest_until(settings, calls, now)
            .map(|until| jakarta_time(until).format("%d %H:%M").to_string())
    }

    #[test]
    fn a_lane_rests_in_quiet_hours_and_when_the_days_calls_are_used_up() {
        let settings = DealerSettings {
            daily_limit: Some(2),
            quiet_hours: Some(QuietHours::parse("21:00", "07:00").unwrap()),
            ..Default::default()
        };
        assert_eq!(rest(&settings, 1, "22/11/2026 12:00:00"), None);
        assert_eq!(
            rest(&settings, 1, "22/11/2026 23:00:00").as_deref(),
            Some("23 07:00")
        );
        assert_eq!(
            rest(&settings, 2, "22/11/2026 12:00:00").as_deref(),
            Some("23 00:00")
        );
        assert_eq!(
            rest(&settings, 2, "22/11/2026 22:00:00").as_deref(),
            Some("23 07:00")
        );
    }

    #[test]
    fn quiet_hours_are_no_part_of_a_messages_life() {
        let day = Duration::from_secs(24 * 3_600);
        let now = from_jakarta_time(parse_local_time("22/11/2026 12:00:00").unwrap());
        assert_eq!(too_old_before(None, day, now), now - TimeDelta::days(1));
        let night = QuietHours::parse("21:00", "07:00").unwrap();
        let expected = now - TimeDelta::hours(44);
        assert_eq!(too_old_before(Some(night), day, now), expected);
        for quiet in [None, Some(night)] {
            let ever = too_old_before(quiet, Duration::MAX, now);
            assert_eq!(ever, DateTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn a_limit_of_none_rests_at_once() {
        let settings = DealerSettings {
            daily_limit: Some(0),
            ..Default::default()
        };
        assert!(rest(&settings, 0, "22/11/2026 12:00:00").is_some());
        assert_eq!(
            rest(&DealerSettings::default(), 9_999, "22/11/2026 12:00:00"),
            None
        );
    }
}
