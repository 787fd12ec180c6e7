//! A walk through stages: one table for all of them.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

use super::table::{EDGE_COLUMNS, align, joined, lines};
use super::{Report, number};
use crate::judge::Conclusion;

/// What became of a rollout.
#[derive(Clone, Debug, Serialize)]
pub struct RolloutReport {
    /// The worst of the stages, in the order VIOLATION, LEAK, what could not be decided, CONFIRMED.
    pub verdict: Conclusion,
    /// Requests sent, from the first to the last.
    pub requests: u64,
    /// Of them, those without an answer or answered with 500 or above.
    pub errors: u64,
    /// In the order in which they were applied; a rollback is the last one.
    pub stages: Vec<StageReport>,
    /// Why it ended before its last stage, if it did.
    pub reason: Option<String>,
}

/// One stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// Name of its folder.
    pub stage: String,
    /// True if it was applied to undo a stage that failed.
    pub rollback: bool,
    /// From the end of the apply command until the first request that saw the new split; null when nothing changed
    /// or it was never seen.
    pub in_force_after_seconds: Option<f64>,
    /// Requests from the start of the apply command until the judgement began.
    pub change_requests: u64,
    /// Of them, those that failed.
    pub change_errors: u64,
    /// What was found; its errors are those of the requests that were judged.
    #[serde(flatten)]
    pub report: Report,
}

impl RolloutReport {
    /// Of the stages that were walked.
    pub fn new(stages: Vec<StageReport>, reason: Option<String>) -> Self {
        let sum = |of: fn(&StageReport) -> u64| stages.iter().map(of).sum();
        Self {
            verdict: worst(&stages),
            requests: sum(|stage| stage.change_requests + stage.report.requests),
            errors: sum(|stage| stage.change_errors + stage.report.errors),
            reason,
            stages,
        }
    }

    /// For people: the verdict in a sentence, one table, what there is to say about it.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = Table::new();
        let columns = ["stage"].into_iter().chain(EDGE_COLUMNS);
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_header(columns);
        table.add_rows(self.stages.iter().map(StageReport::row));
        align(&mut table, 1);
        writeln!(out, "{table}")?;
        for stage in &self.stages {
            for note in stage.notes() {
                writeln!(out, "{}: {note}", stage.stage)?;
            }
        }
        writeln!(out, "{}", self.headline())
    }

    /// `CONFIRMED: 6 of 6 stages, 0 errors in 48,112 requests`.
    pub fn headline(&self) -> String {
        let confirmed = self
            .stages
            .iter()
            .filter(|stage| stage.report.verdict == Conclusion::Confirmed)
            .count();
        let text = format!(
            "{}: {confirmed} of {} stages confirmed, {} errors in {} requests",
            self.verdict,
            self.stages.len(),
            number::count(self.errors),
            number::count(self.requests)
        );
        match &self.reason {
            Some(reason) => format!("{text}; {reason}"),
            None => text,
        }
    }
}

fn worst(stages: &[StageReport]) -> Conclusion {
    let badness = |conclusion: &Conclusion| match conclusion {
        Conclusion::Violation => 4,
        Conclusion::Leak => 3,
        Conclusion::CouldNotMeasure => 2,
        Conclusion::Undecided => 1,
        Conclusion::Confirmed => 0,
    };
    // No stage at all: nothing was measured.
    stages
        .iter()
        .map(|stage| stage.report.verdict)
        .max_by_key(badness)
        .unwrap_or(Conclusion::CouldNotMeasure)
}

impl StageReport {
    /// The edges of a stage are one row of the table, so that lines part the stages.
    fn row(&self) -> Vec<String> {
        let mut cells: Vec<Vec<String>> = vec![Vec::new(); EDGE_COLUMNS.len()];
        for edge in &self.report.edges {
            for (cell, lines) in cells.iter_mut().zip(lines(edge)) {
                cell.extend(lines);
            }
        }
        let mut stage = vec![self.stage.clone()];
        stage.extend(
            self.in_force_after_seconds
                .map(|seconds| format!("in force {}", number::time(seconds))),
        );
        stage.extend(self.rollback.then(|| "(rollback)".to_owned()));
        let mut row = vec![stage.join("\n")];
        row.extend(joined(&cells));
        row
    }

    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.report.notes().collect();
        notes.extend(self.report.reason.clone());
        if self.change_errors > 0 {
            notes.push(format!(
                "{} of {} requests failed while the stage was put into force",
                number::count(self.change_errors),
                number::count(self.change_requests)
            ));
        }
        notes
    }
}
