//! Subsets without pods. Source: istioctl's `PodNotSelectedAnalyzer`, which looks at the pods of all services in all
//! namespaces; this looks at those that the service selects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::Host;
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static NOBODY: Check = Check {
    code: "TL0316",
    istio: Some("IST0173"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a subset that selects no endpoint",
    why: "Requests to it are answered 503, flag UH.",
    fix: "Correct the labels of the subset, or those of the pods' template.",
    istioctl: Istioctl::Cluster,
};

/// Labels that istiod gives an endpoint because of the node that it is on.
const OF_NODES: &[&str] = &[
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
    "kubernetes.io/hostname",
];

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NOBODY],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for (rule, host) in facts.rules_of_hosts() {
        for (index, subset) in rule.spec.list("subsets").iter().enumerate() {
            let labels = subset.labels("labels");
            if selects_somebody(facts, host, &labels) {
                continue;
            }
            let name = subset.text("name").unwrap_or_default();
            let message = match host.selector {
                Some(_) => format!(
                    "the subset `{name}` selects no pod of `{}`",
                    host.object.metadata.name
                ),
                None => format!("the subset `{name}` selects no address of `{}`", host.name),
            };
            let advice = near_miss(facts, host, &labels);
            findings.add(
                &NOBODY,
                rule.object,
                &format!("/spec/subsets/{index}/labels"),
                message,
                advice,
            );
        }
    }
}

fn selects_somebody(facts: &Facts<'_>, host: &Host<'_>, labels: &BTreeMap<&str, &str>) -> bool {
    let mut labels = labels.clone();
    labels.retain(|name, _| !OF_NODES.contains(name));
    if host.selector.is_none() {
        return fits_an_address(host, &labels);
    }
    let mut behind = facts.behind(host).peekable();
    if behind.peek().is_none() {
        // That nobody is behind the service is said of the service. The workloads of the system come from elsewhere.
        let system = matches!(
            host.object.metadata.namespace.as_str(),
            "kube-system" | "istio-system"
        );
        return system || facts.pods.with(&labels).next().is_some();
    }
    behind.any(|pod| pod.has(&labels))
}

/// Whether an endpoint has the labels that is written down, or found by its name; one without labels has none.
fn fits_an_address(host: &Host<'_>, labels: &BTreeMap<&str, &str>) -> bool {
    let spec = &host.object.content()["spec"];
    if host.object.kind == "Service" {
        // Endpoints that somebody made by hand are not known.
        return labels.is_empty() || spec.text("type") != Some("ExternalName");
    }
    // Without resolution requests go where the client wants them to go, whatever the subset is.
    let unresolved = matches!(spec.text("resolution"), None | Some("NONE"));
    let has = |endpoint: &Value| {
        let own = endpoint.labels("labels");
        labels.iter().all(|(name, value)| own.get(name) == Some(value))
    };
    unresolved || labels.is_empty() || spec.list("endpoints").iter().any(has)
}

/// What the pods of the service have for the labels asked for.
fn near_miss(facts: &Facts<'_>, host: &Host<'_>, labels: &BTreeMap<&str, &str>) -> Option<String> {
    host.selector.as_ref()?;
    if facts.pods.is_empty() {
        return Some("there is no workload at all here: add the folder of the Deployments to -f".to_owned());
    }
    let mut values: Vec<String> = Vec::new();
    for pod in facts.behind(host) {
        for name in labels.keys() {
            values.extend(pod.labels.get(name).map(|value| format!("{name}: {value}")));
        }
    }
    values.sort();
    values.dedup();
    Some(match values.is_empty() {
        true => "none of its pods has such a label".to_owned(),
        false => format!("its pods have {}", values.join(", ")),
    })
}
