//! Findings, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Finding, Level};
use crate::wrap::{WIDTH, wrapped};

/// Where the text begins. Commands are not wrapped, so that they can be copied.
const INDENT: usize = 23;

/// All findings and what they come to.
#[derive(Clone, Debug, Serialize)]
pub struct DoctorReport {
    /// Whether nothing will stop the demo.
    pub ready: bool,
    /// In the order in which things have to be put right.
    pub findings: Vec<Finding>,
}

impl DoctorReport {
    /// Of findings.
    #[must_use]
    pub fn new(findings: Vec<Finding>) -> Self {
        DoctorReport {
            ready: findings.iter().all(|finding| finding.level < Level::Problem),
            findings,
        }
    }

    /// A line or more for each finding, then what they come to.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        for finding in &self.findings {
            let mut lines = wrapped(&finding.text, WIDTH - INDENT).into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "{:<9}{:<13} {first}", finding.level, finding.check)?;
            for line in lines {
                writeln!(out, "{:INDENT$}{line}", "")?;
            }
            if let Some(fix) = &finding.fix {
                writeln!(out, "{:INDENT$}-> {fix}", "")?;
            }
        }
        writeln!(out, "\n{}", self.headline())
    }

    /// What the findings come to.
    #[must_use]
    pub fn headline(&self) -> String {
        let count = |level| {
            self.findings
                .iter()
                .filter(|finding| finding.level == level)
                .count()
        };
        let warnings = match count(Level::Warning) {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            several => format!(", {several} warnings"),
        };
        match count(Level::Problem) {
            0 => format!("Nothing here stops the demo on a cluster{warnings}: make demo"),
            n => format!(
                "{n} problem{}{warnings}: the demo on a cluster will stop.\n\
                 The same walk without a cluster, with processes on this machine: make demo-local",
                if n == 1 { "" } else { "s" }
            ),
        }
    }
}
