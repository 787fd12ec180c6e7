//! For programs: a contract, whose schema is `docs/findings.schema.json`.

use serde_json::{Value, json};

use crate::check::Report;
use crate::problem::Problem;

impl Report {
    /// `{"findings": [...]}`, in the order of file, line and column.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"findings": self.findings.iter().map(finding).collect::<Vec<_>>()})
    }
}

fn finding(finding: &Problem) -> Value {
    json!({
        "code": finding.check.shown_code(),
        "rule": finding.check.code,
        "severity": finding.check.severity,
        "layer": finding.check.layer,
        "object": finding.object.as_ref().map(ToString::to_string),
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "advice": finding.advice,
    })
}
