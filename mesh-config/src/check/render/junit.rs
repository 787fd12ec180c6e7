//! JUnit's XML, which CI servers show beside test results: a suite for each file, a case for each finding.

use std::fmt::Write as _;

use crate::check::{Report, Severity};
use crate::problem::{Problem, Source};
use crate::xml::escaped;

impl Report {
    /// A document with one suite for each of the files that were looked at. Findings that weigh as much as `threshold`, or
    /// more, are failures; what weighs less passes and tells what it found; a file without findings is one case that passes.
    #[must_use]
    pub fn to_junit(&self, files: &[Source], threshold: Severity) -> String {
        let suites: String = files
            .iter()
            .map(|file| self.suite(&file.name, threshold))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"local-mesh check\">\n{suites}</testsuites>\n"
        )
    }

    fn suite(&self, file: &str, threshold: Severity) -> String {
        let findings = || self.findings.iter().filter(|finding| finding.file == file);
        let count = findings().count().max(1);
        let failures = findings()
            .filter(|finding| finding.check.severity >= threshold)
            .count();
        let file = escaped(file);
        let mut suite = format!("  <testsuite name=\"{file}\" tests=\"{count}\" failures=\"{failures}\">\n");
        for finding in findings() {
            suite.push_str(&case(finding, &file, finding.check.severity >= threshold));
        }
        if findings().next().is_none() {
            let _ = writeln!(suite, "    <testcase name=\"no findings\" classname=\"{file}\"/>");
        }
        suite.push_str("  </testsuite>\n");
        suite
    }
}

/// `file` is escaped already.
fn case(finding: &Problem, file: &str, fails: bool) -> String {
    let code = finding.check.shown_code();
    let object = finding
        .object
        .as_ref()
        .map(|object| format!(" {object}"))
        .unwrap_or_default();
    let name = escaped(&format!("{code}{object}: {}", finding.message));
    let text = escaped(&finding.to_text(&[]));
    let inner = if fails {
        let (message, severity) = (escaped(&finding.message), finding.check.severity);
        format!("<failure type=\"{severity}\" message=\"{message}\">{text}</failure>")
    } else {
        format!("<system-out>{text}</system-out>")
    };
    let line = finding.line;
    format!(
        "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\">\n      {inner}\n    </testcase>\n"
    )
}
