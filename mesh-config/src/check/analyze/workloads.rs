//! Workloads that the rules do not reach, or that share a subset.

use std::collections::BTreeSet;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::pods::Pod;
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;
use crate::object::Object;

static NO_SIDECAR: Check = Check {
    code: "TL0432",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a workload without sidecar in a mesh with rules",
    why: "The rules are applied by the sidecar of the caller: calls that this workload makes are not split, retried or timed out.",
    fix: "Label the namespace `istio-injection: enabled`, or the pods' template `sidecar.istio.io/inject: \"true\"`.",
    istioctl: Istioctl::Never,
};

static SHARED: Check = Check {
    code: "TL0433",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "two Deployments in one subset",
    why: "Requests to the subset go to both: if one of them is another version, the split is not what its weights say.",
    fix: "Give the pods' templates different values of a label, and the subset that label.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NO_SIDECAR, &SHARED],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    if !facts.virtual_services.is_empty() {
        without_sidecar(facts, findings);
    }
    for (rule, host) in facts.rules_of_hosts() {
        let pods: Vec<_> = facts.behind(host).collect();
        for (index, subset) in rule.spec.list("subsets").iter().enumerate() {
            let labels = subset.labels("labels");
            let behind = pods.iter().filter(|pod| pod.has(&labels));
            let deployments = behind.filter(|pod| pod.object.kind == "Deployment");
            let names: BTreeSet<&str> = deployments.map(|pod| pod.object.metadata.name.as_str()).collect();
            if labels.is_empty() || names.len() < 2 {
                continue;
            }
            let names: Vec<&str> = names.into_iter().collect();
            let message = format!("this subset has the pods of {}", names.join(" and "));
            findings.add(
                &SHARED,
                rule.object,
                &format!("/spec/subsets/{index}/labels"),
                message,
                None,
            );
        }
    }
}

fn without_sidecar(facts: &Facts<'_>, findings: &mut Findings) {
    let namespaces = facts.objects.iter().filter(|object| object.kind == "Namespace");
    for namespace in namespaces {
        let injected = injects(namespace);
        for pod in facts.pods.of(&namespace.metadata.name) {
            if pod.object.kind == "WorkloadEntry" || has_sidecar(pod, injected) {
                continue;
            }
            let message = "its pods get no sidecar";
            findings.add(
                &NO_SIDECAR,
                pod.object,
                &format!("{}/labels", pod.metadata),
                message,
                None,
            );
        }
    }
}

/// Whether pods of a namespace get a sidecar unless they say otherwise.
fn injects(namespace: &Object) -> bool {
    let labels = &namespace.metadata.labels;
    match labels.get("istio-injection").map(String::as_str) {
        Some("enabled") => true,
        Some(_) => false,
        None => labels.contains_key("istio.io/rev"),
    }
}

fn has_sidecar(pod: &Pod<'_>, injected: bool) -> bool {
    let revision = pod.labels.contains_key("istio.io/rev");
    let said = pod.labels.get("sidecar.istio.io/inject").copied();
    let written = pod
        .spec
        .list("containers")
        .iter()
        .chain(pod.spec.list("initContainers"));
    let by_hand = written
        .into_iter()
        .any(|container| container.text("name") == Some("istio-proxy"));
    by_hand || said.map_or(injected || revision, |said| said == "true")
}
