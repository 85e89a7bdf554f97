//! The standing of an account: its device, quota and package, as the provider reports them.

use chrono::{NaiveDate, TimeDelta};

use crate::delivery::BlockCause;
use crate::ports::{AccountProfile, DeviceReport};

/// A quota below this many messages is low where a dealer's settings say nothing: a busy dealer sends about as
/// many in a day (chosen).
pub const LOW_QUOTA: u64 = 100;

/// How long before its last day a package ends soon (chosen).
pub const SOON: TimeDelta = TimeDelta::days(7);

/// The standing of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStanding {
    /// Its quota and package, as far as the provider reports them.
    pub profile: AccountProfile,
    /// Present and coming troubles, the worst first.
    pub troubles: Vec<AccountTrouble>,
}

/// A present or coming trouble of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountTrouble {
    /// The provider answered that messages cannot be sent: a wrong key, a disconnected device.
    NotReady {
        /// Why.
        cause: BlockCause,
        /// A sentence for a person.
        reason: String,
    },
    /// No usable answer came, so that the standing is unknown.
    Unreachable {
        /// A sentence for a person.
        reason: String,
    },
    /// No message is left in the quota.
    NoQuota,
    /// The package has ended.
    Expired,
    /// Fewer messages are left than [`DealerSettings::low_quota`](super::DealerSettings::low_quota).
    LowQuota,
    /// The package ends within [`SOON`].
    ExpiresSoon,
}

impl AccountTrouble {
    /// Whether messages cannot be sent, or the standing is unknown; otherwise it is a warning.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        !matches!(self, Self::LowQuota | Self::ExpiresSoon)
    }
}

impl AccountStanding {
    /// The standing on a day of Asia/Jakarta; fewer messages than `low_quota` are few.
    #[must_use]
    pub fn of(report: DeviceReport, low_quota: u64, today: NaiveDate) -> Self {
        let profile = report.profile().unwrap_or_default();
        let AccountProfile {
            quota_left,
            expires_on,
        } = profile;
        let troubles = match report {
            DeviceReport::Connected { .. } => {
                let troubles = [
                    quota_left
                        .filter(|left| *left == 0)
                        .map(|_| AccountTrouble::NoQuota),
                    expires_on
                        .filter(|end| *end < today)
                        .map(|_| AccountTrouble::Expired),
                    quota_left
                        .filter(|left| (1..low_quota).contains(left))
                        .map(|_| AccountTrouble::LowQuota),
                    expires_on
                        .filter(|end| (today..=today + SOON).contains(end))
                        .map(|_| AccountTrouble::ExpiresSoon),
                ];
                troubles.into_iter().flatten().collect()
            }
            DeviceReport::NotReady { cause, reason, .. } => {
                vec![AccountTrouble::NotReady { cause, reason }]
            }
            DeviceReport::Unreachable { reason } => vec![AccountTrouble::Unreachable { reason }],
        };
        Self { profile, troubles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 30).unwrap()
    }

    fn troubles(quota: Option<u64>, days: Option<i64>) -> Vec<AccountTrouble> {
        let report = DeviceReport::Connected {
            text: String::new(),
            profile: AccountProfile {
                quota_left: quota,
                expires_on: days.map(|days| today() + TimeDelta::days(days)),
            },
        };
        AccountStanding::of(report, LOW_QUOTA, today()).troubles
    }

    #[test]
    fn quota_and_end_are_judged_and_what_is_not_said_is_no_trouble() {
        use AccountTrouble::{Expired, ExpiresSoon, LowQuota, NoQuota};
        for (quota, days, expected) in [
            (None, None, vec![]),
            (Some(100), Some(8), vec![]),
            (Some(99), None, vec![LowQuota]),
            (Some(1), None, vec![LowQuota]),
            (Some(0), None, vec![NoQuota]),
            (None, Some(7), vec![ExpiresSoon]),
            (None, Some(0), vec![ExpiresSoon]),
            (None, Some(-1), vec![Expired]),
            (Some(0), Some(3), vec![NoQuota, ExpiresSoon]),
            (Some(5), Some(-900), vec![Expired, LowQuota]),
            (Some(u64::MAX), Some(90_000_000), vec![]),
        ] {
            assert_eq!(troubles(quota, days), expected, "{quota:?} {days:?}");
        }
    }

    #[test]
    fn what_stops_messages_is_a_fault_and_the_worst_comes_first() {
        let reason = || "token invalid".to_owned();
        let not_ready = DeviceReport::NotReady {
            cause: BlockCause::Token,
            reason: reason(),
            profile: AccountProfile::default(),
        };
        let standing = AccountStanding::of(not_ready, LOW_QUOTA, today());
        let told = AccountTrouble::NotReady {
            cause: BlockCause::Token,
            reason: reason(),
        };
        assert_eq!(standing.troubles, [told]);
        let unreachable = DeviceReport::Unreachable { reason: reason() };
        let standing = AccountStanding::of(unreachable, LOW_QUOTA, today());
        assert!(standing.troubles[0].is_fault());
        for troubles in [troubles(Some(5), Some(-1)), troubles(Some(0), Some(1))] {
            let faults: Vec<bool> = troubles.iter().map(AccountTrouble::is_fault).collect();
            assert_eq!(faults, [true, false]);
        }
    }
}
