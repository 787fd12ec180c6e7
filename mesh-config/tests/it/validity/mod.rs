//! Valid or not, as the real API server and istiod's webhook said of the same manifests.

mod cases;

use std::path::{Path, PathBuf};

use cases::Case;
use mesh_config::check::{Layer, Severity, check};

use crate::kit::source;

/// Cases in which the fault is in an object of another kind: those are passed over.
const OF_OTHER_KINDS: &[&str] = &["yaml/unknown-kind-before", "yaml/unnamed-port-service-before"];

/// How many of the recorded cases are in this repository; the others are Istio's own inputs.
const OURS: usize = 1_106;

fn ours() -> Vec<(String, Case)> {
    cases::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/validation/cases"))
}

/// Istio's own inputs, where there is a folder of them.
fn istios() -> Vec<(String, Case)> {
    let Some(folder) = std::env::var_os("ISTIO_CASES_DIR") else {
        eprintln!("skipped: Istio's own cases of validation, for which ISTIO_CASES_DIR is not set");
        return Vec::new();
    };
    let mut cases = cases::read(&PathBuf::from(folder).join("cases"));
    cases.retain(|(_, case)| case.is_istios());
    assert!(!cases.is_empty(), "ISTIO_CASES_DIR has no case of Istio's");
    cases
}

/// What is wrong with the judgement of a case, if anything is.
fn differs(case: &Case) -> Option<String> {
    let findings = check(&[source(&case.text())]).findings;
    let refused = findings
        .iter()
        .any(|f| f.is_error() && matches!(f.check.layer, Layer::Schema | Layer::Webhook));
    if refused == case.accepted() {
        let said: Vec<String> = findings
            .iter()
            .map(|f| format!("{} {}", f.check.code, f.message))
            .collect();
        let real = if refused { "accepts" } else { "refuses" };
        return Some(format!("the real thing {real} it; here: {}", said.join("; ")));
    }
    None
}

#[test]
fn what_a_cluster_refuses_is_refused_and_everything_else_taken() {
    let ours = ours();
    assert_eq!(ours.len(), OURS);
    let all = ours.into_iter().chain(istios());
    let mut count = 0;
    let mut different = Vec::new();
    for (topic, case) in all {
        let name = format!("{topic}/{}", case.name);
        if OF_OTHER_KINDS.contains(&name.as_str()) {
            continue;
        }
        count += 1;
        different.extend(differs(&case).map(|why| format!("{name}: {why}")));
    }
    assert!(
        different.is_empty(),
        "{} of {count} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn what_the_webhook_warns_of_is_said_and_refuses_nothing() {
    let mut different = Vec::new();
    for (topic, case) in ours().into_iter().chain(istios()) {
        let findings = check(&[source(&case.text())]).findings;
        let said: Vec<_> = findings
            .iter()
            .filter(|f| f.check.layer == Layer::Webhook && f.check.severity < Severity::Error)
            .map(|f| f.message.clone())
            .collect();
        // Rules that are not used are looked for in an analysis of their own.
        let recorded = case
            .warnings()
            .iter()
            .filter(|text| !text.contains("virtualService rule"));
        if said.len() != recorded.clone().count() && case.accepted() {
            let recorded: Vec<_> = recorded.collect();
            different.push(format!(
                "{topic}/{}: recorded {recorded:?}, here {said:?}",
                case.name
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}
