//! JUnit's XML, as CI systems read it: a suite per file, a test per case.

use std::fmt::Write as _;

use crate::cases::{CaseResult, Report, Suite};
use crate::xml::escaped;

impl Report {
    /// One `testsuites` element.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let failed = self.cases().filter(|(_, case)| !case.failures.is_empty()).count();
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"routing\" tests=\"{}\" failures=\"{failed}\">\n",
            self.cases().count()
        );
        for suite in &self.suites {
            add(&mut text, suite);
        }
        text + "</testsuites>\n"
    }
}

// Writing to a String does not fail.
fn add(text: &mut String, suite: &Suite) {
    let failed = suite
        .cases
        .iter()
        .filter(|case| !case.failures.is_empty())
        .count();
    let (name, tests) = (escaped(&suite.file), suite.cases.len());
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">"
    );
    for case in &suite.cases {
        let (description, line) = (escaped(&case.description), case.line);
        let _ = write!(
            text,
            "    <testcase classname=\"{name}\" name=\"{description}\" file=\"{name}\" line=\"{line}\""
        );
        if case.failures.is_empty() {
            text.push_str("/>\n");
        } else {
            let (summary, details) = (summary(case), details(case));
            let _ = writeln!(
                text,
                ">\n      <failure message=\"{summary}\">{details}</failure>\n    </testcase>"
            );
        }
    }
    text.push_str("  </testsuite>\n");
}

fn summary(case: &CaseResult) -> String {
    format!("{} of {} requests", case.failures.len(), case.requests)
}

fn details(case: &CaseResult) -> String {
    let mut text = String::new();
    for failure in &case.failures {
        let _ = writeln!(text, "{} from {}", failure.request, failure.from);
        for one in &failure.differences {
            let _ = writeln!(text, "  {}: expected {}, got {}", one.what, one.expected, one.got);
        }
        let place = failure.place.as_deref().unwrap_or("no rule");
        let _ = writeln!(text, "  {place}: {}", failure.decision);
    }
    escaped(&text)
}
