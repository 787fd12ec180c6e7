//! What programs read of a report is what the schemas say: the committed one of `-o json`, and the official ones.

use mesh_config::check::{Report, Severity, check, checks};
use serde_json::Value;

use crate::kit::source;

/// The contract of `-o json`.
const FINDINGS: &str = include_str!("../../../docs/findings.schema.json");

/// SARIF 2.1.0 as OASIS published it, without blanks.
const SARIF: &str = include_str!("../data/sarif-2.1.0.schema.json");

/// A finding in one document, none in the next, text that is no YAML, an object that nobody knows, signs of XML.
const TEXT: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: ['<&\">']
  http: [{route: [{destination: {host: nobody}}]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
a: [b
---
kind: Odd
";

fn report() -> Report {
    let report = check(&[source(TEXT)], &[]);
    assert!(report.findings.len() >= 4, "{}", report.to_text());
    report
}

/// What a schema has against a value.
fn refusals(schema: &str, value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect()
}

#[test]
fn json_is_what_its_schema_says_and_the_schema_refuses_other_things() {
    let mut json = report().to_json();
    assert_eq!(refusals(FINDINGS, &json), Vec::<String>::new());
    json["findings"][0]["severity"] = "fatal".into();
    assert_eq!(refusals(FINDINGS, &json).len(), 1);
}

#[test]
fn sarif_is_what_its_official_schema_says_with_every_check_as_a_rule() {
    let mut sarif = report().to_sarif("0.1.0");
    // The expression for languages has a bracket too many there.
    let schema = SARIF.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    assert_eq!(refusals(&schema, &sarif), Vec::<String>::new());
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), checks().len());
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    sarif["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_eq!(refusals(&schema, &sarif).len(), 1);
}

#[test]
fn junit_has_a_case_for_each_finding_and_one_for_a_clean_file() {
    let report = report();
    let mut files = [source(TEXT), source("")];
    files[1].name = "clean.yaml".to_owned();
    let count = report.findings.len();
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .count();
    for (threshold, failures) in [(Severity::Error, errors), (Severity::Info, count)] {
        let xml = report.to_junit(&files, threshold);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let named = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
        assert_eq!(named("failure").count(), failures);
        assert_eq!(named("testcase").count(), count + 1);
        let counts: Vec<_> = named("testsuite")
            .map(|suite| (suite.attribute("tests"), suite.attribute("failures")))
            .collect();
        let (tests, failures) = (count.to_string(), failures.to_string());
        assert_eq!(
            counts,
            [
                (Some(tests.as_str()), Some(failures.as_str())),
                (Some("1"), Some("0"))
            ]
        );
        let mut names = named("testcase").filter_map(|case| case.attribute("name"));
        assert!(names.any(|name| name.contains("<&\">")), "{xml}");
    }
}
