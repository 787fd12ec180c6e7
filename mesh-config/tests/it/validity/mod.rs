//! Valid or not, as the real API server and istiod's webhook said of the same manifests.

mod cases;
mod sets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cases::Case;
use mesh_config::check::{Layer, Severity, check};

use crate::kit::source;

/// Cases in which the fault is in an object of another kind: those are passed over.
const OF_OTHER_KINDS: &[&str] = &["yaml/unknown-kind-before", "yaml/unnamed-port-service-before"];

/// How many of the recorded cases are in this repository; the others are Istio's own inputs.
const OURS: usize = 1_140;

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
    let findings = check(&[source(&case.text())], &[]).findings;
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

/// What a warning is about, without the reason: of one rule several reasons may be given.
fn subject(warning: &str) -> &str {
    let end = warning.find(" not used").or(warning.find(" is not used"));
    let subject = end.map_or(warning, |end| &warning[..end]);
    subject.split(" of prefix ").next().unwrap_or(subject)
}

#[test]
fn what_the_webhook_warns_of_is_said_and_refuses_nothing() {
    let mut different = Vec::new();
    for (topic, case) in ours().into_iter().chain(istios()) {
        let findings = check(&[source(&case.text())], &[]).findings;
        let said: Vec<_> = findings
            .iter()
            .filter(|f| f.check.layer == Layer::Webhook && f.check.severity < Severity::Error)
            .map(|f| f.message.clone())
            .collect();
        let recorded: BTreeSet<_> = case.warnings().iter().map(|warning| subject(warning)).collect();
        if said.len() != recorded.len() && case.accepted() {
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

/// What istioctl says of sets of objects and is wrong.
const FALSE_ALARMS: &[(&str, &str, &str)] = &[
    // A wildcard is a good host of a DestinationRule.
    (
        "dr-host-wildcard",
        "IST0174",
        "DestinationRule default/auth-service",
    ),
    (
        "vs-subset-destination-rule-wildcard-host",
        "IST0101",
        "VirtualService default/auth-service",
    ),
    (
        "vs-subset-destination-rule-wildcard-host",
        "IST0174",
        "DestinationRule default/auth-service",
    ),
    // Proxies find hosts whatever their case is.
    (
        "vs-destination-uppercase",
        "IST0101",
        "VirtualService default/auth-service",
    ),
    // istioctl does not look at Services of kube-system; istiod does.
    (
        "unknown-subset-in-kube-system",
        "IST0174",
        "DestinationRule kube-system/auth-service",
    ),
    // Of a wildcard and a longer one the longer one counts.
    (
        "istio-virtual-service-conflicting-mesh-gateway-hosts-with-export-to",
        "IST0109",
        "VirtualService bar/productpage-d",
    ),
    (
        "istio-virtual-service-conflicting-mesh-gateway-hosts-with-export-to",
        "IST0109",
        "VirtualService foo/productpage-d",
    ),
];

/// What this finds in sets of objects under a code of Istio's and istioctl does not.
const MISSED: &[(&str, &str, &str)] = &[
    // istioctl looks at the pods of all namespaces.
    (
        "dr-subset-pods-in-other-namespace",
        "IST0173",
        "DestinationRule default/auth-service",
    ),
    (
        "dr-subset-pods-of-other-app",
        "IST0173",
        "DestinationRule default/auth-service",
    ),
    // istioctl wants to see the gateway's pods; nobody reads tokens there in any case.
    (
        "istio-virtual-service-jwtclaim-route",
        "IST0149",
        "VirtualService default/foo",
    ),
];

#[test]
fn what_istioctl_finds_in_a_cluster_is_found_in_files() {
    let ours =
        sets::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/validation/analysis.yaml"));
    assert_eq!(ours.len(), 85);
    let istios = std::env::var_os("ISTIO_CASES_DIR").map(|folder| {
        let mut sets = sets::read(&PathBuf::from(folder).join("analysis/istio.yaml"));
        sets.retain(sets::Set::is_istios);
        sets
    });
    let mut different = Vec::new();
    for set in ours.into_iter().chain(istios.unwrap_or_default()) {
        let findings = check(&[source(&set.objects)], &[]).findings;
        let refused: BTreeSet<_> = findings
            .iter()
            .filter(|f| f.check.layer == Layer::Schema)
            .filter_map(|f| f.object.clone())
            .collect();
        let here: BTreeSet<_> = findings
            .iter()
            .filter(|f| f.object.as_ref().is_some_and(|object| !refused.contains(object)))
            .filter_map(|f| Some((f.check.istio?.to_owned(), f.object.as_ref()?.to_string())))
            .filter(|(_, origin)| sets::is_ours(origin))
            .collect();
        let is_in = |list: &[(&str, &str, &str)], (code, origin): &(String, String)| {
            list.iter()
                .any(|(name, c, o)| set.name == *name && code == c && origin == o)
        };
        let said = set.said();
        let missing = said.difference(&here).filter(|one| !is_in(FALSE_ALARMS, one));
        different.extend(missing.map(|(code, origin)| format!("{}: {code} {origin} is not found", set.name)));
        let more = here.difference(&said).filter(|one| !is_in(MISSED, one));
        different
            .extend(more.map(|(code, origin)| format!("{}: {code} {origin} is found here only", set.name)));
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}
