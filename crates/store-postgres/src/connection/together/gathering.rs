//! Adaptive waiting: whether a writer waits a moment for the callers that it has just answered.

use std::time::Duration;

/// A writer waits at most as long as its last statement took: more callers and a slower machine take longer
/// to come back. The bounds are the timer's resolution (1 ms) and the time of a full statement.
const SHORTEST_MOMENT: Duration = Duration::from_millis(1);
const LONGEST_MOMENT: Duration = Duration::from_millis(4);

/// The longest wait after a statement that took this long.
pub(super) fn moment(took: Duration) -> Duration {
    took.clamp(SHORTEST_MOMENT, LONGEST_MOMENT)
}

/// The back-off after `n` vain waits in a row skips 2^n - 1 statements, with n at most this.
const MOST_IN_VAIN: u32 = 6;

/// Callers that were answered together mostly come back together. A statement by itself costs PostgreSQL as
/// much as seven rows (measured), so one statement for all of them is better than two. Callers that do not
/// come back are waited for ever more seldom (back-off).
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The number of waiting callers at which the writer goes on at once; `None` while it does not wait.
    target: Option<usize>,
    /// How many waits in a row were in vain.
    in_vain: u32,
    /// How many statements to skip before the next try.
    pass: u32,
}

impl Gathering {
    /// Whether to wait a moment, after this many answers and with this many callers waiting.
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

    /// Whether a writer is waiting.
    pub(super) fn is_under_way(&self) -> bool {
        self.target.is_some()
    }

    /// Whether enough callers have come; true once.
    pub(super) fn is_enough(&self, waiting: usize) -> bool {
        self.target == Some(waiting)
    }

    /// Ends the wait; `came` of the `answered` callers have come back.
    pub(super) fn end(&mut self, answered: usize, came: usize) {
        self.target = None;
        self.in_vain = if came * 2 < answered {
            (self.in_vain + 1).min(MOST_IN_VAIN)
        } else {
            0
        };
        self.pass = (1 << self.in_vain) - 1;
    }

    /// No caller is left.
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
        // A full statement is enough; beyond it there is no reason to wait.
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
        // Tries are 1, 2, 4, 8, 16, 32 and then always 64 statements apart.
        assert!((18..=24).contains(&moments), "{moments}");
        while !gathering.begin(4, 0, 128) {}
        gathering.end(4, 2);
        assert!(gathering.begin(4, 0, 128), "now they come back");
    }
}
