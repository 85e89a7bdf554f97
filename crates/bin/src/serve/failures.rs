//! Logs a repeated failure at once, then with a growing back-off and a count.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::{StoreError, causes};
use domain::values::{DealerId, mask_phones};
use tokio::time::Instant;

/// The back-off after the first line about a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How many kinds of failures are kept; beyond that the oldest is forgotten (chosen).
const KINDS: usize = 8;

/// The failures of one repeated action, in any task.
pub(crate) struct Failures {
    /// The failing action, as a sentence without its end.
    what: &'static str,
    is_failing: AtomicBool,
    told: Mutex<Vec<Told>>,
}

/// The log state of one kind of failure.
struct Told {
    kind: String,
    /// The time of the next line.
    again_at: Instant,
    pause: Duration,
    /// Failures since the last line.
    untold: u64,
}

impl Failures {
    /// A state without failures.
    pub(crate) fn of(what: &'static str) -> Self {
        Self {
            what,
            is_failing: AtomicBool::new(false),
            told: Mutex::default(),
        }
    }

    /// The store failed.
    pub(crate) fn of_store(&self, error: &StoreError) {
        self.note(&words(error));
    }

    /// The store failed in an action for a dealer.
    pub(crate) fn of_dealer(&self, dealer: &DealerId, error: &StoreError) {
        self.note(&format!("dealer {dealer}: {}", words(error)));
    }

    /// The action failed for this reason, which is logged with phones masked.
    pub(crate) fn note(&self, reason: &str) {
        self.is_failing.store(true, Ordering::Relaxed);
        if let Some((times, pause)) = self.turn(reason) {
            tracing::warn!(
                error.source = %mask_phones(reason),
                error.count = times,
                "{}; more of the same are told after {} s",
                self.what,
                pause.as_secs()
            );
        }
    }

    /// The action succeeded: the next failure is logged at once.
    pub(crate) fn over(&self) {
        // A mere read: this is called thousands of times a second.
        if self.is_failing.load(Ordering::Relaxed) && self.is_failing.swap(false, Ordering::Relaxed)
        {
            let told = std::mem::take(&mut *self.lock());
            let untold: u64 = told.iter().map(|told| told.untold).sum();
            tracing::info!(error.count = untold, "no longer: {}", self.what);
        }
    }

    /// How often it failed since the last line, and the next back-off; `None` before the back-off ends.
    fn turn(&self, reason: &str) -> Option<(u64, Duration)> {
        let now = Instant::now();
        let kind = kind(reason);
        let mut all = self.lock();
        let Some(told) = all.iter_mut().find(|told| told.kind == kind) else {
            if all.len() == KINDS {
                all.remove(0);
            }
            all.push(Told {
                kind,
                again_at: now + FIRST_PAUSE,
                pause: FIRST_PAUSE,
                untold: 0,
            });
            return Some((1, FIRST_PAUSE));
        };
        told.untold += 1;
        if now < told.again_at {
            return None;
        }
        told.pause = (told.pause * 2).min(LONGEST_PAUSE);
        told.again_at = now + told.pause;
        Some((std::mem::take(&mut told.untold), told.pause))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Told>> {
        self.told
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn words(error: &StoreError) -> String {
    format!("{error}: {}", causes(error))
}

/// The kind of a failure: its text without numbers and quoted names.
fn kind(reason: &str) -> String {
    let mut quoted = false;
    reason
        .chars()
        .filter(|c| {
            let is_quote = matches!(c, '"' | '\'' | '`');
            quoted ^= is_quote;
            !quoted && !is_quote && !c.is_ascii_digit()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(failures: &Failures, reason: &str, seconds: u64) -> Vec<Option<u64>> {
        (0..seconds)
            .map(|_| failures.turn(reason).map(|(times, _)| times))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_failure_is_told_with_growing_pauses_and_a_count() {
        let failures = Failures::of("it cannot be done");
        let mut told = Vec::new();
        for second in 0..3_600 {
            // Four times a second, each time about another row.
            for part in 0..4 {
                let reason = format!("row {second}{part} of \"table {part}\" is refused");
                if let Some((times, _)) = failures.turn(&reason) {
                    told.push((second, times));
                }
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(told[..5], [(0, 1), (1, 4), (3, 8), (7, 16), (15, 32)]);
        assert!(told.len() < 25, "{told:?}");
        let pauses = told.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert_eq!(pauses.max(), Some(LONGEST_PAUSE.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn another_failure_is_told_at_once_and_so_is_one_after_it_was_over() {
        let failures = Failures::of("it cannot be done");
        assert_eq!(lines(&failures, "refused", 2), [Some(1), None]);
        assert_eq!(lines(&failures, "too late", 2), [Some(1), None]);
        failures.note("refused");
        failures.over();
        assert_eq!(lines(&failures, "refused", 2), [Some(1), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let failures = Failures::of("it cannot be done");
        for n in 0..1_000_u32 {
            let words = char::from_u32('a' as u32 + n).map(String::from);
            failures.turn(&words.unwrap_or_default());
        }
        assert_eq!(failures.lock().len(), KINDS);
    }
}
