//! The table.

use std::fmt::Write as _;

use super::statistics::{Spread, number};
use super::usage::Usage;

/// What must hold of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// No less than this.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
    /// No more than this.
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::Below(bound) => value < bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", number(bound)),
            Self::Below(bound) => format!("< {}", number(bound)),
            Self::AtMost(bound) => format!("≤ {}", number(bound)),
        }
    }
}

/// A demand, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Must {
    /// Of what, such as `ratio`.
    pub of: String,
    /// The figures; their median counts.
    pub value: Spread,
    /// What must hold.
    pub bound: Bound,
    /// What is aimed at beyond it, in words.
    pub aim: Option<String>,
}

impl Must {
    /// Of these figures; `None` when there are none.
    #[must_use]
    pub fn new(of: &str, value: Option<Spread>, bound: Bound) -> Option<Self> {
        Some(Self {
            of: of.to_owned(),
            value: value?,
            bound,
            aim: None,
        })
    }

    /// The same, with an aim.
    #[must_use]
    pub fn aiming_at(self, aim: &str) -> Self {
        Self {
            aim: Some(aim.to_owned()),
            ..self
        }
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.bound.holds(self.value.median)
    }

    /// The demand and the figure.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}: {}", self.demand(), self.value)
    }

    fn demand(&self) -> String {
        let aim = self.aim.as_ref();
        let aim = aim.map_or_else(String::new, |aim| format!(" (aim {aim})"));
        format!("{} {}{aim}", self.of, self.bound.words())
    }

    fn verdict(&self) -> String {
        let word = if self.holds() { "holds" } else { "**fails**" };
        format!("{word}: {}", self.value)
    }
}

/// A line of the table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// In which unit.
    pub unit: &'static str,
    /// The service's figures.
    pub service: Option<Spread>,
    /// Those of pgbench.
    pub pgbench: Option<Spread>,
    /// How many times better the service is than pgbench.
    pub ratio: Option<Spread>,
    /// What must hold.
    pub must: Option<Must>,
    /// Processor time for each call in microseconds: of the run of the service, of that of pgbench.
    pub processor: Option<(Usage, Usage)>,
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// The lines.
    pub rows: Vec<Row>,
    /// What a reader must know beside them.
    pub notes: Vec<String>,
    /// How many answers were wrong, and one of them.
    pub errors: u64,
    /// One of them.
    pub example: Option<String>,
}

impl Report {
    /// Counts what went wrong.
    pub fn count_errors(&mut self, load: &super::load::Load) {
        self.errors += load.errors;
        self.example = self.example.take().or_else(|| load.example.clone());
    }

    /// Every demand with the name of its line.
    pub fn demands(&self) -> impl Iterator<Item = (&str, &Must)> {
        self.rows
            .iter()
            .filter_map(|row| Some((row.name.as_str(), row.must.as_ref()?)))
    }

    /// As Markdown, with these facts above the table.
    #[must_use]
    pub fn markdown(&self, facts: &[String]) -> String {
        let mut text = String::from("# Benchmark\n\n");
        for fact in facts {
            let _ = writeln!(text, "- {fact}");
        }
        text.push_str(
            "\nMedian (least..greatest) of the rounds. Ratio: how many times better than pgbench, of \
             each pair of runs. Processor time is in microseconds for each call, user and system.\n\n\
             | measured | unit | service | pgbench | ratio | must hold | verdict | processor: service + PostgreSQL (generator) | pgbench's run: PostgreSQL (pgbench) |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let _ = writeln!(text, "{}", row.markdown());
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }
}

impl Row {
    fn markdown(&self) -> String {
        let spread = |value: Option<Spread>| value.map_or_else(dash, |value| value.to_string());
        let (ours, theirs) = self.processor.map_or_else(
            || (dash(), dash()),
            |(ours, theirs)| {
                let text =
                    |of: &Usage, parts: f64| format!("{} ({})", number(of.postgres), number(parts));
                (
                    format!("{} + {}", number(ours.service), text(&ours, ours.generator)),
                    text(&theirs, theirs.pgbench),
                )
            },
        );
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {ours} | {theirs} |",
            self.name,
            self.unit,
            spread(self.service),
            spread(self.pgbench),
            spread(self.ratio),
            self.must.as_ref().map_or_else(dash, Must::demand),
            self.must.as_ref().map_or_else(dash, Must::verdict),
        )
    }
}

fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let ratio = Spread::of(&[1.5, 1.0, 2.0]);
        Row {
            name: "ingest".to_owned(),
            unit: "1/s",
            service: Spread::of(&[1_500.0]),
            pgbench: Spread::of(&[1_000.0]),
            ratio,
            must: Must::new("ratio", ratio, Bound::AtLeast(1.2)).map(|must| must.aiming_at("1.6")),
            processor: None,
        }
    }

    #[test]
    fn a_line_has_every_figure_and_the_verdict() {
        assert_eq!(
            row().markdown(),
            "| ingest | 1/s | 1,500 | 1,000 | 1.50 (1.00..2.00) \
             | ratio ≥ 1.20 (aim 1.6) | holds: 1.50 (1.00..2.00) | – | – |"
        );
    }

    #[test]
    fn the_median_decides() {
        let must = |bound| Must::new("x", Spread::of(&[1.0, 2.0, 9.0]), bound).unwrap();
        assert!(must(Bound::AtLeast(2.0)).holds());
        assert!(!must(Bound::AtLeast(2.1)).holds());
        assert!(must(Bound::AtMost(2.0)).holds());
        assert!(!must(Bound::Below(2.0)).holds());
    }

    #[test]
    fn demands_are_found_among_the_lines() {
        let report = Report {
            rows: vec![row(), Row::default()],
            ..Report::default()
        };
        assert_eq!(report.demands().count(), 1);
        assert!(report.markdown(&[]).contains("| ingest |"));
    }
}
