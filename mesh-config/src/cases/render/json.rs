//! For programs.

use serde_json::{Value, json};

use crate::cases::{CaseResult, Failure, Report, Suite};

impl Report {
    /// `{"holds", "cases": [{"file", "line", "description", "holds", "requests", "failures"}], "rules": [...]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "holds": self.holds(),
            "cases": self.cases().map(|(suite, result)| case(suite, result)).collect::<Vec<_>>(),
            "rules": self.rules(),
        })
    }
}

fn case(suite: &Suite, case: &CaseResult) -> Value {
    json!({
        "file": suite.file,
        "line": case.line,
        "description": case.description,
        "holds": case.failures.is_empty(),
        "requests": case.requests,
        "failures": case.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn failure(failure: &Failure) -> Value {
    let differences = failure.differences.iter().map(
        |difference| json!({"what": difference.what, "expected": difference.expected, "got": difference.got}),
    );
    json!({
        "request": failure.request,
        "from": failure.from,
        "differences": differences.collect::<Vec<_>>(),
        "decision": failure.decision,
        "place": failure.place,
        "tried": failure.tried,
    })
}
