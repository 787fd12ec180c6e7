//! SARIF 2.1.0, which code hosts show beside the lines of a change.

use serde_json::{Value, json};

use crate::check::{Check, Report, Severity, checks};
use crate::problem::Problem;

impl Report {
    /// A SARIF log with one run; `version` is that of the program.
    #[must_use]
    pub fn to_sarif(&self, version: &str) -> Value {
        let rules = checks();
        let results: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| result(finding, &rules))
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "local-mesh",
                    "version": version,
                    "rules": rules.iter().map(|check| rule(check)).collect::<Vec<_>>(),
                }},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(check: &Check) -> Value {
    json!({
        "id": check.code,
        "shortDescription": {"text": check.what},
        "fullDescription": {"text": check.why},
        "help": {"text": check.fix},
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {"istio": check.istio, "layer": check.layer},
    })
}

fn result(finding: &Problem, rules: &[&Check]) -> Value {
    let advice = finding
        .advice
        .as_ref()
        .map(|advice| format!(" ({advice})"))
        .unwrap_or_default();
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.file)},
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endColumn": finding.column + finding.width(),
            },
        },
    });
    if let Some(object) = &finding.object {
        location["logicalLocations"] = json!([{"fullyQualifiedName": object.to_string(), "kind": "object"}]);
    }
    json!({
        "ruleId": finding.check.code,
        "ruleIndex": rules.iter().position(|check| check.code == finding.check.code),
        "level": level(finding.check.severity),
        "message": {"text": format!("{}{advice}", finding.message)},
        "locations": [location],
    })
}

/// A path as a URI reference: what is no letter or digit is written in bytes, except for `/` and a few signs.
fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_uri_reference() {
        assert_eq!(uri("manifests/base/10-a_b.yaml"), "manifests/base/10-a_b.yaml");
        assert_eq!(uri("a b/ä.yaml"), "a%20b/%C3%A4.yaml");
    }
}
