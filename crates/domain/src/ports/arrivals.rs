use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::StoreError;

/// The moments of which arrivals are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalWindow {
    /// The first moment.
    pub from: DateTime<Utc>,
    /// What came before it is counted apart, too.
    pub settled: DateTime<Utc>,
    /// The moment behind the last one.
    pub to: DateTime<Utc>,
}

impl ArrivalWindow {
    /// The least ids of its moments, in the order of its fields. Ids begin with the moment at which they were
    /// made, in milliseconds (UUID version 7).
    #[must_use]
    pub fn ids(&self) -> [Uuid; 3] {
        [self.from, self.settled, self.to].map(|at| {
            let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or_default();
            Uuid::from_u128(u128::from(milliseconds) << 80)
        })
    }
}

/// How many requests of a dealer came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalCount {
    /// The dealer's number.
    pub dealer_id: String,
    /// Before the window's `settled`.
    pub settled: u64,
    /// In all of the window.
    pub all: u64,
}

/// Counts what comes in. Requests of other writers are counted where their ids are made like ours.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// How many requests came in, by dealer; dealers without any are left out. Costs what came in, however
    /// many requests there are.
    async fn arrivals(&self, window: &ArrivalWindow) -> Result<Vec<ArrivalCount>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_lie_in_its_window() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let window = ArrivalWindow {
            from: at("2026-11-30T10:00:00Z"),
            settled: at("2026-11-30T10:00:30.001Z"),
            to: at("2026-11-30T10:01:00Z"),
        };
        let [from, settled, to] = window.ids();
        assert!(from < settled && settled < to);
        assert_eq!(settled.to_string(), "01a22be6-1a31-0000-0000-000000000000");
        assert!(
            Uuid::from_u128(u128::MAX >> 1) > to,
            "of version 4 hardly any is in it"
        );
    }
}
