//! Conditions on callers that nobody fulfils.

use std::collections::BTreeMap;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, Rule};
use crate::check::json::Json;
use crate::text::similar;

static LABELS: Check = Check {
    code: "TL0418",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "`sourceLabels` that no workload has",
    why: "No caller has these labels, so the match is never used.",
    fix: "Correct the labels: they are those of the calling pods.",
    istioctl: Istioctl::Never,
};

static NAMESPACE: Check = Check {
    code: "TL0419",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a `sourceNamespace` in which nobody is",
    why: "No caller is in that namespace, so the match is never used.",
    fix: "Correct the namespace.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&LABELS, &NAMESPACE],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    if facts.pods.is_empty() {
        return;
    }
    let namespaces = facts.namespaces();
    for rule in &facts.virtual_services {
        for list in ["http", "tls", "tcp"] {
            for (index, entry) in rule.spec.list(list).iter().enumerate() {
                for (at, block) in entry.list("match").iter().enumerate() {
                    let pointer = format!("/spec/{list}/{index}/match/{at}");
                    let labels = block.labels("sourceLabels");
                    look_at_labels(facts, rule, &labels, &pointer, findings);
                    let name = block.text("sourceNamespace").filter(|name| !name.is_empty());
                    if let Some(name) = name.filter(|name| !namespaces.contains(name)) {
                        let names: Vec<&str> = namespaces.iter().copied().collect();
                        let advice = similar::did_you_mean(name, &names);
                        let message = format!("nothing here is in the namespace `{name}`");
                        findings.add(
                            &NAMESPACE,
                            rule.object,
                            &format!("{pointer}/sourceNamespace"),
                            message,
                            advice,
                        );
                    }
                }
            }
        }
    }
}

fn look_at_labels(
    facts: &Facts<'_>,
    rule: &Rule<'_>,
    labels: &BTreeMap<&str, &str>,
    pointer: &str,
    findings: &mut Findings,
) {
    if labels.is_empty() || facts.pods.with(labels).next().is_some() {
        return;
    }
    let shown: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let message = format!("no workload here has the labels {}", shown.join(", "));
    findings.add(
        &LABELS,
        rule.object,
        &format!("{pointer}/sourceLabels"),
        message,
        None,
    );
}
