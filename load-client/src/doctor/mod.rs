//! `doctor`: will the demo on a cluster run here, and if not, what has to be done?
//!
//! [`gather`] collects [`Facts`], the only I/O; [`examine`] makes findings of them; [`DoctorReport`] renders them.

mod docker;
mod facts;
mod gather;
mod host;
mod report;
mod tools;
mod version;
mod wanted;

use std::fmt;

use serde::Serialize;

pub use facts::{Container, Docker, Facts, Holder, Inotify, NoDocker, NoTool, PortFact};
pub use gather::gather;
pub use report::DoctorReport;
pub use version::Version;
pub use wanted::{HostPort, Wanted, WantedError};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// The demo may be slow, or fail under circumstances.
    Warning,
    /// The demo will stop.
    Problem,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        })
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `memory`, `port 8080`.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// In words, with the figures.
    pub text: String,
    /// A command that helps, or the page that tells how; null if nothing has to be done.
    pub fix: Option<String>,
}

impl Finding {
    fn ok(check: &str, text: impl Into<String>) -> Self {
        Finding {
            check: check.to_owned(),
            level: Level::Ok,
            text: text.into(),
            fix: None,
        }
    }

    fn warning(check: &str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding {
            level: Level::Warning,
            fix: Some(fix.into()),
            ..Finding::ok(check, text)
        }
    }

    fn problem(check: &str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding {
            level: Level::Problem,
            fix: Some(fix.into()),
            ..Finding::ok(check, text)
        }
    }
}

/// What the facts mean for the demo, in the order in which things have to be put right.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = docker::examine(facts);
    findings.extend(host::examine(facts));
    findings.extend(tools::examine(facts));
    findings
}
