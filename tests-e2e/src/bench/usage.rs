//! Processor time and memory of processes, as Linux tells them in `/proc`. Elsewhere there are no
//! figures.

use std::fs;

/// `/proc` counts in hundredths of a second on every Linux, whatever the kernel's own clock.
const MICROS_PER_TICK: f64 = 10_000.0;

/// What `/proc/<id>/stat` tells about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Its own time in ticks.
    own: u64,
    /// The time of its children that have ended and were waited for, in ticks.
    reaped: u64,
}

/// Processor time so far of everybody who takes part in a run, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Of the copies of the service.
    pub service: f64,
    /// Of PostgreSQL with all its processes, also those that have ended.
    pub postgres: f64,
    /// Of this process.
    pub generator: f64,
    /// Of the programs that this process has run to their end: pgbench.
    pub pgbench: f64,
}

impl Usage {
    /// Up to now; `None` where there is no `/proc`.
    #[must_use]
    pub fn now(services: &[u32], postmaster: Option<u32>) -> Option<Self> {
        let me = stat(std::process::id())?;
        let service: u64 = services
            .iter()
            .filter_map(|pid| Some(stat(*pid)?.own))
            .sum();
        Some(Self {
            service: service as f64 * MICROS_PER_TICK,
            postgres: family(postmaster?)? as f64 * MICROS_PER_TICK,
            generator: me.own as f64 * MICROS_PER_TICK,
            pgbench: me.reaped as f64 * MICROS_PER_TICK,
        })
    }

    /// What was used since then, for each of this many calls.
    #[must_use]
    pub fn per_call_since(self, before: Self, calls: u64) -> Self {
        let each = |now: f64, then: f64| (now - then).max(0.0) / calls.max(1) as f64;
        Self {
            service: each(self.service, before.service),
            postgres: each(self.postgres, before.postgres),
            generator: each(self.generator, before.generator),
            pgbench: each(self.pgbench, before.pgbench),
        }
    }
}

/// How many processes a postmaster has.
#[must_use]
pub(super) fn children(postmaster: u32) -> usize {
    stats().filter(|stat| stat.parent == postmaster).count()
}

/// Memory of a process that is in RAM, in bytes; `None` where there is no `/proc`.
#[must_use]
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    parse_resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The ticks of a process and all its children, those that live and those that have ended.
fn family(pid: u32) -> Option<u64> {
    let parent = stat(pid)?;
    let living: u64 = stats()
        .filter(|stat| stat.parent == pid)
        .map(|stat| stat.own + stat.reaped)
        .sum();
    Some(parent.own + parent.reaped + living)
}

fn stats() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| stat(entry.file_name().to_str()?.parse().ok()?))
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name of the program, the second field, may itself hold blanks and parentheses.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        reaped: ticks(13)? + ticks(14)?,
    })
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let text = "4242 (a (strange) name) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 5 0 99 1 2";
        let stat = parse_stat(text).unwrap();
        assert_eq!((stat.parent, stat.own, stat.reaped), (17, 200, 50));
        assert_eq!(parse_stat("nothing"), None);
        assert_eq!(parse_stat("1 (short) S 1 2"), None);
    }

    #[test]
    fn memory_is_read_in_kilobytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmRSS:\t  123 kB\n";
        assert_eq!(parse_resident(status), Some(123 * 1_024));
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn use_is_told_for_each_call() {
        let before = Usage {
            service: 1_000.0,
            ..Usage::default()
        };
        let after = Usage {
            service: 5_000.0,
            postgres: 400.0,
            ..Usage::default()
        };
        let each = after.per_call_since(before, 4);
        assert_eq!((each.service, each.postgres), (1_000.0, 100.0));
    }
}
