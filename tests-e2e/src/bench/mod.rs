//! `make bench`: what the service does beside what pgbench does on the same machine in the same
//! minutes.

mod bulk;
mod dispatch;
mod fill;
mod http;
mod ingest;
mod latency;
mod load;
mod pages;
mod pairs;
mod pgbench;
mod process;
mod progress;
mod reads;
mod report;
mod reports;
mod stage;
mod stand_in;
mod start;
mod statistics;
mod usage;

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

pub use self::progress::Progress;
pub use self::report::{Bound, Must, Report, Row};
use self::stage::Stage;
pub use self::statistics::Spread;

/// How much one thing may be slower than another that it must not be slower than: as much as two
/// runs of the same thing differ on a machine that also does other things.
const NOT_SLOWER: f64 = 0.95;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Submissions a second, over 1, 8, 64 and 256 connections, and with two copies
    Ingest,
    /// How long submissions take at a fixed rate
    Latency,
    /// Rows of a bulk call
    Bulk,
    /// Reads by id, lists and statistics, with few and with many rows
    Reads,
    /// Analytics, and lists as files
    Reports,
    /// Pages of the console, and open pages
    Pages,
    /// Messages a second, to a provider that costs nearly nothing and to the simulator
    Dispatch,
    /// How long a start takes
    Start,
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which parts.
    pub parts: Vec<Part>,
    /// How often each pair of runs is repeated.
    pub rounds: u32,
    /// How long a run under load takes.
    pub run: Duration,
    /// How long a run that measures the time of single reads takes.
    pub look: Duration,
    /// How many rows are many.
    pub rows: u32,
    /// How many messages each dealer has to send.
    pub messages: u32,
}

impl Plan {
    /// All of it.
    #[must_use]
    pub fn whole() -> Self {
        Self {
            parts: Part::value_variants().to_vec(),
            rounds: 5,
            run: Duration::from_secs(5),
            look: Duration::from_secs(2),
            rows: 2_000_000,
            messages: 20,
        }
    }

    /// A short look, which decides nothing.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            rounds: 2,
            run: Duration::from_secs(2),
            look: Duration::from_secs(1),
            rows: 200_000,
            messages: 6,
            ..Self::whole()
        }
    }
}

/// Carries out a plan; PostgreSQL's files are below `folder` meanwhile. Returns the report and the
/// facts about PostgreSQL.
///
/// # Errors
/// When something cannot be measured; what was measured and does not hold is in the report.
pub async fn bench(plan: &Plan, folder: &Path) -> anyhow::Result<(Report, String)> {
    let progress = Progress::default();
    progress.say("starting PostgreSQL and the simulator");
    let stage = Stage::set(folder, progress).await?;
    let mut report = Report::default();
    for part in &plan.parts {
        match part {
            Part::Ingest => ingest::measure(&stage, plan, &mut report).await?,
            Part::Latency => latency::measure(&stage, plan, &mut report).await?,
            Part::Bulk => bulk::measure(&stage, plan, &mut report).await?,
            Part::Reads => reads::measure(&stage, plan, &mut report).await?,
            Part::Reports => reports::measure(&stage, plan, &mut report).await?,
            Part::Pages => pages::measure(&stage, plan, &mut report).await?,
            Part::Dispatch => dispatch::measure(&stage, plan, &mut report).await?,
            Part::Start => start::measure(&stage, plan, &mut report).await?,
        }
    }
    after_all(&stage, &mut report);
    progress.say("done");
    Ok((report, stage.facts()))
}

/// What is known only at the end.
fn after_all(stage: &Stage, report: &mut Report) {
    let resident = stage.resident_mb().and_then(|mb| Spread::of(&[mb]));
    if resident.is_some() {
        report.rows.push(Row {
            name: "memory of the largest copy after its work".to_owned(),
            unit: "MB",
            service: resident,
            must: Must::new("resident", resident, Bound::Below(64.0)),
            ..Row::default()
        });
    }
    let errors = Spread::of(&[report.errors as f64]);
    report.rows.push(Row {
        name: "answers that were not what they should be".to_owned(),
        unit: "",
        service: errors,
        must: Must::new("errors", errors, Bound::AtMost(0.0)),
        ..Row::default()
    });
    if let Some(example) = &report.example {
        let example = example.replace("\r\n", "\n    ");
        report
            .notes
            .push(format!("The first error:\n\n    {example}"));
    }
}
