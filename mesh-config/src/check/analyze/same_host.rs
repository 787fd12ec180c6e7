//! Several VirtualServices of sidecars for one host. Source: istioctl's `ConflictingMeshGatewayHostsAnalyzer`.

use std::collections::{BTreeMap, BTreeSet};

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{self, Facts, Findings, Rule};
use crate::check::json::Json;

static SAME: Check = Check {
    code: "TL0308",
    istio: Some("IST0109"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "several VirtualServices of sidecars for one host",
    why: "For a sidecar the oldest one counts, of equally old ones the first by name; the rules of the others are not used.",
    fix: "Put all rules into one VirtualService, delegate to others, or export each to other namespaces.",
    istioctl: Istioctl::Files,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&SAME],
    run,
};

fn run(all: &Facts<'_>, findings: &mut Findings) {
    let mut by_host: BTreeMap<String, Vec<(usize, Rule<'_>)>> = BTreeMap::new();
    for rule in all.virtual_services.iter().filter(|rule| rule.is_for_mesh()) {
        for (index, name) in rule.spec.texts("hosts").into_iter().enumerate() {
            let full = facts::full(name, rule.namespace());
            by_host.entry(full).or_default().push((index, *rule));
        }
    }
    let mut said = BTreeSet::new();
    for (host, rules) in by_host.iter().filter(|(_, rules)| rules.len() > 1) {
        for (index, rule) in rules {
            let others: Vec<String> = rules
                .iter()
                .filter(|(_, other)| other.object.key() != rule.object.key() && meet(rule, other))
                .map(|(_, other)| other.name())
                .collect();
            if others.is_empty() || !said.insert(rule.object.key()) {
                continue;
            }
            let message = format!("`{host}` also has the VirtualService {}", others.join(", "));
            let pointer = format!("/spec/hosts/{index}");
            findings.add(
                &SAME,
                rule.object,
                &pointer,
                message,
                Some("the oldest one counts".to_owned()),
            );
        }
    }
}

/// Whether there is a namespace that sees both.
fn meet(one: &Rule<'_>, other: &Rule<'_>) -> bool {
    let (one, other) = (one.exported_to(), other.exported_to());
    one.is_empty() || other.is_empty() || one.iter().any(|namespace| other.contains(namespace))
}
