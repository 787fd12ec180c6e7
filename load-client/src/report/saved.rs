//! A report that was written as JSON, and what every form of it has in common.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::{Made, Report, RolloutReport, html, junit, markdown};
use crate::judge::Conclusion;

/// What `verify` or `rollout` found: everything that any form shows.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum SavedReport {
    /// Of `verify`.
    Verification(Box<Report>),
    /// Of `rollout`.
    Rollout(Box<RolloutReport>),
}

/// A text is no report.
#[derive(Debug, thiserror::Error)]
pub enum NotAReport {
    /// It is cut off or damaged, say. Names line and column.
    #[error("not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is of something else.
    #[error("JSON, but no report of `load-client verify -o json` or `rollout -o json`")]
    SomethingElse,
    /// Something in it is missing or of another type. Names line and column.
    #[error(
        "a report of `load-client {kind}` that cannot be read: {reason}; was it made by another version?"
    )]
    Invalid {
        /// `verify` or `rollout`.
        kind: &'static str,
        /// What.
        reason: serde_json::Error,
    },
}

impl SavedReport {
    /// Reads what [`SavedReport::json`] wrote.
    ///
    /// # Errors
    /// It is no report, or one of another version.
    pub fn read(text: &str) -> Result<Self, NotAReport> {
        let value: Value = serde_json::from_str(text).map_err(NotAReport::NotJson)?;
        let invalid = |kind| move |reason| NotAReport::Invalid { kind, reason };
        if value.get("stages").is_some() {
            let report = serde_json::from_str(text).map_err(invalid("rollout"))?;
            Ok(SavedReport::Rollout(report))
        } else if value.get("edges").is_some() && value.get("verdict").is_some() {
            let report = serde_json::from_str(text).map_err(invalid("verify"))?;
            Ok(SavedReport::Verification(report))
        } else {
            Err(NotAReport::SomethingElse)
        }
    }

    /// The verdict at its top.
    pub fn verdict(&self) -> Conclusion {
        match self {
            SavedReport::Verification(report) => report.verdict,
            SavedReport::Rollout(report) => report.verdict,
        }
    }

    /// Exit code of the command that made it.
    pub fn exit_code(&self) -> u8 {
        match self {
            SavedReport::Verification(report) => report.verdict.exit_code(),
            SavedReport::Rollout(report) => report.exit_code(),
        }
    }

    /// The same, made so.
    #[must_use]
    pub fn made(mut self, made: Made) -> Self {
        match &mut self {
            SavedReport::Verification(report) => report.made = Some(made),
            SavedReport::Rollout(report) => report.made = Some(made),
        }
        self
    }

    /// For people at a terminal of 80 columns.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            SavedReport::Verification(report) => report.write_table(out),
            SavedReport::Rollout(report) => report.write_table(out),
        }
    }

    /// For programs: all of it. `schema/report.schema.json` is its contract.
    ///
    /// # Errors
    /// None that is known: no key of a map is anything but a text or a number.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// For a pull request.
    pub fn markdown(&self) -> String {
        markdown::render(&self.into())
    }

    /// For what reads JUnit's XML: a suite for each stage, a case for each edge of each path.
    pub fn junit(&self) -> String {
        junit::render(&self.into())
    }

    /// For people with a browser: one page that needs nothing else, and no scripts.
    pub fn html(&self) -> String {
        html::render(&self.into())
    }
}

impl From<Report> for SavedReport {
    fn from(report: Report) -> Self {
        SavedReport::Verification(Box::new(report))
    }
}

impl From<RolloutReport> for SavedReport {
    fn from(report: RolloutReport) -> Self {
        SavedReport::Rollout(Box::new(report))
    }
}
