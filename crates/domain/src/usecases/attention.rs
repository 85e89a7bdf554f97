use std::cmp::Reverse;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Ports;
use crate::access::Visibility;
use crate::dealers::{LOW_QUOTA, SOON};
use crate::ports::{Clock, DealerTrouble, StoreError, Troubles};
use crate::values::jakarta_time;

/// A lane that stands for so long should have sent: no pace, and no retry that is not of an outage, takes
/// longer.
pub const LATE: TimeDelta = TimeDelta::minutes(10);

/// Finds what needs somebody right now.
pub struct Attention {
    troubles: Arc<dyn Troubles>,
    clock: Arc<dyn Clock>,
}

/// What needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What kind of thing it is.
    pub kind: ConcernKind,
    /// Whose it is, and the numbers of it.
    pub dealer: DealerTrouble,
}

/// A kind of concern, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConcernKind {
    /// The account cannot send.
    Blocked,
    /// No message is left in the quota.
    NoQuota,
    /// The package has ended.
    Expired,
    /// The lane has stood for longer than [`LATE`], and nothing that is known explains it.
    Late,
    /// A person must decide about outcomes that are unknown.
    Unknown,
    /// The quota is low.
    LowQuota,
    /// The package ends within [`SOON`].
    ExpiresSoon,
}

impl Attention {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            troubles: ports.troubles.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// Everything that needs somebody, the worst first; within a kind where most wait.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn now(&self, seen: &Visibility) -> Result<Vec<Concern>, StoreError> {
        let now = self.clock.now();
        let today = jakarta_time(now).date();
        let found = self
            .troubles
            .troubles(seen, LOW_QUOTA, today + SOON)
            .await?;
        let mut concerns: Vec<_> = found
            .into_iter()
            .flat_map(|dealer| concerns(dealer, now, today))
            .collect();
        concerns.sort_by_cached_key(|concern| {
            let dealer = &concern.dealer;
            let waits = Reverse(dealer.waiting.max(dealer.unknown));
            (concern.kind, waits, dealer.dealer_id.as_str().to_owned())
        });
        Ok(concerns)
    }
}

/// What of this is a concern.
fn concerns(dealer: DealerTrouble, now: DateTime<Utc>, today: NaiveDate) -> Vec<Concern> {
    let left = dealer.quota.map(|quota| quota.left);
    let ends = dealer.expires_on;
    let stops =
        dealer.blocked_since.is_some() || left == Some(0) || ends.is_some_and(|day| day < today);
    let is_late = dealer.stands_since.is_some_and(|since| now - since > LATE);
    let kinds = [
        (dealer.blocked_since.is_some(), ConcernKind::Blocked),
        (left == Some(0), ConcernKind::NoQuota),
        (ends.is_some_and(|day| day < today), ConcernKind::Expired),
        (is_late && !stops, ConcernKind::Late),
        (dealer.unknown > 0, ConcernKind::Unknown),
        (
            left.is_some_and(|left| (1..dealer.quota_low_at).contains(&left)),
            ConcernKind::LowQuota,
        ),
        (
            ends.is_some_and(|day| (today..=today + SOON).contains(&day)),
            ConcernKind::ExpiresSoon,
        ),
    ];
    let found = kinds.into_iter().filter(|(is, _)| *is);
    found
        .map(|(_, kind)| Concern {
            kind,
            dealer: dealer.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::KnownQuota;
    use crate::values::DealerId;

    fn now() -> DateTime<Utc> {
        "2026-11-30T05:00:00Z".parse().unwrap()
    }

    fn kinds(change: impl FnOnce(&mut DealerTrouble)) -> Vec<ConcernKind> {
        let mut dealer = DealerTrouble {
            dealer_id: DealerId::parse("0009999").unwrap(),
            dealer_name: None,
            blocked_since: None,
            block_reason: None,
            quota: None,
            quota_low_at: LOW_QUOTA,
            expires_on: None,
            waiting: 0,
            oldest_due_at: None,
            stands_since: None,
            unknown: 0,
        };
        change(&mut dealer);
        let today = jakarta_time(now()).date();
        let found = concerns(dealer, now(), today);
        found.into_iter().map(|concern| concern.kind).collect()
    }

    fn quota(left: u64) -> Option<KnownQuota> {
        Some(KnownQuota { left, at: now() })
    }

    fn day(day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2026, 12, day)
    }

    #[test]
    fn a_dealer_who_is_well_is_no_concern() {
        assert_eq!(kinds(|_| {}), []);
        assert_eq!(kinds(|it| it.quota = quota(100)), []);
        assert_eq!(kinds(|it| it.expires_on = day(8)), []);
        assert_eq!(kinds(|it| it.stands_since = Some(now() - LATE)), []);
    }

    #[test]
    fn each_kind_has_its_reason() {
        use ConcernKind::{Blocked, Expired, ExpiresSoon, Late, LowQuota, NoQuota, Unknown};
        assert_eq!(kinds(|it| it.blocked_since = Some(now())), [Blocked]);
        assert_eq!(kinds(|it| it.quota = quota(0)), [NoQuota]);
        assert_eq!(kinds(|it| it.quota = quota(99)), [LowQuota]);
        assert_eq!(
            kinds(|it| it.expires_on = NaiveDate::from_ymd_opt(2026, 11, 29)),
            [Expired]
        );
        assert_eq!(kinds(|it| it.expires_on = day(7)), [ExpiresSoon]);
        assert_eq!(kinds(|it| it.unknown = 1), [Unknown]);
        let late = Some(now() - LATE - TimeDelta::seconds(1));
        assert_eq!(kinds(|it| it.stands_since = late), [Late]);
        // What explains it is told instead.
        let both = kinds(|it| {
            it.stands_since = late;
            it.blocked_since = Some(now());
            it.quota = quota(50);
        });
        assert_eq!(both, [Blocked, LowQuota]);
    }
}
