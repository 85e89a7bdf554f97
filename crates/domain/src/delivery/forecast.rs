use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::DeliveryPolicy;
use crate::dealers::DealerSettings;
use crate::values::{QuietHours, from_jakarta_time, jakarta_time};

/// How many days ahead calls are estimated. Messages expire long before.
const HORIZON: Days = Days::new(366);

/// An estimate of a lane's coming calls. Each takes the mean pause and no time itself; none is in quiet hours
/// or above the daily limit.
#[derive(Debug, Clone)]
pub struct Forecast {
    pause: TimeDelta,
    quiet_hours: Option<QuietHours>,
    daily_limit: Option<u32>,
    /// The earliest local time (Asia/Jakarta) of the next call.
    next: NaiveDateTime,
    /// The present day and its number of calls.
    day: NaiveDate,
    calls: u32,
    horizon: NaiveDateTime,
}

impl Forecast {
    /// The calls from `from` on, which may be later than `now`. `calls_today` calls were made on the day of
    /// `now`; `policy` is the service's.
    #[must_use]
    pub fn new(
        settings: &DealerSettings,
        policy: &DeliveryPolicy,
        now: DateTime<Utc>,
        calls_today: u32,
        from: DateTime<Utc>,
    ) -> Self {
        let (now, next) = (jakarta_time(now), jakarta_time(from.max(now)));
        let pause = policy.with(settings).mean_pace();
        Self {
            pause: TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX),
            quiet_hours: settings.quiet_hours,
            daily_limit: settings.daily_limit,
            next,
            day: now.date(),
            calls: calls_today,
            horizon: next.checked_add_days(HORIZON).unwrap_or(NaiveDateTime::MAX),
        }
    }

    /// When the next call may be made; `None` for never, or beyond the horizon.
    #[must_use]
    pub fn opening(mut self) -> Option<DateTime<Utc>> {
        self.open().then(|| from_jakarta_time(self.next))
    }

    /// When the last of this many calls is made; `None` for no calls, for never, or beyond the horizon.
    pub fn last_of(&mut self, mut calls: u64) -> Option<DateTime<Utc>> {
        let mut last = None;
        while calls > 0 {
            if !self.open() {
                return None;
            }
            let made = calls.min(self.in_a_row());
            let at = self.spread(made - 1).filter(|at| *at <= self.horizon)?;
            self.next = at.checked_add_signed(self.pause)?;
            self.calls = self
                .calls
                .saturating_add(u32::try_from(made).unwrap_or(u32::MAX));
            calls -= made;
            last = Some(from_jakarta_time(at));
        }
        last
    }

    /// Moves to the next time at which a call may be made. Returns whether there is one.
    fn open(&mut self) -> bool {
        while self.next <= self.horizon {
            if self.next.date() != self.day {
                (self.day, self.calls) = (self.next.date(), 0);
            }
            let quiet = self.quiet_hours.and_then(|quiet| quiet.end(self.next));
            let spent = self.daily_limit.is_some_and(|limit| self.calls >= limit);
            match (quiet, spent) {
                (Some(end), _) => self.next = end,
                (None, true) => match midnight_after(self.next) {
                    Some(midnight) => self.next = midnight,
                    None => return false,
                },
                (None, false) => return true,
            }
        }
        false
    }

    /// How many calls fit before quiet hours, midnight, or the limit.
    fn in_a_row(&self) -> u64 {
        let quiet = self.quiet_hours.and_then(|quiet| begin(quiet, self.next));
        let midnight = self.daily_limit.and_then(|_| midnight_after(self.next));
        let left = self.daily_limit.map(|limit| limit - self.calls);
        let time = match (quiet, midnight) {
            (Some(quiet), Some(midnight)) => Some(quiet.min(midnight)),
            (one, other) => one.or(other),
        }
        .map(|end| microseconds(end - self.next));
        let fitting = match (time, microseconds(self.pause)) {
            (Some(time), pause @ 1..) => time.div_ceil(pause),
            _ => u64::MAX,
        };
        fitting.min(left.map_or(u64::MAX, u64::from))
    }

    /// When the call after this many others is made.
    fn spread(&self, others: u64) -> Option<NaiveDateTime> {
        let others = i64::try_from(others).ok()?;
        let pause = i64::try_from(microseconds(self.pause)).ok()?;
        let time = TimeDelta::microseconds(pause.checked_mul(others)?);
        self.next.checked_add_signed(time)
    }
}

impl DeliveryPolicy {
    /// The mean pause between two calls.
    #[must_use]
    pub fn mean_pace(&self) -> Duration {
        self.pace(0.5)
    }
}

/// Calls in an hour at this pace, rounded up; `None` without a pause between calls.
#[must_use]
pub fn calls_per_hour(settings: &DealerSettings, policy: &DeliveryPolicy) -> Option<u64> {
    let pause = policy.with(settings).mean_pace().as_micros();
    let hour = Duration::from_secs(3_600).as_micros();
    (pause > 0).then(|| u64::try_from(hour.div_ceil(pause)).unwrap_or(u64::MAX))
}

/// The next begin of quiet hours, at a time outside them.
fn begin(quiet: QuietHours, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let today = now.date().and_time(quiet.from());
    if today > now {
        Some(today)
    } else {
        today.checked_add_days(Days::new(1))
    }
}

fn midnight_after(now: NaiveDateTime) -> Option<NaiveDateTime> {
    let tomorrow = now.date().checked_add_days(Days::new(1))?;
    Some(tomorrow.and_time(NaiveTime::MIN))
}

/// Microseconds, rounded up.
fn microseconds(time: TimeDelta) -> u64 {
    let nanoseconds = time.to_std().unwrap_or_default().as_nanos();
    u64::try_from(nanoseconds.div_ceil(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::parse_local_time;
    use proptest::prelude::*;

    fn at(local: &str) -> DateTime<Utc> {
        from_jakarta_time(parse_local_time(local).unwrap())
    }

    fn shown(at: Option<DateTime<Utc>>) -> Option<String> {
        at.map(|at| jakarta_time(at).format("%d %H:%M:%S%.f").to_string())
    }

    fn night() -> DealerSettings {
        DealerSettings {
            quiet_hours: Some(QuietHours::parse("21:00", "07:00").unwrap()),
            ..Default::default()
        }
    }

    fn forecast(settings: &DealerSettings, now: &str, calls_today: u32) -> Forecast {
        let policy = DeliveryPolicy::default();
        Forecast::new(settings, &policy, at(now), calls_today, at(now))
    }

    #[test]
    fn calls_follow_each_other_at_the_mean_pace() {
        let mut calls = forecast(&DealerSettings::default(), "22/11/2026 12:00:00", 0);
        assert_eq!(calls.last_of(0), None);
        assert_eq!(shown(calls.last_of(1)).as_deref(), Some("22 12:00:00"));
        assert_eq!(shown(calls.last_of(4)).as_deref(), Some("22 12:00:05"));
        assert_eq!(shown(calls.last_of(2_880)).as_deref(), Some("22 13:00:05"));
    }

    #[test]
    fn quiet_hours_put_calls_off_to_their_end() {
        let mut calls = forecast(&night(), "22/11/2026 20:59:58", 0);
        assert_eq!(shown(calls.last_of(2)).as_deref(), Some("22 20:59:59.250"));
        assert_eq!(shown(calls.last_of(1)).as_deref(), Some("23 07:00:00"));
        let calls = forecast(&night(), "22/11/2026 23:00:00", 0);
        assert_eq!(shown(calls.opening()).as_deref(), Some("23 07:00:00"));
    }

    #[test]
    fn the_daily_limit_puts_calls_off_to_the_next_day_that_is_not_quiet() {
        let settings = DealerSettings {
            daily_limit: Some(3),
            ..night()
        };
        let mut calls = forecast(&settings, "22/11/2026 12:00:00", 2);
        assert_eq!(shown(calls.last_of(1)).as_deref(), Some("22 12:00:00"));
        assert_eq!(shown(calls.last_of(3)).as_deref(), Some("23 07:00:02.500"));
        assert_eq!(
            shown(calls.last_of(300)).as_deref(),
            Some("03 07:00:02.500")
        );
        let spent = forecast(&settings, "23/11/2026 03:00:00", 3);
        assert_eq!(shown(spent.opening()).as_deref(), Some("24 07:00:00"));
    }

    #[test]
    fn what_never_comes_and_what_is_too_far_ahead_is_not_foreseen() {
        let settings = |daily_limit| DealerSettings {
            daily_limit: Some(daily_limit),
            ..Default::default()
        };
        assert_eq!(
            forecast(&settings(0), "22/11/2026 12:00:00", 0).opening(),
            None
        );
        let mut calls = forecast(&settings(1), "22/11/2026 12:00:00", 0);
        assert_eq!(calls.clone().last_of(1_000), None);
        assert!(calls.last_of(300).is_some());
        let mut calls = forecast(&DealerSettings::default(), "22/11/2026 12:00:00", 0);
        assert_eq!(calls.last_of(u64::MAX), None);
    }

    #[test]
    fn the_pace_allows_so_many_calls_in_an_hour() {
        let policy = DeliveryPolicy::default();
        let per_hour = |interval: u64, jitter: u64| {
            let settings = DealerSettings {
                min_interval: Some(Duration::from_millis(interval)),
                jitter: Some(Duration::from_millis(jitter)),
                ..Default::default()
            };
            calls_per_hour(&settings, &policy)
        };
        assert_eq!(
            calls_per_hour(&DealerSettings::default(), &policy),
            Some(2_880)
        );
        assert_eq!(per_hour(2_000, 0), Some(1_800));
        assert_eq!(per_hour(3_600_000, 3_600_000), Some(1));
        assert_eq!(per_hour(0, 0), None);
    }

    /// The same, one call at a time.
    fn one_by_one(forecast: &Forecast, calls: u64) -> Vec<NaiveDateTime> {
        let mut made: Vec<NaiveDateTime> = Vec::new();
        let mut next = forecast.next;
        while (made.len() as u64) < calls {
            let today = made.iter().filter(|at| at.date() == next.date()).count();
            let before = if next.date() == forecast.day {
                forecast.calls as usize
            } else {
                0
            };
            if let Some(end) = forecast.quiet_hours.and_then(|quiet| quiet.end(next)) {
                next = end;
            } else if forecast
                .daily_limit
                .is_some_and(|limit| today + before >= limit as usize)
            {
                next = midnight_after(next).unwrap();
            } else {
                made.push(next);
                next += forecast.pause;
            }
        }
        made
    }

    fn any_settings() -> impl Strategy<Value = DealerSettings> {
        let quiet = (0..24_u32, 0..24_u32).prop_map(|(from, to)| {
            QuietHours::parse(&format!("{from:02}:00"), &format!("{to:02}:30")).ok()
        });
        // From no pause to more than a day's open hours.
        let pause = prop_oneof![Just(0), Just(1), 10_000..7_200_000_u64, Just(40_000_000)];
        let limit = prop::option::of(1..40_u32);
        (pause, 0..2_000_u64, limit, prop::option::of(quiet)).prop_map(
            |(pause, jitter, daily_limit, quiet)| DealerSettings {
                min_interval: Some(Duration::from_millis(pause)),
                jitter: Some(Duration::from_millis(jitter)),
                daily_limit,
                quiet_hours: quiet.flatten(),
                ..Default::default()
            },
        )
    }

    proptest! {
        #[test]
        fn many_calls_at_once_are_foreseen_as_one_by_one(
            settings in any_settings(),
            minute in 0..1_440_i64,
            wait in 0..100_000_i64,
            calls_today in 0..45_u32,
            parts in prop::collection::vec(1..30_u64, 1..5),
        ) {
            let now = at("22/11/2026 00:00:00") + TimeDelta::minutes(minute);
            let from = now + TimeDelta::seconds(wait);
            let policy = DeliveryPolicy::default();
            let mut forecast = Forecast::new(&settings, &policy, now, calls_today, from);
            let calls = parts.iter().sum();
            let made = one_by_one(&forecast, calls);
            let opening = forecast.clone().opening().map(jakarta_time);
            prop_assert_eq!(opening, made.first().copied());
            let mut through = 0;
            for part in parts {
                through += part;
                let last = forecast.last_of(part).map(jakarta_time);
                prop_assert_eq!(last, Some(made[usize::try_from(through).unwrap() - 1]));
            }
            for at in &made {
                prop_assert!(*at >= jakarta_time(from));
                prop_assert!(settings.quiet_hours.is_none_or(|quiet| quiet.end(*at).is_none()));
                let on_day = made.iter().filter(|other| other.date() == at.date()).count();
                prop_assert!(settings.daily_limit.is_none_or(|limit| on_day <= limit as usize));
            }
        }

        #[test]
        fn more_calls_never_end_sooner(settings in any_settings(), calls in 1..3_000_u64, more in 0..3_000_u64) {
            let last = |calls| forecast(&settings, "22/11/2026 12:00:00", 0).last_of(calls);
            match (last(calls), last(calls + more)) {
                (Some(sooner), Some(later)) => prop_assert!(sooner <= later),
                (None, later) => prop_assert_eq!(later, None),
                (Some(_), None) => {}
            }
        }
    }
}
