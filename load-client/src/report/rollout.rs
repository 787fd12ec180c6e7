//! A walk through stages: one table for all of them.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::{Deserialize, Serialize};

use super::table::{EDGE_COLUMNS, align};
use super::{Made, StageReport, number};
use crate::judge::Conclusion;

/// What became of a rollout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RolloutReport {
    /// The worst of the stages, in the order VIOLATION, LEAK, ERRORS, what could not be decided, CONFIRMED.
    pub verdict: Conclusion,
    /// How it ended.
    pub outcome: Outcome,
    /// Requests sent, from the first to the last, on all paths.
    pub requests: u64,
    /// Of them, those without an answer or answered with 500 or above.
    pub errors: u64,
    /// In the order in which they were applied; a rollback is the last one.
    pub stages: Vec<StageReport>,
    /// Why it ended before its last stage, if it did.
    pub reason: Option<String>,
    /// Who made it, when and how; null unless a command line did.
    #[serde(default)]
    pub made: Option<Made>,
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every stage was confirmed.
    Promoted,
    /// At a stage that failed and is still in force.
    Stopped,
    /// A stage was not as declared, or could not be judged; an earlier one was applied and confirmed.
    RolledBack,
    /// The new version failed more often than the others; an earlier stage was applied and confirmed.
    RolledBackByErrorGate,
    /// A stage failed, and so did what was to undo it.
    RollbackFailed,
    /// By Ctrl-C.
    Interrupted,
}

impl RolloutReport {
    /// Of the stages that were walked.
    pub fn new(stages: Vec<StageReport>, outcome: Outcome, reason: Option<String>) -> Self {
        let sum = |of: fn(&StageReport) -> u64| stages.iter().map(of).sum();
        // No stage at all: nothing was measured.
        let verdict = Conclusion::worst(stages.iter().map(|stage| stage.verdict));
        Self {
            verdict: verdict.unwrap_or(Conclusion::CouldNotMeasure),
            outcome,
            requests: sum(StageReport::requests),
            errors: sum(StageReport::errors),
            reason,
            stages,
            made: None,
        }
    }

    /// For people: one table, what there is to say about it, the verdict in a sentence.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_header(EDGE_COLUMNS);
        table.add_rows(self.stages.iter().map(StageReport::row));
        align(&mut table);
        let mut titles = self.stages.iter().map(StageReport::title);
        for (index, line) in table.lines().enumerate() {
            // The line above each stage carries its name.
            let title = (index > 0 && line.starts_with(['─', '═'])).then(|| titles.next());
            match title.flatten() {
                Some(title) => writeln!(out, "── {title} {:─<1$}", "", rest(&line, &title))?,
                None => writeln!(out, "{}", line.trim_end())?,
            }
        }
        for stage in &self.stages {
            for note in stage.notes() {
                writeln!(out, "{}: {note}", stage.stage)?;
            }
            for line in stage.causes() {
                writeln!(out, "{line}")?;
            }
        }
        writeln!(out, "{}", self.headline())
    }

    /// `CONFIRMED: 6 of 6 stages, 0 errors in 48,112 requests`.
    pub fn headline(&self) -> String {
        let text = format!("{}: {}", self.verdict, self.totals());
        match &self.reason {
            Some(reason) => format!("{text}; {reason}"),
            None => text,
        }
    }

    /// `6 of 6 stages confirmed, 0 errors in 48,112 requests`.
    pub(super) fn totals(&self) -> String {
        let confirmed = self
            .stages
            .iter()
            .filter(|stage| stage.verdict == Conclusion::Confirmed)
            .count();
        format!(
            "{confirmed} of {} stages confirmed, {} errors in {} requests",
            self.stages.len(),
            number::count(self.errors),
            number::count(self.requests)
        )
    }

    /// Of the verdict; 2 if every stage that was walked is confirmed, but not every stage was walked.
    pub fn exit_code(&self) -> u8 {
        let cut_short = self.verdict == Conclusion::Confirmed && self.reason.is_some();
        if cut_short {
            Conclusion::Undecided.exit_code()
        } else {
            self.verdict.exit_code()
        }
    }
}

/// Columns of a line that its title leaves, with a blank on either side and two columns before it.
fn rest(line: &str, title: &str) -> usize {
    line.chars().count().saturating_sub(title.chars().count() + 4)
}
