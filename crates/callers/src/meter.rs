use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::ApiKeyId;

use super::Allowance;

/// The largest burst, where the rate allows for more (chosen).
const MOST_IN_A_ROW: u32 = 100;

/// The most callers in memory: some 7 MB. Only an attacker needs more, and then displaces callers with the
/// least use.
const MOST_CALLERS: usize = 100_000;

/// The locks over which callers are spread, so that threads seldom wait for each other.
const PARTS: usize = 16;

/// How often a full part is searched for callers that may be forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How many callers are compared to find one with little use.
const LOOKED_AT: usize = 8;

const NANOS_OF_A_SECOND: u64 = 1_000_000_000;

/// The rate limit of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(u32);

impl RateLimit {
    /// This many requests in a minute, with a burst of at most 100; 0 means no limit.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self(requests)
    }

    /// No limit.
    #[must_use]
    pub fn none() -> Self {
        Self(0)
    }
}

/// What counts as one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The holder of a key.
    Key(ApiKeyId),
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 network: the first 64 bits, which one customer has.
    V6(u64),
    /// A caller without an address, which does not happen over TCP.
    Nobody,
}

impl Subject {
    /// The subject of this address.
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Nobody,
            Some(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

/// Meters callers by GCRA, a leaky bucket without a timer.
///
/// For each caller one time is kept: when its whole burst is available again. A caller whose time has passed
/// is like a new one, so forgetting it changes nothing. A crate for it would need more code than this.
pub(super) struct Meter {
    /// The cost of one request, and the most that a caller may owe.
    cost: u64,
    most_owed: u64,
    limit: u32,
    hasher: RandomState,
    parts: [Mutex<Part>; PARTS],
}

#[derive(Default)]
struct Part {
    full_at: HashMap<Subject, u64>,
    sweep_at: u64,
}

impl Meter {
    /// A meter of this rate; `None` without a limit.
    pub(super) fn of(rate: RateLimit) -> Option<Self> {
        let RateLimit(requests) = rate;
        if requests == 0 {
            return None;
        }
        let cost = 60 * NANOS_OF_A_SECOND / u64::from(requests);
        let limit = requests.min(MOST_IN_A_ROW);
        Some(Self {
            cost,
            most_owed: cost * u64::from(limit),
            limit,
            hasher: RandomState::new(),
            parts: std::array::from_fn(|_| Mutex::default()),
        })
    }

    /// Takes a counted request back.
    pub(super) fn give_back(&self, caller: Subject) {
        let mut part = self.part_of(caller);
        if let Some(full_at) = part.full_at.get_mut(&caller) {
            *full_at = full_at.saturating_sub(self.cost);
        }
    }

    fn part_of(&self, caller: Subject) -> MutexGuard<'_, Part> {
        let part = self.hasher.hash_one(caller) as usize % PARTS;
        // A panic under this lock leaves the map valid: nothing to repair.
        self.parts[part]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; `now` is the time since the meter began.
    pub(super) fn count(&self, caller: Subject, now: Duration) -> Allowance {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let mut part = self.part_of(caller);
        let full_at = part.full_at.get(&caller).map_or(now, |at| (*at).max(now));
        let owed = full_at - now + self.cost;
        if owed > self.most_owed {
            return self.allowance(full_at - now, Some(owed - self.most_owed));
        }
        part.make_room_for(caller, now);
        part.full_at.insert(caller, now + owed);
        self.allowance(owed, None)
    }

    fn allowance(&self, owed: u64, wait: Option<u64>) -> Allowance {
        let left = (self.most_owed - owed) / self.cost;
        Allowance {
            limit: self.limit,
            remaining: u32::try_from(left).unwrap_or(self.limit),
            reset_seconds: whole_seconds(owed),
            wait_seconds: wait.map(|wait| whole_seconds(wait).max(1)),
        }
    }

    /// The number of callers in memory.
    #[cfg(test)]
    fn callers(&self) -> usize {
        let lengths = self.parts.iter().map(|part| part.lock().unwrap());
        lengths.map(|part| part.full_at.len()).sum()
    }
}

impl Part {
    /// Forgets other callers where a new one would be too many.
    fn make_room_for(&mut self, caller: Subject, now: u64) {
        if self.full_at.len() < MOST_CALLERS / PARTS || self.full_at.contains_key(&caller) {
            return;
        }
        if self.sweep_at <= now {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.sweep_at = now + u64::try_from(SWEEP_EVERY.as_nanos()).unwrap_or(u64::MAX / 2);
        }
        if self.full_at.len() >= MOST_CALLERS / PARTS {
            let some = self.full_at.iter().take(LOOKED_AT);
            let least = some.min_by_key(|(_, full_at)| **full_at);
            if let Some(least) = least.map(|(caller, _)| *caller) {
                self.full_at.remove(&least);
            }
        }
    }
}

/// Rounded up, so that the caller waits long enough.
fn whole_seconds(nanos: u64) -> u32 {
    u32::try_from(nanos.div_ceil(NANOS_OF_A_SECOND)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meter(requests: u32) -> Meter {
        Meter::of(RateLimit::per_minute(requests)).unwrap()
    }

    fn caller(n: u32) -> Subject {
        Subject::V4(n)
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_hundred_in_a_row_and_then_ten_a_second() {
        let meter = meter(600);
        for n in (0..100).rev() {
            let allowed = meter.count(caller(1), at(5.0));
            assert_eq!((allowed.limit, allowed.remaining), (100, n));
            assert_eq!(allowed.wait_seconds, None);
        }
        let refused = meter.count(caller(1), at(5.0));
        assert_eq!(
            refused,
            Allowance {
                limit: 100,
                remaining: 0,
                reset_seconds: 10,
                wait_seconds: Some(1),
            }
        );
        for _ in 0..10 {
            assert_eq!(meter.count(caller(1), at(6.0)).wait_seconds, None);
        }
        assert!(meter.count(caller(1), at(6.0)).wait_seconds.is_some());
        assert_eq!(meter.count(caller(1), at(60.0)).remaining, 99);
    }

    #[test]
    fn who_is_refused_does_not_wait_longer_for_it() {
        let meter = meter(1);
        assert_eq!(meter.count(caller(1), at(0.0)).wait_seconds, None);
        for _ in 0..1_000 {
            assert_eq!(meter.count(caller(1), at(30.0)).wait_seconds, Some(30));
        }
        assert_eq!(meter.count(caller(1), at(60.0)).wait_seconds, None);
    }

    #[test]
    fn what_is_given_back_was_not_spent() {
        let meter = meter(1);
        for _ in 0..100 {
            assert_eq!(meter.count(caller(1), at(0.0)).wait_seconds, None);
            meter.give_back(caller(1));
        }
        assert_eq!(meter.count(caller(1), at(0.0)).wait_seconds, None);
        assert!(meter.count(caller(1), at(0.0)).wait_seconds.is_some());
        // A caller never gets more than its burst.
        meter.give_back(caller(2));
        meter.give_back(caller(1));
        assert_eq!(meter.count(caller(1), at(60.0)).wait_seconds, None);
        assert!(meter.count(caller(1), at(60.0)).wait_seconds.is_some());
    }

    #[test]
    fn callers_do_not_spend_what_is_others() {
        let meter = meter(1);
        let callers = [
            Subject::Key(ApiKeyId::new([1; 8])),
            Subject::Key(ApiKeyId::new([2; 8])),
            Subject::of("10.0.0.1".parse().ok()),
            Subject::of("2001:db8::1".parse().ok()),
            Subject::of("2001:db8:0:1::1".parse().ok()),
            Subject::Nobody,
        ];
        for caller in callers {
            assert_eq!(
                meter.count(caller, at(0.0)).wait_seconds,
                None,
                "{caller:?}"
            );
            assert!(meter.count(caller, at(0.0)).wait_seconds.is_some());
        }
    }

    #[test]
    fn addresses_of_one_customer_are_one_caller() {
        let of = |address: &str| Subject::of(address.parse().ok());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_eq!(of("10.0.0.1"), of("::ffff:10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn however_many_call_no_more_are_remembered_than_there_is_room_for() {
        let meter = meter(1);
        for n in 0..200_000 {
            assert_eq!(meter.count(caller(n), at(0.0)).wait_seconds, None);
        }
        assert!(meter.callers() <= MOST_CALLERS, "{}", meter.callers());
        // A minute later they owe nothing, and are forgotten for new callers.
        for n in 200_000..201_000 {
            meter.count(caller(n), at(61.0));
        }
        assert!(meter.callers() <= 1_000, "{}", meter.callers());
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        assert!(Meter::of(RateLimit::none()).is_none());
        assert_eq!(RateLimit::per_minute(0), RateLimit::none());
    }

    proptest! {
        /// In any stretch of time no more requests pass than the rate and one burst.
        #[test]
        fn no_more_is_answered_than_was_promised(
            requests in 1_u32..10_000,
            pauses in prop::collection::vec(0_u64..2_000, 1..400),
        ) {
            let meter = meter(requests);
            let mut now = Duration::ZERO;
            let mut answered = 0_u32;
            for pause in pauses {
                now += Duration::from_millis(pause);
                let allowance = meter.count(caller(1), now);
                prop_assert!(allowance.remaining <= allowance.limit);
                answered += u32::from(allowance.wait_seconds.is_none());
                if let Some(wait) = allowance.wait_seconds {
                    // A caller that waits as told is answered.
                    let later = now + Duration::from_secs(wait.into());
                    prop_assert_eq!(meter.count(caller(1), later).wait_seconds, None);
                    now = later;
                    answered += 1;
                }
            }
            let most = f64::from(requests.min(100)) + now.as_secs_f64() * f64::from(requests) / 60.0;
            prop_assert!(f64::from(answered) <= most + 1.0, "{answered} of {most}");
        }
    }
}
