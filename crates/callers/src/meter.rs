use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::ApiKeyId;

use super::Allowance;

/// The most requests in a row, where the rate allows for more.
const MOST_IN_A_ROW: u32 = 100;

/// How many callers are remembered, altogether: some 7 MB when all are. More would be needed only by
/// an attacker, who then takes the place of others who asked least.
const MOST_CALLERS: usize = 100_000;

/// Callers are spread over this many locks, so that threads seldom wait for each other.
const PARTS: usize = 16;

/// How often a full part is searched for callers who need not be remembered any more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How many are looked at to find one who asked little.
const LOOKED_AT: usize = 8;

const NANOS_OF_A_SECOND: u64 = 1_000_000_000;

/// How many requests a caller may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(u32);

impl RateLimit {
    /// So many in a minute, of which the smaller of that and 100 in a row; of 0, as many as they
    /// like.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self(requests)
    }

    /// As many as they like.
    #[must_use]
    pub fn none() -> Self {
        Self(0)
    }
}

/// Who is counted as one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Whoever holds a key.
    Key(ApiKeyId),
    /// Whoever has an address of IPv4.
    V4(u32),
    /// Whoever has one of a customer's addresses of IPv6: the first 64 bits.
    V6(u64),
    /// Whoever comes without one, which no caller over TCP does.
    Nobody,
}

impl Subject {
    /// Whoever has this address.
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

/// Counts callers' requests.
///
/// Of each caller one moment is kept, the one at which everything that they had is there again
/// (GCRA, the leaky bucket without a timer). A caller whose moment is past is like one who was never
/// here, so that forgetting them changes nothing. This is all there is to a limiter of ours, less
/// than a crate for it would have to be told.
pub(super) struct Meter {
    /// What one request costs, and how much a caller may owe.
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
    /// A meter of that rate; none where everything is allowed.
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

    /// Takes back that a request was counted.
    pub(super) fn give_back(&self, caller: Subject) {
        let mut part = self.part_of(caller);
        if let Some(full_at) = part.full_at.get_mut(&caller) {
            *full_at = full_at.saturating_sub(self.cost);
        }
    }

    fn part_of(&self, caller: Subject) -> MutexGuard<'_, Part> {
        let part = self.hasher.hash_one(caller) as usize % PARTS;
        // Whoever panicked here left a whole map behind: there is nothing to be repaired.
        self.parts[part]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, now: the time since the meter began.
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

    /// How many callers are remembered.
    #[cfg(test)]
    fn callers(&self) -> usize {
        let lengths = self.parts.iter().map(|part| part.lock().unwrap());
        lengths.map(|part| part.full_at.len()).sum()
    }
}

impl Part {
    /// Forgets others where a new caller would be one too many.
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

/// Rounded up, so that whoever waits that long has waited long enough.
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
        // Nobody gets more than there ever was.
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
        // A minute later they owe nothing, and the first who come are the first who are forgotten.
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
        /// In no stretch of time is more answered than the rate and one row of requests.
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
                    // Whoever waits as told is answered.
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
