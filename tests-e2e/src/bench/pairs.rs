//! Runs of the service and of pgbench, one beside the other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use super::http::Requests;
use super::load::{Load, closed_loop};
use super::pgbench::{Outcome, Script};
use super::process::Copy;
use super::report::Row;
use super::stage::Stage;
use super::statistics::Spread;
use super::usage::Usage;

/// How long a warm-up takes.
const WARM_UP: Duration = Duration::from_secs(1);

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The service.
    Service,
    /// pgbench.
    Pgbench,
}

/// Who is first in a round: they take turns, so that being second is nobody's advantage.
#[must_use]
pub(super) fn sides(round: u32) -> [Side; 2] {
    if round.is_multiple_of(2) {
        [Side::Service, Side::Pgbench]
    } else {
        [Side::Pgbench, Side::Service]
    }
}

/// The figures of both, round by round.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    /// Of the service.
    pub service: Vec<f64>,
    /// Of pgbench.
    pub pgbench: Vec<f64>,
    service_usage: Vec<Usage>,
    pgbench_usage: Vec<Usage>,
}

impl Pairs {
    /// Adds a figure, with the processor time of a call where it is known.
    pub(super) fn add(&mut self, side: Side, figure: f64, usage: Option<Usage>) {
        let (figures, usages) = match side {
            Side::Service => (&mut self.service, &mut self.service_usage),
            Side::Pgbench => (&mut self.pgbench, &mut self.pgbench_usage),
        };
        figures.push(figure);
        usages.extend(usage);
    }

    /// Of rates: how many times as fast the service is.
    #[must_use]
    pub(super) fn ratio_of_rates(&self) -> Option<Spread> {
        Spread::of_quotients(&self.service, &self.pgbench)
    }

    /// Of times: how many times as fast the service is.
    #[must_use]
    pub(super) fn ratio_of_times(&self) -> Option<Spread> {
        Spread::of_quotients(&self.pgbench, &self.service)
    }

    /// A line of the table, without a demand.
    #[must_use]
    pub(super) fn row(&self, name: &str, unit: &'static str, ratio: Option<Spread>) -> Row {
        Row {
            name: name.to_owned(),
            unit,
            service: Spread::of(&self.service),
            pgbench: Spread::of(&self.pgbench),
            ratio,
            must: None,
            processor: median(&self.service_usage).zip(median(&self.pgbench_usage)),
        }
    }
}

fn median(usages: &[Usage]) -> Option<Usage> {
    let of = |part: fn(&Usage) -> f64| {
        let values: Vec<f64> = usages.iter().map(part).collect();
        Some(Spread::of(&values)?.median)
    };
    Some(Usage {
        service: of(|usage| usage.service)?,
        postgres: of(|usage| usage.postgres)?,
        generator: of(|usage| usage.generator)?,
        pgbench: of(|usage| usage.pgbench)?,
    })
}

/// Runs pgbench, and tells the processor time of each transaction.
pub(super) async fn run_pgbench(
    stage: &Stage,
    script: &Script<'_>,
) -> anyhow::Result<(Outcome, Option<Usage>)> {
    stage.checkpoint().await?;
    let (sessions, before) = (stage.sessions(), stage.usage(&[]));
    let outcome = stage.pgbench.run(script).await?;
    stage.until_sessions_left(sessions).await;
    let after = stage.usage(&[]);
    let usage = after
        .zip(before)
        .map(|(after, before)| after.per_call_since(before, outcome.transactions));
    Ok((outcome, usage))
}

/// Calls a copy for a moment: its connections to the database are there afterwards, as pgbench's are
/// before it begins to measure.
pub(super) async fn warm_up(copy: &Copy, requests: &Arc<Requests>) -> anyhow::Result<()> {
    let load = closed_loop(&[copy.address], 16, WARM_UP, requests).await?;
    ensure!(load.errors == 0, "the service fails: {:?}", load.example);
    Ok(())
}

/// Keeps connections to these copies busy, and tells the processor time of each answer.
pub(super) async fn run_service(
    stage: &Stage,
    copies: &[&Copy],
    connections: usize,
    time: Duration,
    requests: &Arc<Requests>,
) -> anyhow::Result<(Load, Option<Usage>)> {
    stage.checkpoint().await?;
    let before = stage.usage(copies);
    let addresses: Vec<_> = copies.iter().map(|copy| copy.address).collect();
    let load = closed_loop(&addresses, connections, time, requests).await?;
    let after = stage.usage(copies);
    let usage = after
        .zip(before)
        .map(|(after, before)| after.per_call_since(before, load.answers));
    Ok((load, usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_and_pgbench_take_turns_in_being_first() {
        assert_eq!(sides(1), [Side::Pgbench, Side::Service]);
        assert_eq!(sides(2), [Side::Service, Side::Pgbench]);
    }

    #[test]
    fn faster_is_a_greater_ratio_of_rates_and_of_times() {
        let mut pairs = Pairs::default();
        pairs.add(Side::Service, 10.0, None);
        pairs.add(Side::Pgbench, 5.0, None);
        assert_eq!(pairs.ratio_of_rates().unwrap().median, 2.0);
        assert_eq!(pairs.ratio_of_times().unwrap().median, 0.5);
        assert_eq!(pairs.row("x", "1/s", None).processor, None);
    }
}
