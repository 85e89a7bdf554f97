//! What a person sees of an import.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::Tally;
use crate::cli::Import;
use crate::output::{say, tell};

/// How far an import is: a bar on a terminal, else a line for each block.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines {
        all: usize,
        first: usize,
        began: Instant,
    },
}

impl Progress {
    /// Begins; the first rows were passed over.
    pub(super) fn begin(all: usize, first: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines {
                all,
                first,
                began: Instant::now(),
            };
        }
        let bar = ProgressBar::new(all as u64).with_position(first as u64);
        bar.reset_eta();
        let style = ProgressStyle::with_template(
            "{wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// So many more rows are done, within a block.
    pub(super) fn rows(&self, more: usize) {
        if let Self::Bar(bar) = self {
            bar.inc(more as u64);
        }
    }

    /// A block is done, with so many rows in all.
    pub(super) fn block(&self, done: usize) {
        match self {
            Self::Bar(bar) => bar.set_position(done as u64),
            Self::Lines { all, first, began } => {
                let seconds = began.elapsed().as_secs_f64().max(0.001);
                let rate = (done - first) as f64 / seconds;
                let left = (all - done) as f64 / rate.max(0.001);
                tell!("{done}/{all} rows, {rate:.0} a second, {left:.0} s left");
            }
        }
    }

    /// Ends; the bar stays as it is.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.abandon();
        }
    }
}

/// Says what became of the rows.
pub(super) fn summary(options: &Import, tally: &Tally, rejected: Option<&Path>) {
    let done = if options.dry_run {
        "could be stored"
    } else {
        "stored"
    };
    say!(
        "{} rows {done} ({} of them before), {} rejected.",
        tally.stored,
        tally.replayed,
        tally.rejected
    );
    if let Some(path) = rejected {
        say!("The rejected rows and why are in {}.", path.display());
    }
}

/// What an operator does when not all rows were read.
pub(super) fn how_to_go_on(options: &Import, tally: &Tally) -> String {
    format!(
        "To go on, run the same command again with --skip {}. Without it that is safe, too: for 24 hours \
         no row of {} is stored twice.",
        tally.read,
        options.file.display()
    )
}
