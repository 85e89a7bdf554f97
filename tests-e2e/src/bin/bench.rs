//! `make bench`: measures the service beside pgbench and writes the table as Markdown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Parser;
use tests_e2e::bench::{Part, Plan, Report, bench};
use tests_e2e::told_to_end;

const EXAMPLES: &str = "\
Examples:
  make bench
      Everything, with 2 million rows and five rounds: about a quarter of an hour
  make bench BENCH=--quick
      A look in two minutes, which decides nothing
  make bench BENCH='--only ingest,latency --rounds 3'
      Some parts, with fewer rounds
  make bench BENCH='--out /tmp/before.md'
      The table elsewhere";

/// Measures the service beside pgbench, round by round, and writes the table as Markdown.
///
/// Starts everything that it needs and ends it. Exits with 1 when a figure is not what it must be,
/// with 2 when something cannot be measured.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// A short look with fewer rows, shorter runs and two rounds; it only reports
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Part>,
    /// How often each pair of runs is repeated [default: 5, with --quick 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Where the table goes [default: bench.md in cargo's target folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let mut plan = if self.quick {
            Plan::quick()
        } else {
            Plan::whole()
        };
        plan.rounds = self.rounds.unwrap_or(plan.rounds);
        if !self.only.is_empty() {
            plan.parts.retain(|part| self.only.contains(part));
        }
        plan
    }
}

// One thread: the generator must leave the machine to those that are measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) if arguments.quick => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{red}error:{red:#} {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Says whether everything holds that must hold.
async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let told = told_to_end()?;
    let target = target_folder()?;
    let plan = arguments.plan();
    // Now, before anybody commits something else.
    let mut facts = facts(arguments, &plan);
    // When the measuring is dropped, so is everything that it has started.
    let (report, server) = tokio::select! {
        done = bench(&plan, &target) => done?,
        () = told => anyhow::bail!("interrupted"),
    };
    facts.push(server);
    let markdown = report.markdown(&facts);
    println!("{markdown}");
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| target.join("bench.md"));
    fs::write(&out, markdown).with_context(|| format!("{} cannot be written", out.display()))?;
    let holds = judge(&report);
    anstream::eprintln!("The table is in {}.", out.display());
    Ok(holds)
}

/// Where cargo has put this program, two folders up.
fn target_folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder
        .context("this program is in no target folder")?
        .to_owned())
}

/// What a reader must know of the run.
fn facts(arguments: &Arguments, plan: &Plan) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kind = if arguments.quick {
        " (a quick look, which decides nothing)"
    } else {
        ""
    };
    vec![
        format!(
            "{cores} cores{}, shared by service, PostgreSQL and generator",
            processor()
        ),
        format!("commit {}", commit()),
        format!("{} rounds of {} s{kind}", plan.rounds, plan.run.as_secs()),
    ]
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| format!(" ({})", value.trim()))
    });
    name.unwrap_or_default()
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])
        .is_some_and(|changes| !changes.is_empty());
    let name = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    if changed {
        format!("{name}, with changes")
    } else {
        name
    }
}

/// Tells every demand in colour.
fn judge(report: &Report) -> bool {
    let mut all = true;
    for (name, must) in report.demands() {
        let (colour, word) = if must.holds() {
            (anstyle::AnsiColor::Green, "holds")
        } else {
            all = false;
            (anstyle::AnsiColor::Red, "fails")
        };
        let style = colour.on_default().bold();
        anstream::eprintln!("{style}{word}{style:#} {name}: {}", must.words());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn parts_keep_their_order() {
        let arguments = Arguments::parse_from([
            "bench",
            "--quick",
            "--only",
            "reads,ingest",
            "--rounds",
            "3",
        ]);
        let plan = arguments.plan();
        assert_eq!(plan.parts, [Part::Ingest, Part::Reads]);
        assert_eq!((plan.rounds, plan.rows), (3, 200_000));
    }
}
