//! Whether to wait a moment for callers who were just answered.

use std::time::Duration;

/// A writer waits at most as long for those whom it has just answered as their statement took: the
/// more they are, and the slower the machine is, the longer they need to come back. But no shorter
/// than the runtime's timer can, and no longer than for a full statement.
const SHORTEST_MOMENT: Duration = Duration::from_millis(1);
const LONGEST_MOMENT: Duration = Duration::from_millis(4);

/// How long to wait at most after a statement that took so long.
pub(super) fn moment(took: Duration) -> Duration {
    took.clamp(SHORTEST_MOMENT, LONGEST_MOMENT)
}

/// After so many moments in vain it is tried once in two to the power of it.
const MOST_IN_VAIN: u32 = 6;

/// Callers who were answered together mostly come back together, each with the next question. A
/// statement costs PostgreSQL as much by itself as for seven rows, so that one for all of them is
/// better than one for the first and one for the rest. Others do not come back at all; for these
/// nobody waits again and again.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// How many must wait for the writer to go on at once; none while it does not wait.
    target: Option<usize>,
    /// How many moments in a row were in vain.
    in_vain: u32,
    /// How often not to wait before the next try.
    pass: u32,
}

impl Gathering {
    /// Whether to wait a moment, after so many were answered while others came.
    pub(super) fn begin(&mut self, answered: usize, waiting: usize, most: usize) -> bool {
        let target = (answered + waiting).min(most);
        if answered < 2 || waiting >= target {
            return false;
        }
        if self.pass > 0 {
            self.pass -= 1;
            return false;
        }
        self.target = Some(target);
        true
    }

    /// Whether a writer waits for more.
    pub(super) fn is_under_way(&self) -> bool {
        self.target.is_some()
    }

    /// Whether these are enough; true once.
    pub(super) fn is_enough(&self, waiting: usize) -> bool {
        self.target == Some(waiting)
    }

    /// The moment is over, and so many have come of those who were answered.
    pub(super) fn end(&mut self, answered: usize, came: usize) {
        self.target = None;
        self.in_vain = if came * 2 < answered {
            (self.in_vain + 1).min(MOST_IN_VAIN)
        } else {
            0
        };
        self.pass = (1 << self.in_vain) - 1;
    }

    /// Nobody waits any more.
    pub(super) fn stop(&mut self) {
        self.target = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_long_as_the_statement_took_within_limits() {
        let moments = [0, 1, 2_500, 4_000, 2_000_000].map(|micros| {
            let took = Duration::from_micros(micros);
            moment(took).as_micros()
        });
        assert_eq!(moments, [1_000, 1_000, 2_500, 4_000, 4_000]);
    }

    #[test]
    fn whoever_answered_one_caller_does_not_wait() {
        let mut gathering = Gathering::default();
        assert!(!gathering.begin(1, 0, 128));
        assert!(!gathering.begin(0, 5, 128));
    }

    #[test]
    fn all_who_were_answered_and_came_meanwhile_are_enough() {
        let mut gathering = Gathering::default();
        assert!(gathering.begin(20, 12, 128));
        assert!(gathering.is_under_way());
        assert!(!gathering.is_enough(31));
        assert!(gathering.is_enough(32));
        gathering.end(20, 20);
        assert!(!gathering.is_under_way());
        // A full statement is enough, and more than that no reason to wait.
        assert!(gathering.begin(100, 60, 128));
        assert!(gathering.is_enough(128));
        gathering.end(100, 68);
        assert!(!gathering.begin(100, 128, 128));
    }

    #[test]
    fn who_waited_in_vain_waits_ever_more_seldom() {
        let mut gathering = Gathering::default();
        let mut moments = 0;
        for _ in 0..1_000 {
            if gathering.begin(4, 0, 128) {
                moments += 1;
                gathering.end(4, 1);
            }
        }
        // 1, 2, 4, 8, 16, 32 apart, and then 64.
        assert!((18..=24).contains(&moments), "{moments}");
        while !gathering.begin(4, 0, 128) {}
        gathering.end(4, 2);
        assert!(gathering.begin(4, 0, 128), "now they come back");
    }
}
