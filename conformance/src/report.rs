//! What came of a run, and whether that is what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crate::compare::Difference;
use crate::known::{DIFFERENCES, Known, PENDING};
use crate::replay::Verdict;

/// Lines for one case; the others are counted.
const LINES: usize = 6;

/// Every case that was asked for, and what came of it.
#[derive(Debug)]
pub struct Report {
    cases: BTreeMap<String, Outcome>,
}

/// What came of a case, in the light of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the real thing.
    Passed,
    /// Not as the real thing, and nobody knew.
    Failed(Vec<Difference>),
    /// Not as the real thing yet, which is known.
    Pending(Vec<Difference>),
    /// Not as the real thing, by nature.
    ByNature,
    /// As the real thing, but listed as if not: in this file.
    Stale(&'static str),
    /// Could not be run here.
    Skipped(String),
}

// === impl Report ===

impl Report {
    /// Of these cases: what they ended with, against what is known.
    pub fn new(asked: &BTreeSet<String>, mut verdicts: BTreeMap<String, Verdict>, known: &Known) -> Report {
        let outcome = |id: &String| {
            let gone = || Verdict::Differs(vec![Difference::new("replay", "a verdict", "a panic")]);
            let verdict = verdicts.remove(id).unwrap_or_else(gone);
            (id.clone(), Outcome::of(id, verdict, known))
        };
        Report {
            cases: asked.iter().map(outcome).collect(),
        }
    }

    /// Whether all is as the real thing, but for what differs by nature.
    pub fn agrees(&self) -> bool {
        self.cases
            .values()
            .all(|outcome| !matches!(outcome, Outcome::Failed(_) | Outcome::Pending(_)))
    }

    /// Whether all is as known: nothing fails that is not listed, nothing is listed that does not fail.
    pub fn settled(&self) -> bool {
        self.cases
            .values()
            .all(|outcome| !matches!(outcome, Outcome::Failed(_) | Outcome::Stale(_)))
    }

    /// What is pending after this run: cases that did not take part stay.
    pub fn pending(&self, before: &BTreeSet<String>) -> BTreeSet<String> {
        let others = before.iter().filter(|id| !self.cases.contains_key(*id));
        let failing = self
            .cases
            .iter()
            .filter(|(_, o)| matches!(o, Outcome::Failed(_) | Outcome::Pending(_)));
        others.chain(failing.map(|(id, _)| id)).cloned().collect()
    }

    /// Writes a line for each difference and reason, a table of topics, and the sum. `pending`: also of cases that
    /// are known to be pending.
    pub fn write(&self, out: &mut impl Write, pending: bool) -> io::Result<()> {
        for (id, outcome) in &self.cases {
            match outcome {
                Outcome::Failed(differences) => lines(out, id, differences)?,
                Outcome::Pending(differences) if pending => lines(out, id, differences)?,
                Outcome::Stale(file) => writeln!(out, "{id}: as the real thing now: remove it from {file}")?,
                Outcome::Skipped(reason) => writeln!(out, "{id}: skipped: {reason}")?,
                Outcome::Passed | Outcome::Pending(_) | Outcome::ByNature => {}
            }
        }
        writeln!(
            out,
            "{:20} {:>6} {:>6} {:>7} {:>9} {:>7}",
            "topic", "passed", "failed", "pending", "by nature", "skipped"
        )?;
        let topics: BTreeSet<&str> = self.cases.keys().map(|id| topic(id)).collect();
        for one in topics {
            row(
                out,
                one,
                self.cases
                    .iter()
                    .filter(|(id, _)| topic(id) == one)
                    .map(|(_, outcome)| outcome),
            )?;
        }
        row(out, "all", self.cases.values())
    }
}

// === impl Outcome ===

impl Outcome {
    fn of(id: &str, verdict: Verdict, known: &Known) -> Outcome {
        let (pending, by_nature) = (known.pending.contains(id), known.by_nature.contains(id));
        match verdict {
            Verdict::Skipped(reason) => Outcome::Skipped(reason),
            Verdict::Agrees if by_nature => Outcome::Stale(DIFFERENCES),
            Verdict::Agrees if pending => Outcome::Stale(PENDING),
            Verdict::Agrees => Outcome::Passed,
            Verdict::Differs(_) if by_nature => Outcome::ByNature,
            Verdict::Differs(differences) if pending => Outcome::Pending(differences),
            Verdict::Differs(differences) => Outcome::Failed(differences),
        }
    }

    fn column(&self) -> usize {
        match self {
            Outcome::Passed | Outcome::Stale(_) => 0,
            Outcome::Failed(_) => 1,
            Outcome::Pending(_) => 2,
            Outcome::ByNature => 3,
            Outcome::Skipped(_) => 4,
        }
    }
}

fn topic(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn lines(out: &mut impl Write, id: &str, differences: &[Difference]) -> io::Result<()> {
    for difference in differences.iter().take(LINES) {
        writeln!(out, "{id}: {difference}")?;
    }
    match differences.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "{id}: {more} more"),
    }
}

fn row<'o>(out: &mut impl Write, name: &str, outcomes: impl Iterator<Item = &'o Outcome>) -> io::Result<()> {
    let mut counts = [0; 5];
    outcomes.for_each(|outcome| counts[outcome.column()] += 1);
    let [passed, failed, pending, by_nature, skipped] = counts;
    writeln!(
        out,
        "{name:20} {passed:>6} {failed:>6} {pending:>7} {by_nature:>9} {skipped:>7}"
    )
}

#[cfg(test)]
mod tests;
